"""An application whose transactions take ids and times when they write, and are seen when they commit.

Its database is a SQLite file. Open transactions live in this process, so that any number can be open at once; the file
shows only what is committed. `SimulatedDatabase` reads it, with a clock and writers of the application's.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import TEMPORAL
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Blocker, WritersLook, Written
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.databases.sqlite import SqliteDatabase
from airflow_legacy_events.sources.query import QuerySource
from tests.support.crashes import STREAM, Crash, Process, World

START = dt.datetime(2026, 1, 1, 12, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
CREATE = """
CREATE TABLE t (id integer PRIMARY KEY AUTOINCREMENT, at timestamp, v integer NOT NULL);
CREATE INDEX t_at ON t (at, id);
"""


@dataclass
class Transaction:
    """An open transaction.

    Attributes:
        number: unique.
        begun: when it began; the time of its rows, unless `own_time`.
        own_time: whether each statement has its own time.
        rows: written and not seen yet, by id; the time is None for NULL.
        took: whether it took an id, even one that it never writes.
    """

    number: int
    begun: dt.datetime
    own_time: bool
    rows: dict[int, tuple[dt.datetime | None, int]] = field(default_factory=dict)
    took: bool = False


@dataclass
class Application:
    """The application and its database.

    Attributes:
        path: of the file.
        now: the database's clock.
        tick: the smallest step of its times.
        timed_set: whether the writers of a time are shown as a set below the clock, as a user without rights sees them;
            else the oldest begin is the bound.
        server: identifies the server to its writers.
        looks: how often writers were looked for.
    """

    path: Path
    now: dt.datetime = START
    tick: dt.timedelta = SECOND
    timed_set: bool = False
    server: str = "one"
    looks: int = 0
    open: dict[int, Transaction] = field(default_factory=dict)
    next_id: int = 1
    versions: int = 0
    begun: int = 0

    def __post_init__(self) -> None:
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        self.connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {CREATE}")

    def begin(self, *, own_time: bool = False) -> Transaction:
        self.begun += 1
        made = self.open[self.begun] = Transaction(self.begun, self.now, own_time)
        return made

    def insert(self, one: Transaction, *, null: bool = False) -> int:
        """Write a new row."""
        number = self.take(one)
        self._write(one, number, null=null)
        return number

    def take(self, one: Transaction) -> int:
        """Take an id and write nothing yet: a hole, unless it is written later."""
        number, self.next_id = self.next_id, self.next_id + 1
        one.took = True
        return number

    def write(self, one: Transaction, number: int) -> None:
        """Write a row whose id was taken before."""
        self._write(one, number, null=False)

    def update(self, one: Transaction, number: int) -> bool:
        """Write a row again, with a new time; False if another transaction has it locked."""
        if any(number in other.rows for other in self.open.values() if other is not one):
            return False
        self._write(one, number, null=False)
        return True

    def _write(self, one: Transaction, number: int, *, null: bool) -> None:
        moment = self.now if one.own_time else one.begun
        self.versions += 1
        one.rows[number] = (None if null else moment - (moment - START) % self.tick, self.versions)

    def write_rows(self, rows: int = 1, one: Transaction | None = None) -> Transaction:
        """Return a transaction that has written so many rows, and is open."""
        one = one or self.begin()
        for _ in range(rows):
            self.insert(one)
        return one

    def sell(self, rows: int = 1) -> None:
        """Write rows that are seen."""
        self.commit(self.write_rows(rows))

    def commit(self, one: Transaction) -> None:
        del self.open[one.number]
        with self.connection:
            self.connection.execute("BEGIN")
            for number, (at, version) in one.rows.items():
                row = (number, None if at is None else f"{at:%Y-%m-%d %H:%M:%S.%f}", version)
                self.connection.execute("INSERT OR REPLACE INTO t VALUES (?, ?, ?)", row)

    def roll_back(self, one: Transaction) -> None:
        del self.open[one.number]

    def delete(self, number: int) -> None:
        self.connection.execute("DELETE FROM t WHERE id = ?", (number,))

    @property
    def table(self) -> dict[int, int]:
        """Return the version of each row by its id."""
        return dict(self.connection.execute("SELECT id, v FROM t"))

    def database(self) -> SimulatedDatabase:
        url = sa.URL.create("sqlite", database=str(self.path))
        return SimulatedDatabase(self, url, conn_id="crm", statement_timeout_seconds=30)

    def close(self) -> None:
        self.connection.close()


class SimulatedDatabase(SqliteDatabase):
    """The application's file, with its clock and its writers."""

    def __init__(self, application: Application, url: sa.URL, **options: Any) -> None:
        super().__init__(url, **options)
        self.application = application

    def now(self) -> dt.datetime:
        return self.application.now

    def _until_now(self, value: Any, kind: Any, lag_seconds: float, timezone: str) -> Any:
        latest = f"{self.application.now - dt.timedelta(seconds=lag_seconds):%Y-%m-%d %H:%M:%S.%f}"
        return value <= sa.bindparam(None, latest, unique=True)

    def writers(self, of: Written) -> SimulatedWriters:
        return SimulatedWriters(self.application, timed=of.column.kind in TEMPORAL)

    def ending(self, blocker: Blocker) -> str | None:
        return None if blocker.pid is None else f"KILL {blocker.pid}"


