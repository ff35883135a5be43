"""Topic source: replays of a window of time, on every reader."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Span, Window
from tests.support.topic_sources import ON_BOTH, Sink, send, texts


def stamp(seconds):
    return int(dt.datetime(2026, 11, 1, tzinfo=dt.UTC).timestamp() * 1_000) + seconds * 1_000


WINDOW = Window(None, "2026-11-01T00:00:02+00:00", "2026-11-01T00:00:05+00:00")


@ON_BOTH
def test_a_replay_takes_the_messages_of_its_window_though_their_times_do_not_ascend(world):
    topic = world.make(2)
    for at in (0, 2, 7, 1, 4, 5, 3, 9):
        send(world, topic, at, timestamp=stamp(at))
    send(world, topic, 1, timestamp=stamp(1), partition=1)
    sink = Sink(world.reader, [topic])
    assert sink.run(window=WINDOW) == texts(2, 4, 3)
    assert sink.final
    assert sink.horizon.completeness == "exact"


def test_a_replay_ends_where_the_log_ended_when_it_began_and_another_try_continues(world):
    topic = world.make()
    send(world, topic, 2, 3, 4, timestamp=stamp(3))
    sink = Sink(world.reader, [topic])
    assert sink.run(window=WINDOW, batch_rows=2, batches=1) == texts(2, 3)
    send(world, topic, 9, timestamp=stamp(3))
    assert sink.run(window=WINDOW) == texts(4)
    other = Window(None, WINDOW.low, "2026-11-01T00:00:06+00:00")
    assert sink.run(window=other) == texts(2, 3, 4, 9)


def test_a_replay_that_died_before_its_first_batch_keeps_its_end(world):
    topic = world.make()
    send(world, topic, 2, timestamp=stamp(3))
    sink = Sink(world.reader, [topic])
    assert sink.run(window=WINDOW, batches=0) == []
    send(world, topic, 3, timestamp=stamp(3))
    assert sink.run(window=WINDOW) == texts(2)


def test_a_replay_of_what_is_partly_deleted_is_best_effort(world):
    topic = world.make()
    send(world, topic, 2, 3, timestamp=stamp(3))
    world.trim(topic, 0, 1)
    sink = Sink(world.reader, [topic])
    assert sink.run(window=WINDOW) == texts(3)
    assert sink.horizon.completeness == "best_effort"
    assert "of the window may have been deleted" in sink.horizon.reason


@pytest.mark.parametrize(
    ("low", "high", "fault"),
    [
        ("1", "2", "is not one of time"),
        ("2026-11-01T00:00:00", "2026-11-02T00:00:00", "is not one of time"),
        ("2026-11-02T00:00:00+00:00", "2026-11-01T00:00:00+00:00", "is empty"),
    ],
)
def test_a_window_must_be_one_of_time(world, low, high, fault):
    topic = world.make()
    for use in (lambda source, window: source.check(window), lambda source, window: source.open(None, window)):
        with pytest.raises(ConfigurationError, match=fault):
            use(Sink(world.reader, [topic]).make(), Window(None, low, high))


def test_a_span_of_a_cleared_task_is_refused_and_all_faults_are_reported(world):
    source = Sink(world.reader, [world.make()]).make(on_gap="x")
    with pytest.raises(ConfigurationError, match=r"2 problems.*\n1\. on_gap='x'.*\n2\. a topic has no span"):
        source.check(Span(None, ("a[0]=1",)))
    with pytest.raises(ConfigurationError, match=r"has no span.*watermark rewind"):
        Sink(world.reader, [world.make()]).make().open(None, Span(None, ("a[0]=1",)))


def test_a_window_that_cuts_a_truncate_fails_since_what_lies_behind_it_can_not_be_applied(world):
    topic = world.make(2)
    send(world, topic, "a", "T", "b", timestamp=stamp(3))
    send(world, topic, "c", timestamp=stamp(3), partition=1)
    send(world, topic, "T", timestamp=stamp(5), partition=1)
    sink = Sink(world.reader, [topic], {"truncates": lambda received: find(received.values)})
    with pytest.raises(ConfigurationError, match=r"truncate on some partitions .*\[0\] at 1.*\n.*on_truncate='skip'"):
        sink.run(window=WINDOW)
    assert sorted(value for *_, value in sink.got) == texts("a", "c")
    wider = Window(None, WINDOW.low, "2026-11-01T00:00:06+00:00")
    assert b"b" in sink.run(window=wider)


def find(values):
    return [(at, "x") for at, one in enumerate(values) if one == b"T"]
