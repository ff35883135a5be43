"""How a run ends: at a batch border, with an error, within its budgets; and what is saved and told then."""

from __future__ import annotations

import itertools
import logging

import pytest

from airflow_legacy_events.core.errors import (
    EnvelopeError,
    LegacyEventsError,
    SourceError,
    WatermarkError,
)
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Messages, Watermark
from tests.support.crashes import STREAM, Process, World
from tests.support.fakes import Entry, Outbox
from tests.support.runs import process, report_of, saved


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def table() -> Outbox:
    outbox = Outbox()
    outbox.commit(*(Entry(number, "k", "body") for number in range(1, 15)))
    return outbox


def test_a_healthy_run_reports_what_it_did(world, table):
    made = process(world, table)

    assert made.relay.run() is made.relay.report

    report = report_of(made)
    assert report["seconds"] > 0
    assert report | {"seconds": 0} == {
        "stream": "crm.outbox@t",
        "mode": "live",
        "rows": 14,
        "events": 14,
        "rejected": 0,
        "skipped": 0,
        "batches": 5,
        "bytes": sum(len(key) + len(value) for key, value in world.topic),
        "watermark_from": None,
        "watermark_to": ["14"],
        "horizon": ["14"],
        "target_reached": True,
        "held_back": None,
        "completeness": "exact",
        "completeness_reason": "what was not read stays in the table",
        "seconds": 0,
        "topics": {"t": 14},
        "window": None,
        "backlog": {"rows": 0, "oldest_seconds": None, "bytes": None},
        "table_reset": None,
        "rows_left": None,
        "log": None,
    }
    assert str(made.relay.report).startswith("crm.outbox@t: 14 events, 0 rejected, 0 skipped of 14 rows in 5 batches")


def test_a_run_with_nothing_to_read_is_at_its_target_and_leaves_a_watermark(world):
    made = process(world, Outbox())

    made.relay.run()

    assert report_of(made)["target_reached"]
    assert world.saved == [Watermark(None, None, {"topic": "t", "source": "outbox"})]


def test_a_first_run_saves_an_empty_watermark_before_it_reads(world, table):
    made = process(world, table)
    before = []
    made.inner.before_page = lambda: before.append(list(world.saved))

    made.relay.run()

    assert before[0] == [Watermark(None, None, {"topic": "t", "source": "outbox"})]
    assert world.saved[-1].facts["placed"] is True


def test_what_came_before_an_error_of_the_source_is_delivered_and_saved(world, table):
    made = process(world, table)
    pages = itertools.count(1)

    def fails() -> None:
        if next(pages) == 3:
            raise SourceError("the connection was lost")

    made.inner.before_page = fails

    with pytest.raises(SourceError, match="the connection was lost"):
        made.relay.run()

    assert saved(world) == world.ids == table.acknowledged == [1, 2, 3, 4, 5, 6]
    assert report_of(made)["watermark_to"] == ["6"]


def test_what_came_before_a_row_that_cannot_be_carried_is_delivered_and_saved(world, table):
    made = process(world, table)
    made.relay.envelope = _RefusesFromTheSecond()

    with pytest.raises(EnvelopeError):
        made.relay.run()

    assert saved(world) == world.ids == [1, 2, 3]


def test_a_lost_lease_leaves_the_watermark_and_acknowledges_nothing(world, table):
    made = process(world, table)
    made.check = _fails_from(made.check, 4, SourceError("the lock is lost"))

    with pytest.raises(SourceError, match="the lock is lost") as lost:
        made.relay.run()

    assert world.ids == [1, 2, 3, 4, 5, 6]
    assert saved(world) == table.acknowledged == [1, 2, 3]
    assert lost.value.__notes__ == ["and what was confirmed could not be saved: the lock is lost"]
    assert report_of(made)["watermark_to"] == ["3"]


def test_a_lease_lost_between_save_and_acknowledge_leaves_the_receipt_to_the_next_run(world, table):
    made = process(world, table)
    made.check = _fails_from(made.check, 3, SourceError("the lock is lost"))
    with pytest.raises(SourceError):
        made.relay.run()
    assert (saved(world), table.told) == ([1, 2, 3], [])

    process(world, table).relay.run()

    assert table.told[0] == ([1, 3],)
    assert sorted(table.acknowledged) == list(range(1, 15))


