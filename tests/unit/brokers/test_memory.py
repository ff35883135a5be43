from airflow_legacy_events.brokers.memory import Kept, MemoryBroker
from tests.support.brokers import batch


def test_a_message_is_on_its_topic_only_once_it_is_confirmed():
    broker = MemoryBroker()
    broker.publish(batch("t", ("a", "1")))
    assert broker.topic("t") == []
    broker.confirm()
    assert broker.topic("t") == [Kept("a", "1", ())]


def test_what_was_not_confirmed_is_forgotten_by_close():
    broker = MemoryBroker()
    broker.publish(batch("t", ("a", "1")))
    broker.close()
    assert broker.confirm() == []
    assert broker.topic("t") == []


def test_a_limit_is_the_largest_value_that_is_taken():
    broker = MemoryBroker({"t": 3})
    broker.publish(batch("t", ("a", "abc"), ("b", "abcd"), ("c", None), ("d", b"\x00\x00\x00")))
    (rejection,) = broker.confirm()
    assert (rejection.index, rejection.error, rejection.reason) == (
        1,
        "MSG_SIZE_TOO_LARGE",
        "4 bytes, the topic allows 3",
    )
    assert [kept.key for kept in broker.topic("t")] == ["a", "c", "d"]
