"""Batches that share a watermark: published one by one, then confirmed, saved and acknowledged together."""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import (
    ConfigurationError,
    DeliveryError,
    EnvelopeError,
    SourceError,
    StoppedError,
)
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Messages, Opened
from tests.support.crashes import STREAM, Crash, World, numbered
from tests.support.fake_log import CHANGES, LogProcess, LogSource
from tests.support.runs import report_of

CLOCKS = {"every chunk is saved": itertools.count, "only the first and the last save": lambda: itertools.repeat(0.0)}
ENDS = {"5", "10", "15", "17"}
WIDE = "wide" * 50


def steps_of(clock):
    healthy = LogProcess(World(), LogSource(), clock=CLOCKS[clock])
    assert healthy.run()
    return numbered(healthy.steps)


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("sudden", [True, False], ids=["killed", "interrupted"])
@pytest.mark.parametrize("when", ["before", "inside", "after"])
def test_nothing_is_lost_wherever_a_run_ends_and_the_watermark_never_stands_inside_a_chunk(when, sudden, clock):
    for step, nth in steps_of(clock):
        world, source = World(), LogSource()
        assert not LogProcess(world, source, Crash(step, nth, when, sudden), CLOCKS[clock]).run(), (step, nth)
        stored = world.store.load(STREAM.name)
        saved = int(stored.values[0]) if stored is not None and stored.values else 0
        sent = len(world.topic)
        assert {mark.values[0] for mark in world.saved if mark.values} <= ENDS

        assert LogProcess(world, source, clock=CLOCKS[clock]).run(), (step, nth)

        assert set(world.ids) == set(range(1, CHANGES + 1)), "lost"
        assert min(world.ids[sent:], default=saved + 1) == saved + 1, "sent again although it was saved"
        assert source.acknowledged[-1] == CHANGES
        assert source.acknowledged == sorted(source.acknowledged)


def test_a_chunk_is_confirmed_once_and_an_empty_batch_is_saved_at_once():
    made = LogProcess(World(), LogSource(), clock=CLOCKS["only the first and the last save"])

    made.relay.run()

    here = [step for step in made.steps if step in ("publish", "confirm", "save", "acknowledge")]
    chunk = ["publish", "publish", "confirm"]
    saved = ["save", "acknowledge"]
    assert here == ["save", *chunk, *saved, *saved, *chunk, *chunk, *chunk, *saved, "save"]


def test_a_budget_ends_no_run_inside_a_chunk():
    world = World()
    made = LogProcess(world, LogSource())
    made.relay.limits = Limits(max_seconds=1)

    made.relay.run()

    assert sorted(world.ids) == [1, 2, 3, 4, 5]
    assert world.saved[-1].values == ("5",)


def test_a_stop_inside_a_chunk_leaves_the_watermark_below_it():
    world = World()
    made = LogProcess(world, LogSource())
    publish, calls = made.publish, itertools.count(1)

    def stopping(*arguments):
        publish(*arguments)
        if next(calls) == 3:
            made.relay.stop.request()

    made.publish = stopping

    with pytest.raises(StoppedError, match="stopped after 5 rows"):
        made.relay.run()

    assert world.saved[-1].values == ("5",)
    assert report_of(made)["events"] == 5


def test_a_source_that_ends_inside_a_chunk_fails_and_what_came_before_is_saved():
    class Torn(LogSource):
        def open(self, at, window=None):
            horizon, batches = super().open(at)
            return Opened(horizon, itertools.islice(batches, 4))

    world = World()
    with pytest.raises(SourceError, match="ended with a batch that has no watermark"):
        LogProcess(world, Torn()).relay.run()

    assert world.saved[-1].values == ("5",)


def limited(source, **limits):
    made = LogProcess(World(), source)
    made.broker = MemoryBroker(limits={f"cdc.{table}": size for table, size in limits.items()})
    return made


def bodies(made, topic):
    return [json.loads(kept.value)["id"] for kept in made.broker.topic(topic)]


def test_rejections_are_mapped_to_their_batch_and_row():
    made = limited(LogSource(lambda number: WIDE if number in (3, 4, 9) else "short"), a=100, b=100)
    made.broker.refused = lambda messages: []  # only the confirmation tells
    made.dead_letter_topic = "dead"

    made.relay.run()

    assert bodies(made, "cdc.a") == [2, 6, 8, 10, 12, 14, 16]
    assert bodies(made, "cdc.b") == [1, 5, 7, 11, 13, 15, 17]
    letters = made.broker.topic("dead")
    assert [kept.key for kept in letters] == ["4", "3", "9"]
    assert [json.loads(kept.value)["body"] for kept in letters] == [WIDE] * 3
    assert [dict(kept.headers)["legacy-events-position"] for kept in letters] == ['["4"]', '["3"]', '["9"]']
    report = report_of(made)
    assert (report["rows"], report["events"], report["rejected"]) == (17, 14, 3)
    assert report["topics"] == {"cdc.a": 7, "cdc.b": 7}


