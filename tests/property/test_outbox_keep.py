"""Any writers whose rows become visible out of order, and runs that are killed: a kept outbox loses nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.ports import Blocker, WritersLook
from airflow_legacy_events.databases.sqlite import SqliteDatabase
from airflow_legacy_events.sources.query.horizons import drain as drains
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from tests.support.outbox import STREAM, Drain
from tests.support.profile import LONG

TOPIC = "outbox.event.order"
BEGUN = dt.datetime(2024, 11, 1, tzinfo=dt.UTC)
STEP = st.one_of(
    st.sampled_from([("write", writer, aggregate) for writer in range(2) for aggregate in "ab"]),
    st.sampled_from([("commit", 0), ("commit", 1), ("run", 2)]),
    st.sampled_from([("run", 1), ("look",), ("roll back", 0), ("kill", 3), ("kill", 5), ("kill", 9)]),
)
STEPS = st.lists(STEP, min_size=15, max_size=30)
LATE = [("write", 0, "a"), ("write", 1, "a"), ("commit", 1), ("run", 2), ("look",), ("run", 2), ("commit", 0)]
ORDERS = st.sampled_from(["ids", "begin of the transaction", "time of the statement"])


class KilledError(Exception):
    """A run that ended at once."""


@dataclass
class World:
    """Transactions of an application, and the clock of its database."""

    order: str
    file: Path
    open: dict[int, dict[str, Any]] = field(default_factory=dict)
    committed: list[tuple[str, int]] = field(default_factory=list)
    ids: Any = field(default_factory=lambda: itertools.count(1))
    names: Any = field(default_factory=itertools.count)
    seconds: int = 1
    completeness = "exact"
    reason = "every writer is seen"
    tick = dt.timedelta(seconds=1)

    def __post_init__(self):
        self.connection = sqlite3.connect(self.file, isolation_level=None)
        self.connection.execute("PRAGMA synchronous = OFF")
        self.connection.execute(
            "CREATE TABLE outbox (id integer PRIMARY KEY AUTOINCREMENT, aggregatetype text, aggregateid text,"
            " type text, payload text, created_at datetime)"
        )

    @property
    def now(self):
        return BEGUN + dt.timedelta(seconds=self.seconds)

    def write(self, writer, aggregate):
        """A row takes its id and its time now, and is seen when its transaction commits."""
        one = self.open.setdefault(writer, {"name": str(next(self.names)), "begun": self.now, "rows": []})
        at = one["begun"] if self.order.startswith("begin") else self.now
        one["rows"].append((next(self.ids), aggregate, at))
        self.seconds += 1

    def commit(self, writer):
        for number, aggregate, at in self.open.pop(writer, {"rows": []})["rows"]:
            text = f"{at:%Y-%m-%d %H:%M:%S}"
            row = (number, "order", aggregate, "made", "{}", text)
            self.connection.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)", row)
            self.committed.append((text, number))

    def look(self):
        """As a server whose open transactions are known: by their ids, or by when they began."""
        writers = {one["name"]: Blocker(1) for one in self.open.values()}
        if self.order == "ids":
            return WritersLook(None, writers, None, self.now)
        if self.order.startswith("time"):
            return WritersLook(self.now, writers, None, self.now)
        return WritersLook(min((one["begun"] for one in self.open.values()), default=self.now), {}, None, self.now)

    def remaining(self, ids, server):
        names = {one["name"] for one in self.open.values()}
        return {one: Blocker(1) for one in ids if one in names}


class Mortal:
    """Lets a run die before one of the calls of its broker or store, or after it."""

    def __init__(self, inner, life, names):
        self._inner, self._life, self._names = inner, life, names

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if name not in self._names:
            return found

        def call(*args, **more):
            self._step()
            answer = found(*args, **more)
            self._step()
            return answer

        return call

    def _step(self):
        self._life[0] -= 1
        if not self._life[0]:
            raise KilledError


@dataclass
class Application:
    """A world, and the drain that leaves its rows.

    Attributes:
        world: whose outbox it is.
        broker: with the topic.
        store: of the watermark.
    """

    world: World
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    store: MemoryWatermarkStore = field(default_factory=MemoryWatermarkStore)

    def drain(self, life=0):
        alive = [life]
        mortal = (Mortal(self.broker, alive, {"publish", "confirm"}), Mortal(self.store, alive, {"save"}))
        columns = {"columns": {"timestamp": None}} if self.world.order == "ids" else {}
        url = sa.URL.create("sqlite", database=str(self.world.file))
        return Drain(url, *mortal, arguments={"after_publish": "keep", **columns})

    def run(self, batch_rows=1):
        assert self.drain().run(batch_rows=batch_rows).completeness == "bounded"

    def kill(self, life):
        with contextlib.suppress(KilledError):
            self.drain(life).run(batch_rows=2)

    def look(self):
        """What a sensor does."""
        drain = self.drain()
        database = drain.database()
        try:
            found = drain.source(database).pending(self.store.load(STREAM))
        finally:
            database.close()
        assert (found.rows > 0) == (found.target is not None)

    def roll_back(self, writer):
        self.world.open.pop(writer, None)

    def does(self, step, *more):
        steps = {"write": self.world.write, "commit": self.world.commit, "roll back": self.roll_back}
        steps |= {"run": self.run, "kill": self.kill, "look": self.look}
        steps[step](*more)
        self.world.seconds += 1


@settings(max_examples=300 if LONG else 5)
@example(LATE, "ids")
@example(LATE, "begin of the transaction")
@example(LATE, "time of the statement")
@given(STEPS, ORDERS)
def test_nothing_is_lost_and_no_row_comes_before_one_below_it(steps, order):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        world = World(order, Path(folder) / "app.db")
        patch.setattr(drains, "DRAIN_SECONDS", 0.0)
        patch.setattr(SqliteDatabase, "writers", lambda self, of: world)
        application = Application(world)
        rest = [("commit", writer) for writer in range(2)]

        for step in [*steps, *rest, ("run",), ("run",)]:
            application.does(*step)

        ids = [int(dict(one.headers)["id"]) for one in application.broker.topic(TOPIC)]
        inserted = sorted(world.committed, key=lambda one: one[order == "ids" :])
        assert [*dict.fromkeys(ids)] == [number for _, number in inserted]
        assert world.connection.execute("SELECT count(*) FROM outbox").fetchone() == (len(inserted),)
        world.connection.close()
