"""Writers beside runs that die: the topics of a PostgreSQL change log rebuild their tables."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading

import psycopg
import pytest

from airflow_legacy_events.core.limits import Limits
from tests.support.crashes import Crash, World
from tests.support.engines import of
from tests.support.log_runs import logged_source, rebuilt, run
from tests.support.profile import LONG
from tests.support.slots import logged_database

TABLES = (
    """CREATE TABLE names (name text COLLATE "und-x-icu", number integer, v bigint, note text,
                           PRIMARY KEY (name, number))""",
    "CREATE TABLE orders (id bigint PRIMARY KEY, v bigint, note text)",
)
RUNS = 40 if LONG else 9
ROWS = 600 if LONG else 150


@pytest.fixture(params=of("postgresql"))
def logged(request):
    with logged_database(request, request.param, *TABLES) as found:
        yield found


class Writer(threading.Thread):
    """Commits random transactions with savepoints, rollbacks, key changes and large values until it is told to end."""

    def __init__(self, connect, seed, numbers):
        super().__init__(daemon=True)
        self.connect, self.order, self.numbers = connect, random.Random(seed), numbers
        self.done = threading.Event()
        self.error: Exception | None = None

    def run(self):
        try:
            with self.connect() as session:
                session.autocommit = False
                while not self.done.wait(0.002):
                    with contextlib.suppress(psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
                        self.transaction(session)
                    session.rollback()
        except Exception as error:  # noqa: BLE001  raised in the test's thread
            self.error = error

    def transaction(self, session):
        for _ in range(self.order.choice((1, 2, 5, 40))):
            self.change(session)
        if self.order.random() < 0.2:
            session.execute("SAVEPOINT one")
            self.change(session)
            session.execute("ROLLBACK TO one" if self.order.random() < 0.5 else "RELEASE one")
        (session.rollback if self.order.random() < 0.1 else session.commit)()

    def change(self, session):
        version, key, to = next(self.numbers), self.order.randrange(ROWS), self.order.randrange(ROWS)
        note = self.order.choice(("short", "x", "long " * 4000))
        dice = self.order.random()
        letters = "aÄbBzZ"
        name, other = letters[key % 6], letters[to % 6]
        if self.order.random() < 0.5:
            if dice < 0.5:
                session.execute(
                    "INSERT INTO orders VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE SET v = %s",
                    (key, version, note, version),
                )
            elif dice < 0.7:
                session.execute("UPDATE orders SET id = %s, v = %s WHERE id = %s", (to, version, key))
            else:
                session.execute("DELETE FROM orders WHERE id = %s", (key,))
        elif dice < 0.5:
            session.execute(
                "INSERT INTO names VALUES (%s, %s, %s, %s) ON CONFLICT (name, number) DO UPDATE SET v = %s",
                (name, key, version, note, version),
            )
        elif dice < 0.7:
            session.execute(
                "UPDATE names SET name = %s, number = %s, v = %s WHERE name = %s AND number = %s",
                (other, to, version, name, key),
            )
        else:
            session.execute("DELETE FROM names WHERE name = %s AND number = %s", (name, key))


def test_topics_rebuild_their_tables_beside_writers_whatever_dies(logged):
    order, numbers = random.Random(5), itertools.count(1)
    for number in range(0, ROWS, 2):
        logged.execute(f"INSERT INTO orders VALUES ({number}, 0, 'seed')")
    writers = [Writer(logged.legacy.connect, seed, numbers) for seed in range(4)]
    world = World()
    for one in writers:
        one.start()
    try:
        for _ in range(RUNS):
            steps = ("read", "encode", "publish", "confirm", "save", "acknowledge")
            crash = Crash(order.choice(steps), order.randint(1, 12), order.choice(("before", "after")), True)
            source = logged_source(logged, limits=Limits(batch_rows=order.choice((7, 50, 500))), leg_seconds=0.02)
            events, _ = run(world, source, crash, itertools.count().__next__ if order.random() < 0.5 else float)
            refuse_backward(events)
    finally:
        for one in writers:
            one.done.set()
        for one in writers:
            one.join()
    assert not [one.error for one in writers if one.error]
    _, process = run(world, logged_source(logged, limits=Limits(batch_rows=500)))
    assert process.finished
    for name, columns in (("orders", "id"), ("names", "name, number")):
        rows = logged.execute(f"SELECT {columns}, v FROM {name}")
        found = rebuilt(world, f"public.{name}").values()
        names = [*columns.split(", "), "v"]
        assert sorted([row[one] for one in names] for row in found) == sorted([*map(str, row)] for row in rows)


def refuse_backward(events):
    """The changes of a key come in the order of the log, each once in a run."""
    last = {}
    for event in events:
        if event.place is not None:
            assert event.place > last.get((event.table, event.key), (0, 0))
            last[event.table, event.key] = event.place
