"""The real broker stops or is gone: nothing is lost, nothing is claimed, and every wait ends."""

from __future__ import annotations

import threading

import psutil
import pytest

from airflow_legacy_events.core.errors import DeliveryError, StoppedError
from airflow_legacy_events.core.stop import Stop
from tests.support.brokers import batch, opened, raw
from tests.support.topics import Topics


@pytest.fixture
def own(second_kafka):
    """A broker of the test's own, and a topic on it."""
    kafka = second_kafka()
    return kafka, Topics(kafka).make()


def numbered(topic, count, size=300):
    return batch(topic, *((str(at), f"{at:06d}".ljust(size, "x")) for at in range(count)))


def test_a_small_queue_and_a_paused_broker_lose_nothing(own):
    kafka, topic = own
    broker = opened(kafka, topic, seconds=60, **{"queue.buffering.max.messages": 100})
    messages, done = numbered(topic, 20_000), threading.Event()
    published = threading.Thread(target=lambda: (broker.publish(messages), done.set()), daemon=True)
    kafka.pause()
    before = psutil.Process().memory_info().rss
    published.start()
    assert not done.wait(5)
    assert psutil.Process().memory_info().rss - before < 20 * 2**20
    kafka.resume()
    assert done.wait(60)
    assert broker.confirm() == []
    assert [message.key for message in raw(kafka, topic)] == [str(at).encode() for at in range(20_000)]


def test_a_broker_that_is_gone_fails_the_batch(own, caplog, capfd):
    kafka, topic = own
    broker = opened(kafka, topic, seconds=3)
    kafka.kill()
    broker.publish(numbered(topic, 10))
    with pytest.raises(DeliveryError, match="10 messages were not acknowledged within 3 s") as failed:
        broker.confirm()
    assert failed.value.rejected == ()
    assert kafka.bootstrap in str(failed.value)
    assert "equal ids" in str(failed.value)
    assert "Connection refused" in str(failed.value)
    assert "rdkafka" in caplog.text
    assert capfd.readouterr().err == ""
    with pytest.raises(DeliveryError, match="closed"):
        broker.publish(numbered(topic, 1))


def test_a_full_queue_before_a_broker_that_is_gone_fails_too(own):
    kafka, topic = own
    broker = opened(kafka, topic, seconds=3, **{"queue.buffering.max.messages": 100})
    kafka.kill()
    with pytest.raises(DeliveryError, match="not acknowledged within 3 s"):
        broker.publish(numbered(topic, 1_000))


def test_after_a_failure_nothing_queued_reaches_the_topic(own):
    kafka, topic = own
    broker = opened(kafka, topic, seconds=2)
    kafka.kill()
    broker.publish(numbered(topic, 10))
    with pytest.raises(DeliveryError):
        broker.confirm()
    kafka.restart()
    second = opened(kafka, topic)
    second.publish(batch(topic, ("after", "1")))
    assert second.confirm() == []
    assert [message.key for message in raw(kafka, topic)] == [b"after"]


def test_a_callback_that_fails_leaves_the_fate_unknown(own):
    def broken(error):
        raise RuntimeError("from a callback")

    kafka, topic = own
    broker = opened(kafka, topic, seconds=20, error_cb=broken)
    kafka.kill()
    broker.publish(numbered(topic, 10))
    with pytest.raises(DeliveryError, match=r"unknown: RuntimeError.*from a callback"):
        broker.confirm()
    with pytest.raises(DeliveryError, match="closed"):
        broker.confirm()


def test_a_stop_ends_the_wait_for_a_paused_broker(own):
    kafka, topic = own
    stop = Stop()
    broker = opened(kafka, topic, stop=stop)
    kafka.pause()
    broker.publish(numbered(topic, 10))
    found = []

    def confirm():
        try:
            broker.confirm()
        except StoppedError as error:
            found.append(error)
        broker.close()

    waiting = threading.Thread(target=confirm, daemon=True)
    waiting.start()
    stop.request()
    waiting.join(4)  # Airflow kills after 5 s
    assert not waiting.is_alive()
    assert len(found) == 1


def test_a_stop_ends_the_wait_for_room_in_the_queue(own):
    kafka, topic = own
    stop = Stop()
    broker = opened(kafka, topic, stop=stop, **{"queue.buffering.max.messages": 100})
    kafka.pause()
    stop.request()
    with pytest.raises(StoppedError):
        broker.publish(numbered(topic, 1_000))


def test_close_waits_for_nothing(own):
    kafka, topic = own
    broker = opened(kafka, topic)
    kafka.pause()
    broker.publish(numbered(topic, 10_000))
    closed = threading.Thread(target=broker.close, daemon=True)
    closed.start()
    closed.join(1)
    assert not closed.is_alive()
