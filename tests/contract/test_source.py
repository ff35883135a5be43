"""What every source promises, whatever it reads."""

from __future__ import annotations

import itertools
import json
from contextlib import ExitStack
from typing import Any

import pytest

from airflow_legacy_events.core.model import Watermark
from tests.support import outbox_tables
from tests.support.engines import EACH
from tests.support.fakes import Entry, Outbox, OutboxSource
from tests.support.legacy import legacy_database, reused_database

TIES = [1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5]


class FakeWorld:
    """The fake outbox: its rows leave with their acknowledgement."""

    lease: Any = None
    """Of a lock that this source does not write through."""

    def __init__(self, stack: ExitStack) -> None:
        self.outbox, self.numbers = Outbox(), itertools.count(1)

    def insert(self, places: list[int]) -> list[int]:
        entries = [Entry(next(self.numbers), f"k{place}", "body") for place in places]
        self.outbox.commit(*entries)
        return [entry.id for entry in entries]

    def source(self, batch_rows: int = 10_000, max_rows: int | None = None) -> OutboxSource:
        return OutboxSource(self.outbox, batch_rows, max_rows)


class QueryWorld:
    """A table with ties in its watermark column."""

    lease: Any = None

    def __init__(self, stack: ExitStack, legacy) -> None:
        self.stack, self.legacy, self.numbers = stack, legacy, itertools.count(1)
        legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at integer NOT NULL, body text)")

    def insert(self, places: list[int]) -> list[int]:
        rows = [(next(self.numbers), place) for place in places]
        for row in rows:
            self.legacy.execute(f"INSERT INTO t VALUES ({row[0]}, {row[1]}, 'body')")
        return [number for number, _ in rows]

    def source(self, **limits):
        return self.stack.enter_context(self.legacy.source(watermark_columns=("at",), **limits))


class OutboxWorld:
    """An outbox with ties in the order that its drain follows, under the lock of its table."""

    def __init__(self, stack: ExitStack, legacy) -> None:
        self.stack, self.legacy, self.numbers = stack, legacy, itertools.count(1)
        outbox_tables.create(legacy, "place integer NOT NULL")
        self.lease = stack.enter_context(outbox_tables.lease(legacy))

    def insert(self, places: list[int]) -> list[int]:
        rows = [(next(self.numbers), place) for place in places]
        for some in (rows[at : at + 200] for at in range(0, len(rows), 200)):
            values = ", ".join(f"({number}, 'order', '{place}', 'made', '1', {place})" for number, place in some)
            self.legacy.execute(
                f"INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, place) VALUES {values}"
            )
        return [number for number, _ in rows]

    def source(self, **limits):
        return self.stack.enter_context(outbox_tables.source(self.legacy, order_columns=("place",), **limits))


@pytest.fixture(params=["fake", *EACH, *(f"outbox of {name}" for name in EACH)])
def world(request):
    with ExitStack() as stack:
        if request.param == "fake":
            yield FakeWorld(stack)
        elif request.param in EACH:
            yield QueryWorld(stack, stack.enter_context(legacy_database(request, request.param)))
        else:
            legacy = stack.enter_context(reused_database(request, request.param.removeprefix("outbox of ")))
            with ExitStack() as inner:
                yield OutboxWorld(inner, legacy)


def ids(batches) -> list[int]:
    return [int(row[0]) for batch in batches for row in batch.rows]


def resume(world, batches, **limits):
    """The source as the next run opens it after `batches` were saved and acknowledged, the last one twice."""
    source = world.source(**limits)
    source.open(None)
    for batch in [*batches, *batches[-1:]]:
        if batch.after.receipt is not None:
            source.acknowledge(batch.after.receipt, world.lease, again=True)
    return source, batches[-1].after if batches else None


@pytest.mark.parametrize("batch_rows", [1, 7, 10_000])
def test_all_rows_come_once_in_order_and_the_last_batch_is_final(world, batch_rows):
    expected = world.insert(TIES)
    source = world.source(batch_rows=batch_rows)

    horizon, reading = source.open(None)
    batches = list(reading)

    assert ids(batches) == expected
    assert [batch.final for batch in batches] == [False] * (len(batches) - 1) + [True]
    assert all(batch.count == len(batch.rows) <= batch_rows for batch in batches)
    assert len({id(batch.shape) for batch in batches}) == 1
    assert horizon.target == batches[-1].after.values
    assert horizon.completeness in ("exact", "bounded", "best_effort")
    assert horizon.reason


