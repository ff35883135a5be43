"""Times of messages as the real cluster judges them, and what its topics keep."""

import logging
import time

import pytest

from airflow_legacy_events.brokers.kafka.producer import IdempotentProducer
from airflow_legacy_events.brokers.kafka.times import MARGIN_MS
from airflow_legacy_events.core.dead_letters import INVALID_TIMESTAMP
from airflow_legacy_events.core.model import Messages
from tests.support.brokers import opened, raw

SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000


def timed(topic, *aside, topics=None):
    """Messages so far from now, in milliseconds; None has no time of its own."""
    now = int(time.time() * 1000)
    times = [None if one is None else now + one for one in aside]
    count = len(times)
    return Messages(topic, ["k"] * count, [str(at) for at in range(count)], timestamps=times, topics=topics)


def told(rejections):
    return [(one.index, one.error) for one in rejections]


def of_topics(kafka, *names):
    return [[found.value for found in raw(kafka, name)] for name in names]


@pytest.fixture
def singly(monkeypatch):
    """The messages that are sent again, one by one."""
    sent = []
    monkeypatch.setattr(IdempotentProducer, "send_one", lambda _, messages, at: sent.append(at) or [])
    return sent


def test_one_time_too_far_ahead_is_refused_by_name_and_costs_its_neighbours_nothing(kafka, topic, singly):
    broker = opened(kafka, topic)
    messages = timed(topic, -DAY, -1, 0, 2 * HOUR, HOUR // 2, None)
    refused = broker.refused(messages)
    assert told(refused) == [(3, INVALID_TIMESTAMP)]
    assert "message.timestamp.after.max.ms is 3600000" in refused[0].reason
    broker.publish(messages)
    assert broker.confirm() == refused
    assert of_topics(kafka, topic) == [[b"0", b"1", b"2", b"4", b"5"]]
    assert singly == []


def test_times_too_far_back_are_refused_where_the_topic_says_so(kafka, topics, singly):
    topic = topics.make(message_timestamp_before_max_ms=str(HOUR))
    broker = opened(kafka, topic)
    messages = timed(topic, -2 * HOUR, -HOUR // 2, 0, -HOUR - SECOND)
    broker.publish(messages)
    refused = broker.confirm()
    assert told(refused) == [(0, INVALID_TIMESTAMP), (3, INVALID_TIMESTAMP)]
    assert all("message.timestamp.before.max.ms is 3600000" in one.reason for one in refused)
    assert of_topics(kafka, topic) == [[b"1", b"2"]]
    assert singly == []


def test_what_would_pass_the_bound_while_it_is_sent_is_refused_too(kafka, topics):
    topic = topics.make(message_timestamp_before_max_ms=str(HOUR))
    broker = opened(kafka, topic)
    inside, near = -HOUR + MARGIN_MS + 60 * SECOND, -HOUR + MARGIN_MS - SECOND
    assert told(broker.refused(timed(topic, inside, near))) == [(1, INVALID_TIMESTAMP)]


def test_a_short_bound_still_takes_messages_of_now(kafka, topics, singly):
    topic = topics.make(message_timestamp_after_max_ms="0", message_timestamp_before_max_ms=str(10 * SECOND))
    broker = opened(kafka, topic)
    broker.publish(timed(topic, 0, -SECOND, -2 * SECOND))
    assert broker.confirm() == []
    assert len(raw(kafka, topic)) == 3
    assert singly == []


def test_each_topic_has_its_own_bounds(kafka, topics):
    short, long = topics.make(), topics.make(message_timestamp_after_max_ms=str(365 * DAY))
    broker = opened(kafka)
    broker.publish(timed("", DAY, DAY, 0, 400 * DAY, topics=[short, long, short, long]))
    assert told(broker.confirm()) == [(0, INVALID_TIMESTAMP), (3, INVALID_TIMESTAMP)]
    assert of_topics(kafka, short, long) == [[b"2"], [b"1"]]


def test_a_topic_that_takes_the_brokers_time_takes_any(kafka, topics, caplog):
    topic = topics.make(message_timestamp_type="LogAppendTime", retention_ms=str(HOUR))
    broker = opened(kafka, topic)
    broker.publish(timed(topic, 20 * DAY, -20 * DAY))
    assert broker.confirm() == []
    assert of_topics(kafka, topic) == [[b"0", b"1"]]
    assert caplog.messages == []


@pytest.mark.parametrize("when", [0, -1, -(10**12), 2**63, 2**70])
def test_what_is_no_time_is_refused_on_any_topic(kafka, topics, topic, when):
    broker = opened(kafka)
    sent = Messages("", ["k"] * 3, ["0", "1", "2"], timestamps=[1, when, when], topics=[topic, topic, topics.name()])
    assert told(broker.refused(sent)) == [(1, INVALID_TIMESTAMP), (2, INVALID_TIMESTAMP)]


class Seen(logging.Handler):
    """What lies on a topic when a line is logged."""

    def __init__(self, look):
        super().__init__()
        self.look, self.lines = look, []

    def emit(self, record):
        self.lines.append((record.levelname, record.getMessage(), self.look()))


@pytest.fixture
def log():
    made = logging.getLogger(f"test.{time.monotonic_ns()}")
    made.propagate = False
    return made


def warnings(kafka, topic, log, messages):
    """The warnings about a batch, each with what was on the topic by then."""
    seen = Seen(lambda: len(raw(kafka, topic)))
    log.addHandler(seen)
    broker = opened(kafka, log=log)
    broker.publish(messages, {0})
    assert broker.confirm() == []
    return [(line, there) for level, line, there in seen.lines if level == "WARNING"]


def test_what_a_topic_deletes_at_once_is_counted_before_it_is_sent(kafka, topics, log):
    topic, other = topics.make(retention_ms=str(HOUR)), topics.make()
    aside = [-14 * DAY] * 5 + [None, -HOUR // 2, -3 * DAY]
    sent = timed("", *aside, topics=[topic] * 7 + [other])
    [(line, there)] = warnings(kafka, topic, log, sent)
    assert line.startswith(
        f"4 messages of this batch are older than the retention of topic {topic} (retention.ms=3600000)"
    )
    assert 'columns={"timestamp": None}' in line
    assert there == 0
    assert len(raw(kafka, other)) == 1


@pytest.mark.parametrize(
    "config", [{"retention_ms": "-1"}, {"retention_ms": str(HOUR), "cleanup_policy": "compact"}, {}], ids=str
)
def test_what_a_topic_keeps_is_no_news(kafka, topics, log, config):
    topic = topics.make(**config)
    assert warnings(kafka, topic, log, timed(topic, -6 * DAY, -6 * DAY, -1, topics=[topic] * 3)) == []


def test_a_topic_that_is_compacted_and_deletes_is_told(kafka, topics, log):
    topic = topics.make(retention_ms=str(HOUR), cleanup_policy="compact,delete")
    assert len(warnings(kafka, topic, log, timed(topic, -DAY, -DAY, topics=[topic] * 2))) == 1