@pytest.mark.parametrize("known_before", [True, False])
def test_without_a_dead_letter_topic_the_watermark_stays_below_the_chunk(known_before):
    made = limited(LogSource(lambda number: WIDE if number == 8 else "short"), a=100)
    if not known_before:
        made.broker.refused = lambda messages: []

    with pytest.raises(DeliveryError, match=r"1 of 3 messages were rejected by topic 'cdc\.a'; first: message 1 of"):
        made.relay.run()

    assert made.world.saved[-1].values == ("5",)
    report = report_of(made)
    assert (report["events"], report["rejected"]) == (9, 0)


def test_an_error_says_how_to_pass_a_change_and_read_its_table_anew():
    made = limited(LogSource(lambda number: WIDE if number == 8 else "short"), a=100)

    with pytest.raises(DeliveryError) as rejected:
        made.relay.run()

    assert str(rejected.value).splitlines()[1] == (
        'To pass them and read the table again, run with the configuration {"snapshot": ["a"]}'
    )


@pytest.mark.parametrize("known_before", [True, False])
def test_changes_of_a_table_that_is_read_anew_are_passed_with_one_warning(known_before, caplog):
    made = limited(LogSource(lambda number: WIDE if number % 4 == 0 else "short", passing=True), a=100)
    if not known_before:
        made.broker.refused = lambda messages: []

    made.relay.run()

    assert bodies(made, "cdc.a") == [2, 6, 10, 14]
    (warning,) = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert warning.startswith(
        "table 'a': 1 of 2 messages were rejected by topic 'cdc.a'; first: message 1 of the batch"
    )
    assert warning.endswith("; passed, since it is read again")
    report = report_of(made)
    assert (report["rows"], report["events"], report["skipped"], report["rejected"]) == (17, 13, 4, 0)
    assert report["topics"] == {"cdc.a": 4, "cdc.b": 9}
    assert made.world.saved[-1].values == (str(CHANGES),)


def test_with_a_dead_letter_topic_nothing_is_passed():
    made = limited(LogSource(lambda number: WIDE if number == 4 else "short", passing=True), a=100)
    made.dead_letter_topic = "dead"

    made.relay.run()

    assert [kept.key for kept in made.broker.topic("dead")] == ["4"]
    assert (report_of(made)["skipped"], report_of(made)["rejected"]) == (0, 1)


def test_an_error_of_the_envelope_names_the_table():
    made = LogProcess(World(), LogSource())
    made.relay.stream = made.relay.stream._replace(headers=(("region", "{region}"),))

    with pytest.raises(EnvelopeError, match=r"^table 'a': a template or timestamp_column names the column 'region'"):
        made.relay.run()


class Doubling:
    """An envelope that gives each even row a second message without a value."""

    def __init__(self, made, **more) -> None:
        self._inner, self._more = made.envelope, more

    def compile(self, shape, stream):
        encode = self._inner.compile(shape, stream)

        def doubled(batch):
            messages = encode(batch)
            rows = [at for at, row in enumerate(batch.rows) for _ in range(2 - int(row[0]) % 2)]
            first = [at != rows[place - 1] or not place for place, at in enumerate(rows)]
            found = {name: [getattr(messages, name)[at] for at in rows] for name in ("keys", "each")}
            values = [messages.values[at] if whole else None for at, whole in zip(rows, first, strict=True)]
            return dataclasses.replace(messages, **{**found, "values": values, "rows": rows, **self._more})

        return doubled


def test_rows_are_counted_and_not_their_messages():
    made = limited(LogSource())
    made.relay.envelope = Doubling(made)

    made.relay.run()

    assert len(made.broker.topic("cdc.a")) == 16
    report = report_of(made)
    assert (report["rows"], report["events"], report["topics"]) == (17, 17, {"cdc.a": 8, "cdc.b": 9})
    assert report["bytes"] == sum(
        len(kept.key) + len(kept.value or "") for topic in ("cdc.a", "cdc.b") for kept in made.broker.topic(topic)
    )