def test_a_store_that_refuses_fails_the_run_and_nothing_is_acknowledged(world, table):
    made = process(world, table)
    save = made.store.save
    made.store.save = _fails_from(save, 2, WatermarkError("moved by another run"))

    with pytest.raises(WatermarkError, match="moved by another run"):
        made.relay.run()

    assert table.told == []
    assert report_of(made)["watermark_to"] is None


def test_a_save_that_reads_back_differently_fails_the_run(world, table):
    made = process(world, table)
    load = made.store.load
    made.store.load = lambda stream: None if not world.saved else load(stream)._replace(values=("99",))

    with pytest.raises(WatermarkError, match="was saved but reads back differently: another writer moved it"):
        made.relay.run()

    assert report_of(made)["target_reached"]


def test_a_budget_of_rows_ends_the_run_below_its_target_and_the_next_one_goes_on(world, table):
    made = process(world, table, max_rows=7)
    made.relay.run()
    assert world.ids == [1, 2, 3, 4, 5, 6, 7]
    assert not report_of(made)["target_reached"]

    process(world, table).relay.run()

    assert world.ids == list(range(1, 15))


def test_a_budget_of_seconds_takes_no_new_batch_once_it_is_over(world, table):
    made = process(world, table)
    made.relay.limits = Limits(batch_rows=3, max_seconds=1.5)

    made.relay.run()

    report = report_of(made)
    assert 0 < report["rows"] < 14
    assert not report["target_reached"]
    assert saved(world) == world.ids


def test_a_run_that_fails_before_it_reads_still_reports(world, table):
    process(world, table, max_rows=3).relay.run()
    made = process(world, table)
    made.inner.open = lambda *_: (_ for _ in ()).throw(SourceError("no such table"))

    with pytest.raises(SourceError):
        made.relay.run()

    report = report_of(made)
    assert report["watermark_from"] == report["watermark_to"] == ["3"]
    assert report["completeness_reason"] == "the run ended before the source was opened"


@pytest.mark.parametrize("fact", ["dag", "task"])
def test_another_dag_or_task_only_warns(world, table, caplog, fact):
    process(world, table, max_rows=3).relay.run()
    _record(world, {fact: "old"})
    made = process(world, table)
    made.relay.facts = {"topic": "t", fact: "new"}

    with caplog.at_level(logging.WARNING):
        made.relay.run()

    assert f"stream crm.outbox@t was last moved by {fact} 'old', this run has 'new'" in caplog.text


def test_another_topic_fails_before_the_source_is_touched(world, table):
    process(world, table, max_rows=3).relay.run()
    made = process(world, table)
    made.relay.facts = {"topic": "elsewhere"}

    with pytest.raises(WatermarkError, match="written for topic 't', this run has 'elsewhere'; nothing was read"):
        made.relay.run()

    assert "open" not in made.steps
    assert "acknowledge" not in made.steps


def _record(world: World, more: dict) -> None:
    mark = world.store.load(STREAM.name)
    world.store.save(STREAM.name, mark._replace(facts={**mark.facts, **more}), expected=mark)


def _fails_from(call, nth: int, error: LegacyEventsError):
    calls = itertools.count(1)

    def wrapped(*arguments, **named):
        if next(calls) >= nth:
            raise error
        return call(*arguments, **named)

    return wrapped


class _RefusesFromTheSecond:
    def compile(self, shape, stream):
        encode, calls = Process(World(), None).compile(shape, stream), itertools.count(1)

        def refusing(batch):
            if next(calls) > 1:
                raise EnvelopeError("column 'body' can't be carried")
            return encode(batch)

        return refusing


class _Losing:
    """An envelope that leaves the last row of each batch out, of its keys or of everything."""

    def __init__(self, *, keys_only: bool) -> None:
        self._keys_only = keys_only

    def compile(self, shape, stream):
        def encode(batch):
            texts = [row[1] for row in batch.rows]
            return Messages(stream.topic, texts[:-1], texts if self._keys_only else texts[:-1])

        return encode


@pytest.mark.parametrize("keys_only", [True, False])
def test_an_envelope_that_loses_a_row_fails_before_anything_is_sent(world, table, keys_only):
    made = process(world, table)
    made.relay.envelope = _Losing(keys_only=keys_only)

    with pytest.raises(EnvelopeError, match=r"gave 2 keys and [23] values for a batch of 3 rows"):
        made.relay.run()

    assert world.topic == []
    assert [mark.values for mark in world.saved] == [None]
