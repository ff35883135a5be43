"""Topic source: where a first run begins, on every reader."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support.topic_sources import ON_BOTH, Sink, send, texts, without_epochs


def test_now_marks_the_ends_and_loses_nothing_that_comes_behind_them(world):
    topic = world.make(2)
    send(world, topic, 1, 2)
    sink = Sink(world.reader, [topic], {"first_run": "now"})
    assert sink.pending() == 2  # so that a sensor lets the first run begin
    assert sink.run() == []
    assert sink.pending() == 0
    assert sink.values == [f"{topic}[0]=2", f"{topic}[1]=0"]
    assert sink.horizon.completeness == "exact"
    send(world, topic, 3)
    send(world, topic, 4, partition=1)
    assert sorted(sink.run()) == texts(3, 4)


@ON_BOTH
def test_now_is_the_time_of_the_run_that_began_even_if_it_died_before_it_saved_positions(world):
    topic = world.make()
    send(world, topic, 1)
    sink = Sink(world.reader, [topic], {"first_run": "now"})
    assert sink.run(batches=0) == []
    assert sink.values is None
    send(world, topic, 2)
    assert sink.pending() == 1
    assert sink.run() == texts(2)


def test_now_includes_what_a_transaction_commits_later(world):
    topic = world.make()
    send(world, topic, 1)
    with world.transaction(topic) as write:
        write(("k", "2"))
        sink = Sink(world.reader, [topic], {"first_run": "now"})
        assert sink.run() == []
    assert sink.run() == texts(2)


@pytest.mark.parametrize("as_text", [True, False])
def test_a_time_is_where_the_first_message_at_or_behind_it_lies(world, as_text):
    topic = world.make(2)
    begin = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    for at in range(5):
        send(world, topic, at, timestamp=int(begin.timestamp() * 1_000) + at * 1_000)
    moment = begin + dt.timedelta(seconds=2)
    sink = Sink(world.reader, [topic], {"first_run": moment.isoformat() if as_text else moment})
    assert sink.run() == texts(2, 3, 4)
    assert without_epochs(sink.values) == [f"{topic}[0]=5", f"{topic}[1]=0"]
    assert sink.horizon.completeness == "exact"


def test_a_first_run_that_finds_the_beginning_deleted_is_best_effort_until_it_is_forgotten(world):
    topic = world.make()
    send(world, topic, 1, 2, 3)
    world.trim(topic, 0, 2)
    sink = Sink(world.reader, [topic])
    assert sink.run() == texts(3)
    assert sink.horizon.completeness == "best_effort"
    assert "at most 2 of" in sink.horizon.reason
    send(world, topic, 4)
    assert sink.run() == texts(4)
    assert sink.horizon.completeness == "best_effort"
    assert Sink(world.reader, [topic], {"first_run": "now"}).run() == []


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"first_run": "yesterday"}, "first_run='yesterday' is neither"),
        ({"first_run": "2026-11-01T00:00:00"}, "nor a time with an offset"),
        ({"first_run": dt.datetime(2026, 11, 1)}, "nor a time with an offset"),  # noqa: DTZ001
        ({"first_run": dt.date(2026, 11, 1)}, "nor a time with an offset"),
        ({"first_run": dt.datetime(9999, 1, 1, tzinfo=dt.UTC)}, "lies in the future"),
        ({"first_run": None}, "is neither"),
        ({"on_gap": "ignore"}, "on_gap='ignore' is not known.*fail, skip"),
        ({"partitions": []}, "is not a list of numbers"),
        ({"partitions": "0"}, "is not a list of numbers"),
        ({"partitions": [0, -1]}, "is not a list of numbers"),
        ({"partitions": [True]}, "is not a list of numbers"),
        ({"partitions": [1, 1]}, "names one twice"),
        ({"partitions": [0], "truncates": lambda _: ()}, "can't be combined with partitions="),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_read(world, arguments, fault):
    topic = world.make()
    with pytest.raises(ConfigurationError, match=fault) as caught:
        Sink(world.reader, [topic]).make(**arguments).check()
    assert "nothing was read" in str(caught.value) or "on_truncate" in str(caught.value)
    with pytest.raises(ConfigurationError, match=fault):
        Sink(world.reader, [topic]).run(**arguments)


def test_all_wrong_arguments_are_reported_in_one_message(world):
    with pytest.raises(
        ConfigurationError, match=r"4 problems.*\n1\. topics=.*\n2\. partitions=.*\n3\. first.*\n4\. on_"
    ):
        Sink(world.reader, ["a", "a"]).make(first_run="x", partitions=[-1], on_gap=None).check()
    for topics in ([], "abc", [""], [1]):
        with pytest.raises(ConfigurationError, match="is not a list of names"):
            Sink(world.reader, topics).make().check()


def test_a_missing_topic_is_named(world):
    with pytest.raises(ConfigurationError, match="of-no-topic"):
        Sink(world.reader, ["of-no-topic"]).make().check()
