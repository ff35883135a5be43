"""The benchmark's orders in a PostgreSQL database whose log is read through a slot for each reader."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import psycopg

from tests.benchmarks.changelog.logged import DEBEZIUM, OURS, Logged
from tests.benchmarks.changelog.sender import Sender
from tests.benchmarks.legacy.base import TABLE, Table
from tests.benchmarks.legacy.postgres import ORDERS, PostgresLegacy
from tests.services.postgres import Postgres18

PUBLICATION = "debezium"

_CREATE, _INSERT = (statement.strip() for statement in ORDERS.split(";")[:2])
_SOME = _INSERT.replace("generate_series(1,{rows})", "generate_series({first},{last})")


class LoggedPostgres(Logged, PostgresLegacy):
    """See `Legacy` and `Logged`.

    Attributes:
        slot: of the other reader.
    """

    made = Postgres18
    readers = (OURS, DEBEZIUM)

    def schema(self, table: Table) -> str:
        """See `Logged`."""
        return "public"

    def arguments(self) -> Mapping[str, Any]:
        """See `Logged`."""
        return {"slot": f"ours_{uuid.uuid4().hex[:8]}"}

    def watch(self, table: Table, name: Any, meter: Callable[[], Any] = lambda: None) -> Sender:
        """See `Logged`."""
        return Sender(table.dsn, name, meter)

    def empty(self) -> Table:
        """See `Logged`; slots on the database before it are dropped too."""
        self._drop()
        self._name = f"legacy_events_bench_log_{uuid.uuid4().hex[:8]}"
        self._server.execute(f"CREATE DATABASE {self._name}")
        self._server.execute(_CREATE, self._name)
        self._unread, self._prepared = set(), (0, 0)
        return self.opened(self._name, 0)

    def opened_last(self, rows: int) -> Table:
        """See `Logged`."""
        return self.opened(self._name, rows)

    def write(self, rows: int, size: int) -> None:
        """See `Logged`."""
        with psycopg.connect(self._server.dsn(self._name), autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            for first in range(1, rows + 1, size):
                statement = _SOME.replace("{first}", str(first)).replace("{last}", str(min(first + size - 1, rows)))
                connection.execute(statement.encode())
            connection.execute(f"CREATE INDEX ON {TABLE} (updated_at, id)".encode())
            connection.execute(f"VACUUM (ANALYZE) {TABLE}".encode())
            connection.execute(b"CHECKPOINT")

    def begin_others(self, table: Table) -> None:
        """See `Logged`: a slot."""
        self._server.execute(f"CREATE PUBLICATION {PUBLICATION} FOR TABLE {TABLE}", self._name)
        self.slot = f"debezium_{uuid.uuid4().hex[:8]}"
        self._server.execute(f"SELECT pg_create_logical_replication_slot('{self.slot}', 'pgoutput')", self._name)

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
