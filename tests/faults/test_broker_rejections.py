"""The real broker says no: exactly what it will never take is rejected, and nothing else is lost or claimed."""

from __future__ import annotations

import os
import time

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from airflow_legacy_events.core.dead_letters import INVALID_TIMESTAMP
from airflow_legacy_events.core.errors import DeliveryError, StoppedError
from airflow_legacy_events.core.model import Messages
from airflow_legacy_events.core.stop import Stop
from tests.support.brokers import batch, opened, raw


def many(topic, count, size=300, **changed):
    values = [f"{at:06d}".ljust(size, "x") for at in range(count)]
    for at, value in changed.items():
        values[int(at[1:])] = value
    return Messages(topic, [str(at) for at in range(count)], values, (("content-type", "text/plain"),))


def configure(kafka, topic, **settings):
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    asked = ConfigResource("TOPIC", topic, incremental_configs=entries)
    kafka.admin.incremental_alter_configs([asked])[asked].result(10)


def last_of(found, key):
    return [message.value for message in found if message.key == key][-1]


def test_one_message_over_the_limit_is_rejected_alone(kafka, topics):
    topic = topics.make(max_message_bytes="61440")
    broker = opened(kafka, topic)
    broker.publish(many(topic, 10_001, m5000="y" * 200_000))
    rejections = broker.confirm()
    assert [(found.index, found.error) for found in rejections] == [(5000, "MSG_SIZE_TOO_LARGE")]
    found = raw(kafka, topic)
    assert len(found) == 10_000
    assert {message.key for message in found} == {str(at).encode() for at in range(10_001) if at != 5000}


@pytest.mark.parametrize("compression", ["none", "lz4"])
def test_a_limit_lowered_meanwhile_costs_only_what_is_above_it(kafka, topic, compression):
    broker = opened(kafka, topic, **{"compression.type": compression})
    configure(kafka, topic, max_message_bytes="20000")
    broker.publish(many(topic, 500, m77=os.urandom(15_000).hex()))
    rejections = broker.confirm()
    assert [(found.index, found.error) for found in rejections] == [(77, "MSG_SIZE_TOO_LARGE")]
    assert {message.key for message in raw(kafka, topic)} == {str(at).encode() for at in range(500) if at != 77}
    broker.publish(batch(topic, ("a", "1")))
    assert broker.confirm() == []


def test_later_messages_of_a_key_end_the_topic_in_their_order(kafka, topic):
    broker = opened(kafka, topic, **{"compression.type": "none", "batch.size": 10_000})
    configure(kafka, topic, max_message_bytes="9000")
    messages = [("a", f"{at}".ljust(1_000)) for at in range(40)]
    messages[20] = ("a", "y" * 50_000)
    messages[30] = ("b", "only b")
    broker.publish(batch(topic, *messages))
    assert [found.index for found in broker.confirm()] == [20]
    found = [message.value for message in raw(kafka, topic)]
    assert set(found) == {value.encode() for at, (_, value) in enumerate(messages) if at != 20}
    of_a = [value.encode() for at, (key, value) in enumerate(messages) if key == "a" and at != 20]
    last = {value: place for place, value in enumerate(found)}
    assert sorted(of_a, key=last.__getitem__) == of_a


def test_a_message_without_a_key_on_a_topic_compacted_by_now_is_rejected_alone(kafka, topics):
    topic = topics.make()
    broker = opened(kafka, topic)
    configure(kafka, topic, cleanup_policy="compact")
    broker.publish(batch(topic, ("a", "1"), ("b", "2"), (None, "3"), ("a", "4"), ("c", None)))
    assert [(found.index, found.error) for found in broker.confirm()] == [(2, "INVALID_RECORD")]
    found = raw(kafka, topic)
    assert {message.key for message in found} == {b"a", b"b", b"c"}
    assert last_of(found, b"a") == b"4"


def test_headers_of_single_messages_survive_a_second_try(kafka, topics):
    topic = topics.make()
    broker = opened(kafka, topic)
    configure(kafka, topic, cleanup_policy="compact")
    each = [(("id", "1"),), (("id", "2"),)]
    broker.publish(Messages(topic, ["a", None], ["1", "2"], (("mode", "replay"),), each))
    assert [found.index for found in broker.confirm()] == [1]
    assert raw(kafka, topic)[-1].headers == (("mode", "replay"), ("id", "1"))


