"""Legs of a snapshot beside PostgreSQL's log: how much log they hold, and what they read again."""

from __future__ import annotations

import contextlib

import pytest

from airflow_legacy_events.core.limits import Limits
from tests.support.crashes import Crash, World
from tests.support.engines import of
from tests.support.log_runs import logged_source, run
from tests.support.profile import LONG
from tests.support.slots import logged_database

MB = 2**20
ROWS = 2_000
TABLES = (
    "CREATE TABLE orders (id integer PRIMARY KEY, note text)",
    "CREATE UNLOGGED TABLE others (note text)",
    f"INSERT INTO orders SELECT n, 'note' FROM generate_series(1, {ROWS}) AS n",
)
HELD = "SELECT pg_current_wal_lsn() - restart_lsn FROM pg_replication_slots WHERE database = current_database()"


@pytest.fixture(params=of("postgresql"))
def logged(request):
    with logged_database(request, request.param, *TABLES) as found:
        yield found


def reading(source, count):
    """Have `count` called with each page that is read."""
    read = source.database.read

    def counted(query, max_bytes=None):
        found = read(query, max_bytes)
        count(found)
        return found

    source.database.read = counted


def test_a_snapshot_under_writes_never_holds_more_than_three_times_the_limit_of_a_leg(logged):
    limit, held, legs = (8 if LONG else 2) * MB, [], []
    source = logged_source(logged, limits=Limits(batch_rows=50), leg_bytes=limit, tables=["public.orders"])
    clock = iter(range(10_000))
    source.clock = lambda: float(next(clock))

    def write(_):
        session.execute(f"SELECT pg_logical_emit_message(false, 'x', repeat('x', {limit // 8}))")
        session.execute("CHECKPOINT")
        [(bytes_,)] = session.execute(HELD).fetchall() or [(0,)]
        held.append(int(bytes_ or 0))

    reading(source, write)
    snapshot = source.change_log.snapshot
    source.change_log.snapshot = lambda tables: legs.append(tables) or snapshot(tables)
    with contextlib.closing(logged.legacy.connect()) as session:
        events, process = run(World(), source)
    assert process.finished
    assert len(events) == ROWS
    assert len(legs) > 3
    if LONG:  # else others who write to this server count more than the legs
        assert limit < max(held) < 3 * limit


def test_a_kill_in_the_third_leg_reads_no_earlier_one_again(logged):
    world, sent = World(), []
    for crash in (Crash("publish", 13, "before", sudden=True), None):
        source = logged_source(logged, limits=Limits(batch_rows=100), leg_seconds=0.0, tables=["public.orders"])
        rows: list[int] = []
        reading(source, lambda found, rows=rows: rows.append(len(found)))
        events, _ = run(world, source, crash, iter(range(10_000)).__next__)
        sent.append((len(events), sum(rows)))
    assert sent[0][0] == 1_200
    assert sum(events for events, _ in sent) == ROWS
    assert sent[1][1] <= 900


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE orders ADD COLUMN size integer DEFAULT 5",
        "ALTER TABLE orders ALTER COLUMN note SET NOT NULL",
        "ALTER TABLE orders DROP COLUMN note",
        "VACUUM FULL orders",
    ],
)
def test_a_table_that_changes_between_two_legs_is_read_on(logged, change):
    world = World()
    run(world, logged_source(logged, limits=Limits(batch_rows=100, max_rows=1_000), tables=["public.orders"]))
    logged.execute(change)
    source = logged_source(logged, limits=Limits(batch_rows=500), tables=["public.orders"])
    events, process = run(world, source)
    assert (process.finished, len(events)) == (True, ROWS - 1_000)
    assert (source.lowered() is not None) == ("size" in change)


def test_a_column_that_comes_between_the_legs_of_a_run_is_in_the_rows_of_the_next(logged):
    source = logged_source(logged, limits=Limits(batch_rows=500), tables=["public.orders"], leg_seconds=0.0)
    added = ("ALTER TABLE orders ADD COLUMN size integer", f"UPDATE orders SET size = 5 WHERE id = {ROWS}")
    changes, end = iter([(), (), added]), source.change_log.end  # asked for when a run opens, and before each leg
    source.change_log.end = lambda: (logged.execute(*next(changes, ())) and "") or end()
    events, process = run(World(), source)
    assert process.finished
    assert len(events) == ROWS
    assert events[-1].row == {"id": str(ROWS), "note": "note", "size": "5"}
    assert source.lowered() is None
