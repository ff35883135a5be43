"""The benchmark's orders in a database that keeps its log for several readers: each reads the same transactions."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

import psycopg

from tests.benchmarks.legacy.base import TABLE, Table
from tests.benchmarks.legacy.postgres import ORDERS, PostgresLegacy
from tests.services.postgres import Postgres18

OURS, DEBEZIUM = "ours", "debezium"
READERS = (OURS, DEBEZIUM)
TRANSACTION_ROWS = 1_000
PUBLICATION = "debezium"

_CREATE, _INSERT = (statement.strip() for statement in ORDERS.split(";")[:2])
_SOME = _INSERT.replace("generate_series(1,{rows})", "generate_series({first},{last})")


class LoggedPostgres(PostgresLegacy):
    """See `Legacy`. The rows of one preparation are read by each of the readers once."""

    made = Postgres18

    def __init__(self) -> None:
        super().__init__()
        self._unread: set[str] = set()
        self._prepared: tuple[int, int] | None = None

    def ready(self, reader: str, rows: int, size: int, begin: Any) -> Table:
        """Return the table with rows that this reader has not read.

        Args:
            reader: who reads them.
            rows: how many were written, all behind the beginning of each reader's slot.
            size: of a transaction.
            begin: makes our own slot; called with the empty table.
        """
        if reader not in self._unread or self._prepared != (rows, size):
            self._make(rows, size, begin)
        self._unread.discard(reader)
        return self.written

    def holds(self, rows: int, size: int) -> bool:
        """Whether the rows of the last preparation are these."""
        return self._prepared == (rows, size)

    def unread(self, reader: str) -> None:
        """Say that a reader has not read them after all."""
        self._unread.add(reader)

    def empty(self) -> Table:
        """Return the empty table in a database of its own; the one before it, and its slots, are dropped."""
        self._drop()
        self._name = f"legacy_events_bench_log_{uuid.uuid4().hex[:8]}"
        self._server.execute(f"CREATE DATABASE {self._name}")
        self._server.execute(_CREATE, self._name)
        self._unread, self._prepared = set(), (0, 0)
        return self.opened(self._name, 0)

    def opened_last(self, rows: int) -> Table:
        """Return the table that was emptied last, which by now holds so many rows."""
        return self.opened(self._name, rows)

    def write(self, rows: int, size: int) -> None:
        """Write rows in transactions of this size."""
        with psycopg.connect(self._server.dsn(self._name), autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            for first in range(1, rows + 1, size):
                statement = _SOME.replace("{first}", str(first)).replace("{last}", str(min(first + size - 1, rows)))
                connection.execute(statement.encode())
            connection.execute(f"CREATE INDEX ON {TABLE} (updated_at, id)".encode())
            connection.execute(f"VACUUM (ANALYZE) {TABLE}".encode())
            connection.execute(b"CHECKPOINT")

    def stop(self) -> None:
        """See `Legacy`; a server that is not ours keeps nothing of us."""
        with contextlib.suppress(psycopg.Error):  # a reader that was killed may still hold its slot
            self._drop()
        super().stop()

    def _drop(self) -> None:
        if self._prepared is None:
            return
        slots = f"SELECT slot_name FROM pg_replication_slots WHERE database = '{self._name}' AND NOT active"
        for (slot,) in self._server.execute(slots):
            self._server.execute(f"SELECT pg_drop_replication_slot('{slot}')")
        self._server.execute(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
        self._prepared = None

    def _make(self, rows: int, size: int, begin: Any) -> None:
        table = self.empty()
        begin(table)
        self._server.execute(f"CREATE PUBLICATION {PUBLICATION} FOR TABLE {TABLE}", self._name)
        self.slot = f"debezium_{uuid.uuid4().hex[:8]}"
        self._server.execute(f"SELECT pg_create_logical_replication_slot('{self.slot}', 'pgoutput')", self._name)
        self.write(rows, size)
        self.written = self.opened(self._name, rows)
        self._unread, self._prepared = set(READERS), (rows, size)