@pytest.mark.parametrize("batch_rows", [1, 7])
def test_from_any_batch_on_comes_exactly_the_rest(world, batch_rows):
    expected = world.insert(TIES)
    first = world.source(batch_rows=batch_rows)
    batches = list(first.open(None).batches)
    for upto in range(1, len(batches) + 1):
        source, after = resume(world, batches[upto - 1 : upto], batch_rows=batch_rows)
        assert ids(source.open(after).batches) == expected[len(ids(batches[:upto])) :]


def test_rows_written_after_the_opening_belong_to_the_next_run(world):
    before = world.insert([1, 2])
    source = world.source()
    opened = source.open(None)
    later = world.insert([3, 4])
    batches = list(opened.batches)
    assert ids(batches) == before

    source, after = resume(world, batches)
    opened = source.open(after)

    assert ids(opened.batches) == later


def test_rows_written_between_two_batches_belong_to_the_next_run(world):
    before = world.insert([1, 2, 3])
    source = world.source(batch_rows=1)
    reading = source.open(None).batches
    batches = [next(reading)]
    later = world.insert([4])
    batches += reading
    assert ids(batches) == before
    assert batches[-1].final

    source, after = resume(world, batches)
    opened = source.open(after)

    assert ids(opened.batches) == later


def test_nothing_new_is_no_row_and_no_batch_that_is_not_final(world):
    world.insert([1, 2])
    first = world.source()
    source, after = resume(world, list(first.open(None).batches))

    horizon, reading = source.open(after)

    batches = list(reading)
    assert ids(batches) == []
    assert all(batch.final for batch in batches)
    assert horizon.target is None


@pytest.mark.parametrize(("batch_rows", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (10_000, [5])])
def test_a_budget_of_rows_ends_the_run_without_a_final_batch(world, batch_rows, sizes):
    expected = world.insert(TIES)
    source = world.source(batch_rows=batch_rows, max_rows=5)
    opened = source.open(None)

    batches = list(opened.batches)

    assert [batch.count for batch in batches] == sizes
    assert not any(batch.final for batch in batches)
    source, after = resume(world, batches)
    assert ids(batches) + ids(source.open(after).batches) == expected


def test_a_budget_that_just_reaches_the_target_is_final(world):
    world.insert([1, 1, 2])
    source = world.source(batch_rows=2, max_rows=3)
    opened = source.open(None)

    assert [batch.final for batch in opened.batches] == [False, True]


def test_after_an_empty_watermark_the_first_run_goes_on(world):
    expected = world.insert(TIES)
    source = world.source()
    facts = source.open(None).horizon.facts

    source = world.source()
    opened = source.open(Watermark(None, None, facts))

    assert ids(opened.batches) == expected


def test_what_a_watermark_keeps_is_plain_json(world):
    world.insert([1])
    source = world.source()
    horizon, reading = source.open(None)
    for batch in reading:
        kept = [list(batch.after.values), list(batch.after.receipt or ()), {**horizon.facts, **batch.after.facts}]
        assert json.loads(json.dumps(kept)) == kept
        assert all(isinstance(value, str) for value in batch.after.values)


def test_to_acknowledge_again_changes_nothing(world):
    expected = world.insert([1, 1, 2, 2, 3])
    source = world.source(batch_rows=2)
    batches = list(source.open(None).batches)

    for _ in range(3):
        source, after = resume(world, batches[:2], batch_rows=2)
        assert ids(source.open(after).batches) == expected[4:]


def test_nothing_is_pending_where_a_run_would_read_nothing(world):
    source = world.source()
    assert source.pending(None) == (0, None)
    world.insert([1, 1])
    at = deliver(world, source, None)

    assert world.source().pending(at) == (0, None)


def test_pending_is_what_a_run_reads_then_and_can_be_asked_again_and_again(world):
    world.insert([1, 2, 2])
    at = deliver(world, world.source(), None)
    asked = world.source()
    assert asked.pending(at).rows == 0
    world.insert([2, 3])
    first = asked.pending(at)
    world.insert([3])
    second = asked.pending(at)

    run = world.source()
    horizon, reading = run.open(at)
    assert (first.rows, second.rows) == (2, 3)
    assert first.target != second.target == horizon.target
    assert sum(batch.count for batch in reading) == 3


def test_pending_rows_are_counted_to_a_thousand(world):
    world.insert([1] * 1_001)

    assert world.source().pending(None).rows == 1_000


def deliver(world, source, at):
    horizon, reading = source.open(at)
    for batch in reading:
        if batch.after.receipt:
            source.acknowledge(batch.after.receipt, world.lease)
        at = batch.after._replace(facts={**horizon.facts, **batch.after.facts})
    return at
