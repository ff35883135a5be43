"""Sizes and partitions as the real broker and Java clients see them."""

import pytest

from airflow_legacy_events.brokers.kafka.limits import TopicLimits
from airflow_legacy_events.brokers.kafka.sizes import record_batch_bytes
from airflow_legacy_events.core.model import Messages
from tests.support.brokers import batch, opened, raw

LIMIT = 30_000


@pytest.mark.parametrize("headers", [(), (("content-type", "text/plain"), ("größe", "ß"))])
@pytest.mark.parametrize(("beyond", "taken"), [(-1, True), (0, True), (1, False)])
def test_the_size_of_a_message_is_known_to_the_byte(kafka, topics, beyond, taken, headers):
    topic = topics.make(max_message_bytes=str(LIMIT))
    messages = Messages(topic, ["käy"], ["é" * 10_000], headers)
    messages.values = ["é" * 10_000 + "x" * (LIMIT + beyond - record_batch_bytes(messages, 0))]
    broker = opened(kafka, topic, **{"compression.type": "none"})
    broker.publish(messages)
    assert (broker.confirm() == []) is taken
    broker._routes.limits[topic] = TopicLimits(10**9)  # now the real broker judges
    broker.publish(messages)
    assert (broker.confirm() == []) is taken
    assert len(raw(kafka, topic)) == (2 if taken else 0)


def test_many_small_messages_fit_a_small_limit(kafka, topics):
    topic = topics.make(max_message_bytes="2000")
    broker = opened(kafka, topic)
    broker.publish(batch(topic, *((str(at), "x" * 300) for at in range(2_000))))
    assert broker.confirm() == []
    assert len(raw(kafka, topic)) == 2_000


# murmur2 of the keys as org.apache.kafka.common.utils.Utils gives it; the partition is (hash & 0x7fffffff) % 10.
JAVA = {
    "21": (-973932308, 0),
    "foobar": (-790332482, 6),
    "a-little-bit-long-string": (-985981536, 2),
    "a-little-bit-longer-string": (-1486304829, 9),
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": (-58897971, 7),
    "abc": (479470107, 7),
}


def test_keys_go_to_the_partitions_of_java_clients(kafka, topics):
    topic = topics.make(partitions=10)
    broker = opened(kafka, topic)
    broker.publish(batch(topic, *((key, "v") for key in JAVA)))
    assert broker.confirm() == []
    found = {message.key: number for number in range(10) for message in raw(kafka, topic, number)}
    assert found == {key.encode(): partition for key, (_, partition) in JAVA.items()}


def test_messages_without_a_key_are_spread(kafka, topics):
    topic = topics.make(partitions=4)
    broker = opened(kafka, topic, **{"sticky.partitioning.linger.ms": 0})
    broker.publish(batch(topic, *((None, str(at)) for at in range(200))))
    assert broker.confirm() == []
    assert all(raw(kafka, topic, number) for number in range(4))


@pytest.mark.parametrize("headers", [(), (("type", "t"),)])
def test_messages_that_differ_wait_for_room_and_none_is_dropped_or_doubled(kafka, topics, headers):
    names, count = [topics.make(), topics.make()], 3_000
    broker = opened(kafka, *names, **{"queue.buffering.max.messages": 50})
    each = [(("id", str(at)),) if at % 3 else () for at in range(count)]
    times = [1 + at if at % 5 else None for at in range(count)]
    texts = [str(at) for at in range(count)]
    routed = [names[at % 2] for at in range(count)]
    sent = Messages("", texts, texts, headers, each, times, topics=routed, partitions=[0, None] * (count // 2))
    broker.publish(sent, set(range(0, count, 7)))
    assert broker.confirm() == []
    for parity, name in enumerate(names):
        places = [at for at in range(count) if at % 2 == parity and at % 7]
        found = raw(kafka, name)
        assert [message.value for message in found] == [texts[at].encode() for at in places]
        assert [message.headers for message in found] == [(*headers, *each[at]) for at in places]
        own = [(message.timestamp, times[at]) for message, at in zip(found, places, strict=True) if times[at]]
        assert all(there == asked for there, asked in own)