@pytest.mark.parametrize("known_before", [True, False])
def test_a_row_is_rejected_with_all_of_its_messages(known_before):
    made = limited(LogSource(lambda number: WIDE if number == 4 else "short"), a=100)
    made.relay.envelope = Doubling(made)
    made.dead_letter_topic = "dead"
    if not known_before:
        made.broker.refused = lambda messages: []

    made.relay.run()

    fours = [kept.value for kept in made.broker.topic("cdc.a") if kept.key == "4"]
    assert fours == ([] if known_before else [None])  # the second message had been sent by then
    assert [kept.key for kept in made.broker.topic("dead")] == ["4"]
    report = report_of(made)
    assert (report["rows"], report["events"], report["rejected"], report["topics"]["cdc.a"]) == (17, 16, 1, 7)


def test_messages_that_name_no_row_of_the_batch_are_not_sent():
    made = limited(LogSource())
    made.relay.envelope = Doubling(made, rows=[0, 0, 0, 0])

    with pytest.raises(EnvelopeError, match="gave 4 keys and 4 values for a batch of 2 rows at 1 places"):
        made.relay.run()


class Everywhere:
    """An envelope whose messages go to each partition of their topic."""

    def __init__(self, made) -> None:
        self._inner = made.envelope

    def compile(self, shape, stream):
        encode = self._inner.compile(shape, stream)
        return lambda batch: dataclasses.replace(encode(batch), everywhere=True)


def test_a_message_for_everywhere_goes_to_each_partition_and_counts_once():
    made = LogProcess(World(), LogSource())
    made.broker = MemoryBroker(partitions={"cdc.a": 3})
    made.relay.envelope = Everywhere(made)

    made.relay.run()

    for number in range(3):
        found = made.broker.topic("cdc.a", number)
        assert [(kept.key, json.loads(kept.value)["id"]) for kept in found] == [(str(at), at) for at in range(2, 17, 2)]
    assert len(made.broker.topic("cdc.b")) == 9
    report = report_of(made)
    assert (report["rows"], report["topics"]) == (17, {"cdc.a": 8, "cdc.b": 9})


def test_a_rejected_message_for_everywhere_is_one_dead_letter():
    made = LogProcess(World(), LogSource(lambda number: WIDE if number == 4 else "short"))
    made.broker = MemoryBroker({"cdc.a": 100}, partitions={"cdc.a": 3})
    made.relay.envelope = Everywhere(made)
    made.dead_letter_topic = "dead"

    made.relay.run()

    assert [kept.key for kept in made.broker.topic("dead")] == ["4"]
    assert report_of(made)["rejected"] == 1


def test_all_topics_are_required_together_before_anything_is_read_or_saved():
    world = World()
    made = LogProcess(world, LogSource(topics=("cdc.a", "cdc.b", "cdc.c")))
    made.broker = MemoryBroker(topics=("cdc.a",))

    with pytest.raises(ConfigurationError, match=r"there is no topic 'cdc\.b', 'cdc\.c'\. Nothing was read"):
        made.relay.run()

    assert "read" not in made.steps
    assert world.saved == []


def test_no_topic_is_asked_for_where_the_source_names_none():
    made = LogProcess(World(), LogSource())
    made.relay.run()
    assert "require" not in made.steps
    asked = LogProcess(World(), LogSource(topics=("cdc.a", "cdc.b")))
    asked.relay.run()
    assert asked.steps.index("require") < asked.steps.index("save") < asked.steps.index("publish")


def test_the_source_is_given_its_compacted_topics_before_anything_is_read_or_saved():
    world, source = World(), LogSource(topics=("cdc.a", "cdc.b"))
    made = LogProcess(world, source)
    made.broker = MemoryBroker(compacted=("cdc.b", "other"))
    seen = []
    made.inner.compacted = type("Told", (), {"extend": lambda _, topics: seen.append((topics, list(world.saved)))})()

    made.relay.run()

    assert seen == [(("cdc.b",), [])]


def test_a_truncation_that_a_compacted_topic_refuses_says_what_to_do():
    made = LogProcess(World(), LogSource())
    made.broker = MemoryBroker(compacted=("cdc.a",))
    made.relay.envelope = type("Keyless", (), {"compile": staticmethod(_keyless)})
    made.inner.op = "t"

    with pytest.raises(DeliveryError, match="INVALID_RECORD") as refused:
        made.relay.run()

    assert "set on_truncate='skip', or cleanup.policy=delete" in str(refused.value).splitlines()[1]


def _keyless(shape, stream):
    return lambda batch: Messages(stream.topic, [None] * batch.count, ["null"] * batch.count, everywhere=True)


def test_each_table_has_the_stream_of_its_shape():
    made = LogProcess(World(), LogSource())
    made.broker = MemoryBroker()

    made.relay.run()

    assert sorted([*bodies(made, "cdc.a"), *bodies(made, "cdc.b")]) == list(range(1, CHANGES + 1))
