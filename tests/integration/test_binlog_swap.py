"""A table is exchanged for its changed copy beside writers, as online schema changes do it, and no change is missed."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
from collections import defaultdict

import pytest

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.ports import LogOptions
from airflow_legacy_events.sources.changelog import ChangeLogSource
from tests.faults.changelog_seen import follows, since
from tests.support.binlogs import BINLOGGED, binlogged_database
from tests.support.crashes import STREAM, World
from tests.support.log_runs import rebuilt, run

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, v int NOT NULL)"
WRITERS, KEYS = 3, 30
COPYING = (
    "CREATE TRIGGER copied_c AFTER INSERT ON orders FOR EACH ROW REPLACE INTO ghost (id, v) VALUES (NEW.id, NEW.v)",
    "CREATE TRIGGER copied_u AFTER UPDATE ON orders FOR EACH ROW REPLACE INTO ghost (id, v) VALUES (NEW.id, NEW.v)",
    "CREATE TRIGGER copied_d AFTER DELETE ON orders FOR EACH ROW DELETE FROM ghost WHERE id = OLD.id",
)


class Writer(threading.Thread):
    """Commits changes of keys of its own, and keeps them: op and version."""

    def __init__(self, logged, number, versions):
        super().__init__(daemon=True)
        self.session, self.number, self.versions = logged.legacy.connect(), number, versions
        self.random, self.over = random.Random(number), threading.Event()
        self.history, self.held = defaultdict(list), set()
        self.error = None

    def run(self):
        try:
            with contextlib.closing(self.session):
                while not self.over.wait(0.002):
                    self.write(self.random.randrange(KEYS) * WRITERS + self.number, next(self.versions))
        except Exception as error:  # noqa: BLE001  raised in the test's thread
            self.error = error

    def write(self, key, version):
        if key not in self.held:
            self.session.execute("INSERT INTO orders (id, v) VALUES (%s, %s)", (key, version))
            self.held.add(key)
            self.history[str(key)].append(("c", version))
        elif self.random.random() < 0.7:
            self.session.execute("UPDATE orders SET v = %s WHERE id = %s", (version, key))
            self.history[str(key)].append(("u", version))
        else:
            self.session.execute("DELETE FROM orders WHERE id = %s", (key,))
            self.held.discard(key)
            self.history[str(key)].append(("d", None))


@contextlib.contextmanager
def writing(logged):
    versions = itertools.count(1)
    writers = [Writer(logged, number, versions) for number in range(WRITERS)]
    for one in writers:
        one.start()
    try:
        yield writers
    finally:
        for one in writers:
            one.over.set()
        for one in writers:
            one.join(30)
    assert [one.error for one in writers] == [None] * WRITERS


def drained(logged, world):
    """What a run sent."""
    source = ChangeLogSource(
        database=logged.legacy.database(60.0),
        options=LogOptions(STREAM.name, "dag"),
        stream=STREAM._replace(topic="cdc.{schema}.{table}"),
        source="legacy",
        tables=[f"{logged.legacy.url.database}.orders"],
        limits=Limits(batch_rows=50),
    )
    sent, process = run(world, source)
    assert process.finished
    return sent


@pytest.mark.parametrize("engine", BINLOGGED)
def test_no_change_is_missed_or_repeated_beside_a_swap(request, engine):
    with binlogged_database(request, engine, ORDERS) as logged:
        world, sent = World(), []
        with writing(logged) as writers:
            sent += drained(logged, world)
            logged.execute("CREATE TABLE ghost LIKE orders", "ALTER TABLE ghost ADD COLUMN extra int, MODIFY v bigint")
            logged.execute(*COPYING, "INSERT IGNORE INTO ghost (id, v) SELECT id, v FROM orders LOCK IN SHARE MODE")
            sent += drained(logged, world)
            logged.execute("RENAME TABLE orders TO former, ghost TO orders")
            sent += drained(logged, world)
        sent += drained(logged, world)
        rows = logged.execute("SELECT id, v FROM orders")
    for key, history in ((key, found) for one in writers for key, found in one.history.items()):
        events = [(one.op, int(one.row["v"]) if one.op != "d" else None) for one in sent if one.row["id"] == key]
        row = next((version for op, version in events if op == "r"), None)
        changes = [one for one in events if one[0] != "r"]
        assert follows(changes, since(history, row), whole=row is not None), f"{key}: {events}, and not {history}"
    found = rebuilt(world, f"{logged.legacy.url.database}.orders").values()
    assert sorted((int(row["id"]), int(row["v"])) for row in found) == sorted(rows)
