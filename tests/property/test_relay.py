"""Any schedule of crashes, late commits and saves: nothing lost, order per key, repeats only above the last save."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.databases.sqlite import SqliteDatabase
from airflow_legacy_events.sources.query import QuerySource
from tests.support.crashes import STREAM, Crash, Process, World
from tests.support.fakes import Entry, Outbox, OutboxSource, ids

STEPS = ("lock", "load", "open", "read", "encode", "publish", "confirm", "check", "save", "acknowledge")

crashes = st.builds(
    Crash,
    step=st.sampled_from(STEPS),
    nth=st.integers(1, 6),
    when=st.sampled_from(("before", "inside", "after")),
    sudden=st.booleans(),
)
ticks = st.lists(st.sampled_from((0.0, 0.1, 0.6)), min_size=1, max_size=5)


def clock(steps: list[float]) -> Callable[[], float]:
    return itertools.accumulate(itertools.cycle(steps)).__next__


@given(
    keys=st.lists(st.sampled_from("abc"), min_size=1, max_size=15),
    order=st.randoms(use_true_random=False),
    schedule=st.lists(crashes, max_size=5),
    steps=ticks,
    batch_rows=st.integers(1, 4),
)
@settings(max_examples=4 * settings.default.max_examples)
def test_an_outbox_is_delivered_whole_whatever_dies_and_whenever_its_ids_become_visible(
    keys, order, schedule, steps, batch_rows
):
    writers = {key: [n for n, one in enumerate(keys, 1) if one == key] for key in set(keys)}
    hidden = _interleaved(writers, order)
    world, table, saved = World(), Outbox(), set()

    def commit(count: int) -> None:
        for number in itertools.islice(hidden, count):
            table.commit(Entry(number, keys[number - 1], f"body {number}"))

    for crash in [*schedule, None]:
        commit(order.randint(0, 5) if crash else len(keys))
        source = OutboxSource(table, batch_rows)
        source.before_page = lambda: commit(order.randint(0, 1))
        process, sent = Process(world, source, crash, clock(steps)), len(world.topic)
        finished = process.run()
        assert finished or crash
        assert not set(world.ids[sent:]) & saved
        saved = {one for mark in world.saved for one in ids(mark.receipt or ())}
    source = OutboxSource(table, batch_rows)  # what became visible behind the last pass
    assert Process(world, source, None, clock(steps)).run()

    assert set(world.ids) == set(range(1, len(keys) + 1))
    assert len(set(world.topic)) == len(keys)
    assert sorted(table.acknowledged) == list(range(1, len(keys) + 1))
    for numbers in writers.values():
        _refuse_gaps(numbers, [one for one in world.ids if one in numbers])


@given(
    rows=st.lists(st.integers(0, 4), min_size=1, max_size=15),
    schedule=st.lists(st.tuples(crashes, st.integers(0, 3)), max_size=5),
    steps=ticks,
    batch_rows=st.integers(1, 4),
)
def test_a_table_is_delivered_in_order_and_its_watermark_never_moves_backward(rows, schedule, steps, batch_rows):
    with _table() as (connection, path):
        connection.executemany("INSERT INTO t (at) VALUES (?)", [(one,) for one in sorted(rows)])
        world, highest = World(), max(rows)
        for crash, more in [*schedule, (None, 0)]:
            sent, before = len(world.topic), _position(world)
            with closing(_database(path)) as database:
                finished = Process(world, _query(database, batch_rows), crash, clock(steps)).run()
            assert finished or crash
            order = world.ids[sent:]
            assert order == sorted(order)
            assert all(_place(connection, one) > before for one in order), "sent again although it was saved"
            for _ in range(more):
                highest += 1
                connection.execute("INSERT INTO t (at) VALUES (?)", (highest,))
        with closing(_database(path)) as database:
            assert Process(world, _query(database, batch_rows), None, clock(steps)).run()

        assert set(world.ids) == {one for (one,) in connection.execute("SELECT id FROM t")}
        assert len(set(world.topic)) == len(set(world.ids))
    places = [tuple(map(int, mark.values)) for mark in world.saved if mark.values is not None]
    assert places == sorted(places)


def _interleaved(writers: dict[str, list[int]], order) -> Iterator[int]:
    """Ids in the order in which they become visible: each writer's in order, the writers in any.

    A writer takes its next id once the one before is visible, as those do who lock their aggregate. So no id above the
    next one of a writer is visible before that.
    """
    left = {key: list(numbers) for key, numbers in sorted(writers.items())}
    while left:
        following = [numbers[1] for numbers in left.values() if len(numbers) > 1]
        most = min(following, default=max(numbers[0] for numbers in left.values()))
        key = order.choice([one for one, numbers in left.items() if numbers[0] <= most])
        yield left[key].pop(0)
        if not left[key]:
            del left[key]


def _refuse_gaps(numbers: list[int], sent: list[int]) -> None:
    """A key's events come in order; after a repeat they go on without a gap."""
    assert sent[0] == numbers[0]
    for one, following in itertools.pairwise(sent):
        assert following <= one or numbers.index(following) == numbers.index(one) + 1


@contextmanager
def _table() -> Iterator[tuple[sqlite3.Connection, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "legacy.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, at INTEGER NOT NULL)")
            yield connection, path


def _database(path: Path) -> SqliteDatabase:
    return SqliteDatabase(sa.URL.create("sqlite", database=str(path)), conn_id="crm", statement_timeout_seconds=10)


def _query(database: SqliteDatabase, batch_rows: int) -> QuerySource:
    return QuerySource(
        database=database,
        stream=STREAM.name,
        source="crm",
        table="t",
        watermark_columns=("at",),
        limits=Limits(batch_rows=batch_rows),
    )


def _position(world: World) -> tuple[int, ...]:
    mark = world.store.load(STREAM.name)
    return () if mark is None or mark.values is None else tuple(map(int, mark.values))


def _place(connection: sqlite3.Connection, one: int) -> tuple[int, ...]:
    return tuple(connection.execute("SELECT at, id FROM t WHERE id = ?", (one,)).fetchone())
