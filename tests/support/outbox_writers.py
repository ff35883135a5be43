"""Applications that write to an outbox at once, and the journal of what they committed."""

from __future__ import annotations

import itertools
import json
import random
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import MySQLdb
import psycopg

from tests.support.legacy import Legacy

AGGREGATES = 12
_POOL = 20
_MOST_EVENTS = 5
_LONGEST_SECONDS, _PAUSE_SECONDS = 0.2, 0.1
_GIVEN_UP = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected, MySQLdb.OperationalError)


@dataclass
class Journal:
    """What the writers did, kept outside of the database.

    Attributes:
        committed: payloads of the events whose commit was answered.
        undone: payloads that were inserted, and rolled back with their transaction or to a savepoint.
    """

    committed: set[str] = field(default_factory=set)
    undone: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, committed: list[str], undone: list[str]) -> None:
        """Take down one transaction."""
        with self._lock:
            self.committed.update(committed)
            self.undone.update(undone)

    def snapshot(self) -> set[str]:
        """What is committed by now."""
        with self._lock:
            return set(self.committed)


class Writer:
    """One application with its own connection.

    Each transaction is one of `_Transaction`'s, of a random length, and is rolled back now and then.

    Args:
        legacy: with the tables `outbox` and `aggregate`.
        number: tells writers apart.
        pooled: takes ids from blocks that it was given earlier, in any order, for aggregates of its own; else it locks
            the row of an aggregate before it takes an id.
        uuids: ids are UUIDs, which tell no order.
    """

    def __init__(self, legacy: Legacy, number: int, journal: Journal, *, pooled: bool, uuids: bool) -> None:
        self.legacy, self.connection = legacy, legacy.connect()
        self.number, self.pooled, self.uuids = number, pooled, uuids
        self.journal, self.random = journal, random.Random(number)
        self.events = itertools.count()
        self._pool: list[int] = []

    def write(self, over: threading.Event) -> None:
        """Write transactions until it is over."""
        try:
            while not over.wait(self.random.random() * _PAUSE_SECONDS):
                self._one(over)
        finally:
            self.connection.close()

    def execute(self, statement: str, *parameters: Any) -> Any:
        """Run a statement on the writer's connection."""
        return self.connection.execute(statement, parameters or None)

    def _one(self, over: threading.Event) -> None:
        doing = _Transaction(self)
        if self.pooled and not self.uuids and len(self._pool) < _POOL:
            self._pool += self._block()
        self.execute("BEGIN")
        try:
            doing.fill()
            over.wait(self.random.random() ** 4 * _LONGEST_SECONDS)
            well = self.random.random() > 0.15
            self.execute("COMMIT" if well else "ROLLBACK")
        except _GIVEN_UP:  # a deadlock: the server has rolled it back
            self.execute("ROLLBACK")
            well = False
        kept, undone = doing.kept, doing.undone
        self.journal.note(kept if well else [], undone if well else kept + undone)

    def id(self) -> str | int | None:
        """The id of the next event; None: the database gives it."""
        if self.uuids:
            return str(uuid.UUID(int=self.random.getrandbits(128)))
        return self._pool.pop(self.random.randrange(len(self._pool))) if self.pooled else None

    def _block(self) -> list[int]:
        """Ids that nobody else is given; those of rows that MySQL rolled back never come again."""
        if self.legacy.dialect == "postgresql":
            found = self.execute("SELECT nextval('outbox_id_seq') FROM generate_series(1, %s)", _POOL).fetchall()
            return [number for (number,) in found]
        self.execute("BEGIN")
        self.execute(
            "INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES "
            + ", ".join(["('never', 'never', 'never', 'never')"] * _POOL)
        )
        [(first,)] = self.execute("SELECT LAST_INSERT_ID()").fetchall()
        self.execute("ROLLBACK")
        return list(range(first, first + _POOL))


class _Transaction:
    """Events of one transaction: some are behind a savepoint, to which it returns every other time."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self._random = writer, writer.random
        self.kept: list[str] = []
        self.undone: list[str] = []
        self._numbers: dict[str, int] = {}

    def fill(self) -> None:
        """Insert events, the aggregates' rows locked before."""
        for aggregate in sorted(self._random.sample(range(AGGREGATES), self._random.randint(1, 2))):
            name = f"{self._writer.number}-{aggregate}" if self._writer.pooled else f"{aggregate}"
            [[number]] = (
                [[0]]
                if self._writer.pooled
                else self._writer.execute("SELECT events FROM aggregate WHERE id = %s FOR UPDATE", name).fetchall()
            )
            self._numbers[name] = number
        self._insert()
        if self._random.random() < 0.4:
            self._behind_a_savepoint()
        if not self._writer.pooled:
            for name, number in self._numbers.items():
                self._writer.execute("UPDATE aggregate SET events = %s WHERE id = %s", number, name)

    def _insert(self) -> None:
        for _ in range(self._random.randint(1, _MOST_EVENTS)):
            name = self._random.choice(list(self._numbers))
            self._numbers[name] += 1
            event = f"{self._writer.number}.{next(self._writer.events)}"
            payload = json.dumps({"event": event, "aggregate": name, "number": self._numbers[name]})
            values = ["pooled" if self._writer.pooled else "locked", name, "t", payload]
            id_, names = self._writer.id(), "aggregatetype, aggregateid, type, payload"
            if id_ is not None:
                values, names = [str(id_), *values], f"id, {names}"
            self._writer.execute(f"INSERT INTO outbox ({names}) VALUES ({', '.join(['%s'] * len(values))})", *values)
            self.kept.append(payload)

    def _behind_a_savepoint(self) -> None:
        numbers, kept = dict(self._numbers), len(self.kept)
        self._writer.execute("SAVEPOINT here")
        self._insert()
        if self._random.random() < 0.5:
            self._writer.execute("ROLLBACK TO SAVEPOINT here")
            self._numbers, self.undone = numbers, self.undone + self.kept[kept:]
            del self.kept[kept:]
        else:
            self._writer.execute("RELEASE SAVEPOINT here")


class Writers:
    """Eight writers, half of which take pooled ids.

    Attributes:
        journal: of what they did.
    """

    def __init__(self, legacy: Legacy, *, uuids: bool) -> None:
        self.journal = Journal()
        self._over, self._failed = threading.Event(), list[BaseException]()
        legacy.execute("CREATE TABLE aggregate (id varchar(9) PRIMARY KEY, events integer NOT NULL)")
        for number in range(AGGREGATES):
            legacy.execute(f"INSERT INTO aggregate VALUES ('{number}', 0)")
        writers = [Writer(legacy, at, self.journal, pooled=at % 2 == 1, uuids=uuids) for at in range(8)]
        self._threads = [threading.Thread(target=self._run, args=[writer], daemon=True) for writer in writers]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let them end, each behind its transaction; what went wrong with one is raised."""
        self._over.set()
        for thread in self._threads:
            thread.join(30)
        if self._failed:
            raise self._failed.pop()

    def _run(self, writer: Writer) -> None:
        try:
            writer.write(self._over)
        except BaseException as error:  # noqa: BLE001  raised when they end
            self._failed.append(error)


@contextmanager
def writing(legacy: Legacy, *, uuids: bool) -> Iterator[Writers]:
    """Writers, for as long as the context lasts."""
    writers = Writers(legacy, uuids=uuids)
    try:
        yield writers
    finally:
        writers.end()