def test_a_time_that_the_topic_refuses_by_now_rejects_its_message_alone_and_the_others_keep_theirs(kafka, topics):
    topic = topics.make(message_timestamp_after_max_ms=str(2**62))
    broker = opened(kafka, topic)
    configure(kafka, topic, message_timestamp_after_max_ms="3600000")
    far = 4_000_000_000_000
    broker.publish(Messages(topic, ["a", "b", "a"], ["1", "2", "3"], timestamps=[11, far, 13]))
    assert [(found.index, found.error) for found in broker.confirm()] == [(1, INVALID_TIMESTAMP)]
    assert [(found.value, found.timestamp) for found in raw(kafka, topic)][-2:] == [(b"1", 11), (b"3", 13)]


def test_messages_sent_again_keep_their_topic_and_partition_and_what_was_left_out_stays_out(kafka, topics):
    compacted, other = topics.make(partitions=3), topics.make(partitions=3)
    broker = opened(kafka, compacted, other)
    configure(kafka, compacted, cleanup_policy="compact")
    keys = ["a", "a", None, "a", None, "b", None]
    routed = [compacted, compacted, compacted, other, compacted, compacted, compacted]
    each = [(("id", str(at)),) for at in range(7)]
    sent = Messages("", keys, list("0123456"), (("type", "t"),), each, topics=routed, partitions=[2, 2, 2, 1, 2, 1, 1])
    broker.publish(sent, {1, 4})
    broker.publish(batch(compacted, (None, "7"), ("c", "8")), {0})
    assert [(found.index, found.error) for found in broker.confirm()] == [(2, "INVALID_RECORD"), (6, "INVALID_RECORD")]
    found = {(topic, at): raw(kafka, topic, at) for topic in (compacted, other) for at in range(3)}
    assert {message.value for message in found[compacted, 2]} - {b"8"} == {b"0"}
    assert {message.value for message in found[compacted, 1]} - {b"8"} == {b"5"}
    assert [message.value for message in found[other, 1]] == [b"3"]
    assert all(
        message.headers == (("type", "t"), ("id", "0")) for message in found[compacted, 2] if message.key == b"a"
    )
    assert not {b"1", b"4", b"7"} & {message.value for part in found.values() for message in part}


def test_what_was_too_large_from_the_start_is_not_sent_again(kafka, topics):
    topic = topics.make(max_message_bytes="5000")
    broker = opened(kafka, topic)
    configure(kafka, topic, cleanup_policy="compact")
    broker.publish(batch(topic, ("a", "y" * 6_000), (None, "2"), ("a", "3")))
    rejections = broker.confirm()
    assert [(found.index, found.error) for found in rejections] == [(0, "MSG_SIZE_TOO_LARGE"), (1, "INVALID_RECORD")]
    assert {message.value for message in raw(kafka, topic)} == {b"3"}


def test_a_second_publish_does_not_forget_the_failures_of_the_first(kafka, topics):
    compacted, other = topics.make(), topics.make()
    broker = opened(kafka, compacted, other)
    configure(kafka, compacted, cleanup_policy="compact")
    broker.publish(batch(compacted, ("a", "1"), (None, "2")))
    broker._producer._producer.flush(10)
    broker.publish(batch(other, ("b", "3")))
    assert [found.index for found in broker.confirm()] == [1]
    assert [message.value for message in raw(kafka, compacted)] == [b"1"]


def test_a_stop_ends_the_sending_one_by_one(kafka, topic):
    stop = Stop()
    broker = opened(kafka, topic, stop=stop, **{"compression.type": "none"})
    configure(kafka, topic, max_message_bytes="1000")
    stop._deadline = 0.0  # requested, and the grace is over
    broker.publish(batch(topic, *((str(at), "x" * 100) for at in range(100))))
    with pytest.raises(StoppedError):
        broker.confirm()
    with pytest.raises(DeliveryError, match="closed"):
        broker.publish(batch(topic, ("a", "1")))


def publish_until_refused(broker, rows):
    """Publish again and again: the leader takes messages until it has heard that its topic was deleted."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        broker.publish(rows)
        assert broker.confirm() == []


def test_a_topic_that_is_deleted_fails_the_batch_and_stays_deleted(kafka, topic):
    broker = opened(kafka, topic, seconds=3)
    broker.publish(batch(topic, ("a", "1")))
    assert broker.confirm() == []
    kafka.admin.delete_topics([topic])[topic].result(10)
    with pytest.raises(DeliveryError) as failed:
        publish_until_refused(broker, batch(topic, ("secret-key", "secret-value")))
    assert failed.value.rejected == ()
    assert "secret" not in str(failed.value)
    assert topic not in kafka.admin.list_topics(timeout=10).topics
