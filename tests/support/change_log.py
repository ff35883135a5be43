"""A replication slot and a publication in a database of their own, and readers of its change log."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.model.log import LogChunk, LogPosition, LogRows, TableName
from airflow_legacy_events.databases.postgres.changelog.options import ReaderOptions
from airflow_legacy_events.databases.postgres.changelog.places import place_of
from airflow_legacy_events.databases.postgres.changelog.reader import LogReader
from airflow_legacy_events.databases.postgres.changelog.walsender import connect_replicating
from airflow_legacy_events.databases.postgres.session import TEXT_FORMS
from tests.support.databases import Database

_numbers = itertools.count()
PUBLICATION = "changes"


def own_table(oid: int, schema: str, name: str) -> TableName:
    return TableName(schema, name)


@dataclass
class ChangedDatabase:
    """A database with a publication of all tables, and a slot at which its log begins.

    Attributes:
        database: of it.
        slot: its name.
        begin: position where the log begins.
    """

    database: Database
    slot: str
    begin: LogPosition = field(default_factory=lambda: LogPosition("0/0"))
    readers: list[LogReader] = field(default_factory=list)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement, or several in one transaction."""
        return self.database.execute(statement)

    def transaction(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with psycopg.connect(self.database.dsn) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def make_slot(self) -> None:
        """Let the log begin here."""
        [(distance,)] = self.execute(
            f"SELECT (lsn - '0/0')::int8 FROM pg_create_logical_replication_slot('{self.slot}', 'pgoutput')"
        )
        self.begin = LogPosition(place_of(distance))

    def end(self) -> str:
        """Where the log ends now, with everything before it flushed."""
        self.execute("SELECT pg_current_xact_id()")
        [(distance,)] = self.execute("SELECT (pg_current_wal_flush_lsn() - '0/0')::int8")
        return place_of(distance)

    def confirmed(self) -> str:
        """The place that the server has confirmed."""
        [(place,)] = self.execute(
            f"SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = '{self.slot}'"
        )
        return str(place)

    def until_confirmed(self, place: str) -> None:
        """Wait until the server has confirmed a place."""
        self._until(f"confirmed_flush_lsn = '{place}'")

    def until_free(self) -> None:
        """Wait until no session uses the slot."""
        self._until("NOT active")

    def _until(self, condition: str) -> None:
        self.execute(
            "DO $$ BEGIN WHILE NOT EXISTS"
            f" (SELECT FROM pg_replication_slots WHERE slot_name = '{self.slot}' AND {condition})"
            " LOOP PERFORM pg_sleep(0.01); END LOOP; END $$"
        )

    @contextmanager
    def catalog(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.database.dsn, autocommit=True) as session:
            session.execute((TEXT_FORMS + "; SET search_path = pg_catalog").encode())
            yield session

    def xid(self) -> int:
        [(xid,)] = self.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::int8")
        return int(xid)

    def reader(self, **options: Any) -> LogReader:
        """A reader; `key` is the key of every table, `id` by default."""
        key: Sequence[str] = options.pop("key", ("id",))
        given: dict[str, Any] = {
            "conn_id": "legacy",
            "connect": lambda: connect_replicating(conninfo_to_dict(self.database.dsn)),
            "catalog": self.catalog,
            "slot": self.slot,
            "publication": PUBLICATION,
            "transaction": self.xid,
            "root_of": own_table,
            "key_of": lambda table: key,
        }
        found = LogReader(ReaderOptions(**{**given, **options}))
        self.readers.append(found)
        return found

    def read(self, after: LogPosition | None = None, rows: int = 10_000, **options: Any) -> list[LogChunk]:
        """All chunks with changes up to the end of the log; the last one where no chunk has any.

        The server itself writes to the log now and then, which is a chunk without changes.
        """
        with contextlib.closing(self.reader(**options)) as reader:
            found = list(reader.read(after or self.begin, self.end(), rows))
        return [one for one in found if one.parts] or found[-1:]

    def changes(self, **options: Any) -> list[tuple[Any, ...]]:
        """What `read` has, as `flat` returns it."""
        return flat(self.read(**options))


def only(chunks: Iterable[LogChunk]) -> LogChunk:
    """Return the one chunk with changes; the server may report a stretch without any at each side of it."""
    [found] = [one for one in chunks if one.parts]
    return found


def flat(chunks: Sequence[LogChunk], hidden: bool = False) -> list[tuple[Any, ...]]:
    """Each row as its op and its values, `...` where there is none; other parts as they are."""
    found: list[tuple[Any, ...]] = []
    for chunk in chunks:
        for part in chunk.parts:
            if not isinstance(part, LogRows):
                found.append((type(part).__name__, part))
                continue
            count = None if hidden else len(part.form.columns)
            for op, row in zip(part.ops, part.rows, strict=True):
                found.append((op, *(... if value is ABSENT else value for value in row[:count])))
    return found


@contextmanager
def changed_database(database: Database, *statements: str, slot: bool = True) -> Iterator[ChangedDatabase]:
    """A database in which statements ran, then publication and slot were made; the slot is dropped at the end."""
    found = ChangedDatabase(database, f"test_{os.getpid()}_{next(_numbers)}")
    for statement in statements:
        found.execute(statement)
    found.execute(f"CREATE PUBLICATION {PUBLICATION} FOR ALL TABLES")
    try:
        if slot:
            found.make_slot()
        yield found
    finally:
        for reader in found.readers:
            reader.close()
        drop_slot(found.execute, found.slot)


def drop_slot(execute: Callable[[str], Any], slot: str) -> None:
    """Drop a slot once its walsender has gone; a database with slots can't be dropped."""
    execute(
        "DO $$ BEGIN LOOP"
        f"  PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{slot}' AND active;"
        "  BEGIN"
        f"    PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}';"
        "    RETURN;"
        "  EXCEPTION WHEN object_in_use THEN PERFORM pg_sleep(0.01);"
        "  END;"
        "END LOOP; END $$"
    )
