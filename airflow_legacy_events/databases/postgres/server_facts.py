"""What a PostgreSQL server reports about itself: its identity, its clock, and who writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from psycopg import sql

from airflow_legacy_events.core.ports import Blocker, RowWriters, ServerZone, Written
from airflow_legacy_events.databases.postgres.server import Server, find_server, why_behind
from airflow_legacy_events.databases.postgres.sessions import PostgresSessions
from airflow_legacy_events.databases.postgres.writers.row_writers import PostgresRowWriters
from airflow_legacy_events.databases.postgres.zone import find_origin


class PostgresServerFacts(PostgresSessions):
    """Answers about the server, by the session that reads."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._server: Server | None = None

    def identity(self) -> dict[str, str]:
        """Return the cluster's system identifier, the timeline of its WAL, and the database; see `Server`."""
        return self._find_server().identity

    def position(self) -> dict[str, Any] | None:
        """See `core.ports.Database.position`: from the last answer of `identity`, or else a new one."""
        found, self._server = self._server or self._find_server(), None
        return found.position

    def behind(self, position: Mapping[str, Any]) -> str | None:
        """See `core.ports.Database.behind`."""
        return self._why_behind(self._server, position)

    def _why_behind(self, server: Server | None, position: Mapping[str, Any]) -> str | None:
        return why_behind(position, server, self._find_server, self._closed.wait, self.statement_timeout_seconds)

    def _find_server(self) -> Server:
        with self._using("reading the server's identity") as session:
            self._server = found = find_server(session.connection)
        return found

    def now(self) -> dt.datetime:
        """See `core.ports.Database.now`."""
        with self._using("reading the server's time") as session:
            [(found,)] = session.connection.execute("SELECT pg_catalog.clock_timestamp()")
        return cast("dt.datetime", found).astimezone(dt.UTC)

    def zone(self) -> ServerZone:
        """See `core.ports.Database.zone`."""
        with self._using("reading the server's time zone") as session:
            return session.zone

    def zone_origin(self) -> str | None:
        """See `core.ports.Database.zone_origin`."""
        with self._using("looking up where the time zone is set") as session:
            return find_origin(session.connection)

    def ending(self, blocker: Blocker) -> str | None:
        """See `core.ports.Database.ending`."""
        if blocker.gid is not None:
            return f"ROLLBACK PREPARED {sql.Literal(blocker.gid).as_string(None)}"
        return None if blocker.pid is None else f"SELECT pg_terminate_backend({blocker.pid})"

    def writers(self, of: Written) -> RowWriters:
        """See `core.ports.Database.writers`."""
        return PostgresRowWriters(of, self._ask, self._find_server, partial(self._why_behind, None))