@dataclass(frozen=True)
class SimulatedWriters:
    """The application's open transactions, as a server would show them."""

    application: Application
    timed: bool
    completeness: str = "bounded"
    reason: str = "the open transactions are known"

    @property
    def tick(self) -> dt.timedelta:
        return self.application.tick if self.timed else dt.timedelta()

    def look(self) -> WritersLook:
        self.application.looks += 1
        now, server = self.application.now, {"id": self.application.server}
        if not self.timed:
            return WritersLook(None, self._named(one for one in self._open if one.took), None, now, server)
        if self.application.timed_set:
            return WritersLook(now, self._named(self._open), None, now, server)
        oldest = min(self._open, key=lambda one: one.begun, default=None)
        if oldest is None or oldest.begun >= now:
            return WritersLook(now, {}, None, now)
        return WritersLook(oldest.begun, {}, Blocker(oldest.number, "app"), now)

    def remaining(self, ids: Collection[str], server: Mapping[str, Any]) -> Mapping[str, Blocker]:
        if server != {"id": self.application.server}:
            raise WatermarkError("the stored horizon is of another server")
        return self._named(one for one in self._open if f"t{one.number}" in ids)

    @property
    def _open(self) -> Collection[Transaction]:
        return self.application.open.values()

    def _named(self, found: Any) -> dict[str, Blocker]:
        return {f"t{one.number}": Blocker(one.number, "app", query_start=one.begun.isoformat()) for one in found}


@dataclass
class Below:
    """A stream of the application's table, that is run again and again.

    Attributes:
        options: further arguments of `QuerySource`.
        settings: of the relay.
        world: outlives the runs.
        dead: how many of them were killed.
        report: of the last one.
    """

    application: Application
    options: dict[str, Any] = field(default_factory=lambda: {"watermark_columns": ("id",)})
    settings: dict[str, Any] = field(default_factory=dict)
    world: World = field(default_factory=World)
    dead: int = 0
    report: Report = field(default_factory=lambda: Report(STREAM.name))

    def source(self, batch_rows: int = 2, max_rows: int | None = None) -> QuerySource:
        limits = Limits(batch_rows=batch_rows, max_rows=max_rows)
        options = {"table": "t", **self.options}
        return QuerySource(
            database=self.application.database(), stream=STREAM.name, source="crm", limits=limits, **options
        )

    def run(self, *, batch_rows: int = 2, max_rows: int | None = None, crash: Crash | None = None) -> list[int]:
        """Run once; return the ids that were sent, in order."""
        before, source = len(self.world.topic), self.source(batch_rows, max_rows)
        made = Process(self.world, source, crash)
        vars(made.relay).update(self.settings)
        self.report = made.relay.report
        try:
            self.dead += not made.run()
        finally:
            source.database.close()
        return [int(json.loads(value)["id"]) for _, value in self.world.topic[before:]]

    @property
    def mark(self) -> Watermark | None:
        """The stored watermark."""
        return self.world.store.load(STREAM.name)

    @property
    def horizon(self) -> dict[str, Any] | None:
        """The stored horizon."""
        return None if self.mark is None else self.mark.facts.get("horizon")

    def edit(self, **facts: Any) -> None:
        """Change facts of the stored watermark, as a person may."""
        mark = self.mark
        assert mark is not None
        self.world.store.save(STREAM.name, mark._replace(facts={**mark.facts, **facts}), expected=mark)
