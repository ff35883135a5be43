"""The real broker says no, stops, or is gone: nothing is lost and nothing is claimed."""

from __future__ import annotations

import datetime as dt
import threading
import time

import pytest

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.core.errors import DeliveryError, StoppedError
from airflow_legacy_events.core.model import Messages
from airflow_legacy_events.core.stop import Stop


def opened(kafka, *topics, seconds=30.0, stop=None, **config):
    broker = KafkaBroker(
        {"bootstrap.servers": kafka.bootstrap, "log_level": 0, **config},
        stop=stop or Stop(),
        delivery_timeout=dt.timedelta(seconds=seconds),
        topics=topics,
    )
    broker.open()
    return broker


def batch(topic, count, size=300, **changed):
    values = [f"{at:06d}".ljust(size, "x") for at in range(count)]
    for at, value in changed.items():
        values[int(at[1:])] = value
    return Messages(topic, [str(at) for at in range(count)], values, (("content-type", "text/plain"),))


def test_one_message_over_the_limit_is_rejected_alone(kafka, topics):
    topic = topics.make(max_message_bytes="61440")
    broker = opened(kafka, topic)
    broker.publish(batch(topic, 10_001, m5000="y" * 200_000))
    rejections = broker.confirm()
    assert [(found.index, found.error) for found in rejections] == [(5000, "MSG_SIZE_TOO_LARGE")]
    assert len(topics.read(topic)) == 10_000


@pytest.mark.parametrize("compression", ["none", "lz4"])
def test_a_limit_lowered_meanwhile_costs_only_what_is_above_it(kafka, topics, compression):
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

    topic = topics.make()
    broker = opened(kafka, topic, **{"compression.type": compression})
    lower = ConfigEntry("max.message.bytes", "20000", incremental_operation=AlterConfigOpType.SET)
    asked = ConfigResource("TOPIC", topic, incremental_configs=[lower])
    kafka.admin.incremental_alter_configs([asked])[asked].result(10)
    import os

    broker.publish(batch(topic, 500, m77=os.urandom(15_000).hex()))
    rejections = broker.confirm()
    assert [(found.index, found.error) for found in rejections] == [(77, "MSG_SIZE_TOO_LARGE")]
    found = topics.read(topic)
    assert {message.key for message in found} == {str(at) for at in range(500) if at != 77}
    broker.publish(batch(topic, 3))
    assert broker.confirm() == []


@pytest.mark.parametrize(("size", "taken"), [(-1, True), (0, True), (1, False)])
def test_the_size_of_a_record_is_known_to_the_byte(kafka, topics, size, taken):
    from airflow_legacy_events.brokers.kafka.sizes import record_batch_bytes

    topic = topics.make(max_message_bytes="30000")
    broker = opened(kafka, topic, **{"compression.type": "none"})
    messages = Messages(topic, ["käy"], ["é" * 10_000], (("content-type", "text/plain"),))
    rest = 30_000 + size - record_batch_bytes(messages, 0)
    messages.values = ["é" * 10_000 + "x" * rest]
    assert record_batch_bytes(messages, 0) == 30_000 + size
    broker.publish(messages)
    assert (broker.confirm() == []) is taken
    raw = opened(kafka, topic, **{"compression.type": "none"})
    raw._limits = {topic: 10**9}  # let the broker itself judge
    raw.publish(messages)
    assert (raw.confirm() == []) is taken


def test_a_small_queue_and_a_paused_broker_lose_nothing(second_kafka):
    from tests.support.topics import Topics

    kafka = second_kafka()
    topic = Topics(kafka).make(partitions=2)
    broker = opened(kafka, topic, seconds=60, **{"queue.buffering.max.messages": 100})
    done = threading.Event()
    published = threading.Thread(target=lambda: (broker.publish(batch(topic, 20_000)), done.set()), daemon=True)
    kafka.pause()
    published.start()
    assert not done.wait(5)
    kafka.resume()
    assert done.wait(60)
    assert broker.confirm() == []
    assert len({message.key for message in Topics(kafka).read(topic)}) == 20_000


def test_a_broker_that_is_gone_fails_the_batch(second_kafka):
    from tests.support.topics import Topics

    kafka = second_kafka()
    topic = Topics(kafka).make()
    broker = opened(kafka, topic, seconds=3)
    kafka.kill()
    broker.publish(batch(topic, 10))
    with pytest.raises(DeliveryError, match="10 messages were not acknowledged within 3 s"):
        broker.confirm()


def test_a_stop_ends_the_wait_for_a_paused_broker(second_kafka):
    from tests.support.topics import Topics

    kafka = second_kafka()
    topic = Topics(kafka).make()
    stop = Stop()
    broker = opened(kafka, topic, stop=stop)
    kafka.pause()
    broker.publish(batch(topic, 10))
    stop.request()
    started = time.monotonic()
    with pytest.raises(StoppedError):
        broker.confirm()
    assert time.monotonic() - started < 5
    kafka.resume()


def test_an_unreachable_broker_is_named(kafka):
    broker = KafkaBroker(
        {"bootstrap.servers": "127.0.0.1:1", "log_level": 0},
        stop=Stop(),
        delivery_timeout=dt.timedelta(seconds=1),
        topics=["t"],
    )
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:1"):
        broker.open()
