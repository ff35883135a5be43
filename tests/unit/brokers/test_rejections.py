"""Which failures may become rejections, and what is sent again for them."""

import pytest
from confluent_kafka import KafkaError

from airflow_legacy_events.brokers.kafka.resend import to_resend
from airflow_legacy_events.brokers.kafka.verdicts import Failure, fatal
from tests.support.brokers import batch


def failure(code=KafkaError.MSG_SIZE_TOO_LARGE, key=b"a", value=b"1", topic="t"):
    return Failure(code, KafkaError(code).name(), KafkaError(code).str(), topic, key, value)


@pytest.mark.parametrize("name", ["MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"])
def test_what_is_about_messages_may_be_judged_singly(name):
    assert fatal([failure(getattr(KafkaError, name))], 120) is None


@pytest.mark.parametrize(
    "name",
    [
        "_MSG_TIMED_OUT",
        "_PURGE_QUEUE",
        "_PURGE_INFLIGHT",
        "_TIMED_OUT",
        "_TRANSPORT",
        "_FATAL",
        "REQUEST_TIMED_OUT",
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "NETWORK_EXCEPTION",
        "OUT_OF_ORDER_SEQUENCE_NUMBER",
        "UNKNOWN",
    ],
)
def test_whatever_does_not_say_that_nothing_was_written_leaves_the_fate_unknown(name):
    text = fatal([failure(), failure(getattr(KafkaError, name))], 120)
    assert text.startswith(
        "1 messages were not acknowledged within 120 s, and whether they are on the topic is unknown"
    )
    assert name in text


@pytest.mark.parametrize("name", ["TOPIC_AUTHORIZATION_FAILED", "_UNKNOWN_TOPIC", "POLICY_VIOLATION"])
def test_a_refusal_of_the_whole_topic_is_told_as_one(name):
    text = fatal([failure(getattr(KafkaError, name)), failure()], 120)
    assert text.startswith(f"the broker refused 1 messages: {name}")


def test_an_unknown_fate_is_told_before_a_refusal():
    codes = [KafkaError._UNKNOWN_TOPIC, KafkaError._MSG_TIMED_OUT]
    assert "2 messages were not acknowledged" in fatal([failure(code) for code in codes], 2)


def test_no_failure_ends_nothing():
    assert fatal([], 120) is None


def sent(*published, failures, without=()):
    return [message.index for message in to_resend(published, failures, set(without))]


def test_what_failed_goes_again_with_every_later_message_of_its_key():
    messages = batch("t", ("a", "0"), ("b", "0"), ("a", "1"), ("b", "2"), ("a", "3"), ("c", "4"), ("a", "5"))
    assert sent(messages, failures=[failure()]) == [2, 4, 6]


def test_messages_without_a_key_have_no_order_to_keep():
    messages = batch("t", (None, "1"), (None, "2"), (None, "3"))
    assert sent(messages, failures=[failure(key=None, value=b"2")]) == [1]


def test_an_empty_key_is_a_key():
    assert sent(batch("t", ("", "1"), (None, "2"), ("", "3")), failures=[failure(key=b"")]) == [0, 2]


def test_a_tombstone_is_not_an_empty_value():
    messages = batch("t", ("a", ""), ("b", None), ("a", None))
    assert sent(messages, failures=[failure(value=None)]) == [2]


def test_the_same_key_on_another_topic_is_another_key():
    first, second = batch("t", ("a", "1"), ("b", "2")), batch("dead", ("a", "1"), ("a", "2"))
    assert sent(first, second, failures=[failure(topic="dead")]) == [2, 3]


def test_what_was_never_sent_is_not_sent_now():
    messages = batch("t", ("a", "1"), ("a", "2"), ("a", "3"))
    assert sent(messages, failures=[failure()], without=[1]) == [0, 2]


def test_text_and_bytes_are_told_apart_by_their_bytes_only():
    messages = batch("t", ("ä", "1"), ("a", b"\xff"))
    assert sent(messages, failures=[failure(key="ä".encode()), failure(value=b"\xff")]) == [0, 1]
