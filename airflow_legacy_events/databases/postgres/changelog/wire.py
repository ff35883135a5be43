"""Replication connections: on the same server as the SQL session, and explained where they are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import psycopg

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError, SourceError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.postgres.changelog.identify import (
    Identified,
    Itself,
    identify,
    itself,
    switch_point,
)
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.settings import Settings, find_settings
from airflow_legacy_events.databases.postgres.changelog.walsender import connect_replicating
from airflow_legacy_events.databases.postgres.extras import refusing
from airflow_legacy_events.databases.postgres.session import reason

_POOLER = re.compile(r"unsupported startup parameter(?: in options)?:? \W*(?:replication|options|wal_sender_timeout)?")
_NO_SENDER = re.compile(r"max_wal_senders")
_NOT_ALLOWED = re.compile(r"[Ww][Aa][Ll].?[Ss]ender|\bWAL\b|\bREPLICATION\b")
_TRIES = 5


class Wires:
    """Opens replication connections; keeps the first one until it is taken.

    Args:
        session: of SQL, which every connection is compared with.
        options: returns those of psycopg.
        application: name that the connections show.
    """

    def __init__(self, session: LogSession, options: Callable[[], Mapping[str, Any]], application: str) -> None:
        self._session, self._options, self._application = session, options, application
        self._kept: psycopg.Connection[Any] | None = None
        self._found: Identified | None = None

    @property
    def identified(self) -> Identified:
        """The server as its replication says; a new timeline is known at once."""
        if self._found is None:
            self._kept, self._found = self._same()
        return self._found

    def switched(self, timeline: int) -> str | None:
        """Return the place where the server's timeline left an earlier one; None if it never was on that one."""
        present = self.identified.timeline
        if self._kept is None:
            self._kept = self.connect()
        try:
            return switch_point(self._kept, present, timeline)
        except psycopg.Error as error:
            raise errors.failed(self._session.conn_id, "reading the timeline's history", reason(error)) from None

    def connect(self) -> psycopg.Connection[Any]:
        """Return a replication connection to the server of the SQL session.

        Raises:
            ConfigurationError: the user may not replicate, a pooler is between, or no sender is free.
            SourceError: it can't be reached, or the address leads to several servers.
        """
        kept, self._kept = self._kept, None
        if kept is None:
            kept, self._found = self._same()
        return kept

    def _same(self) -> tuple[psycopg.Connection[Any], Identified]:
        with self._session.using("connecting") as session:
            here = itself(session)
        for _ in range(_TRIES):
            connection = self._connect()
            try:
                found = identify(connection)
            except psycopg.Error as error:
                connection.close()
                raise errors.failed(self._session.conn_id, "identifying the server", reason(error)) from None
            if found.itself == here:
                return connection, found
            connection.close()
        raise _several(self._session.conn_id, here, found.itself)

    def close(self) -> None:
        """Close what was kept and not taken."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _connect(self) -> psycopg.Connection[Any]:
        options = {**self._options(), "application_name": self._application}
        try:
            with refusing(self._session.conn_id, self._options()):
                return connect_replicating(options)
        except psycopg.Error as error:
            raise self._refused(str(error)) from None

    def _refused(self, said: str) -> LegacyEventsError:
        conn_id = self._session.conn_id
        if _POOLER.search(said):
            return ConfigurationError(
                f"connection {conn_id!r} leads to a pooler that passes no replication, such as PgBouncer, and a"
                " change log"
                " is read by replication; nothing was read"
                "\nLet the connection lead to the database's own port"
            )
        found = find_settings(self._session)
        if _NO_SENDER.search(said):
            return ConfigurationError(
                "no WAL sender of the server is free (max_wal_senders); each stream needs one while it runs"
                f"\n{_more_senders(found)}"
            )
        if _NOT_ALLOWED.search(said.rpartition(" failed: ")[2]):  # behind the host's name
            return ConfigurationError(
                f"user {found.user} may not replicate, and a change log is read by replication: {errors.one_line(said)}"
                f"\n{found.grant()}"
            )
        return errors.failed(conn_id, "connecting for replication", errors.one_line(said))


def _more_senders(found: Settings) -> str:
    return found.set("max_wal_senders", str(found.senders + 10), restart=True)


def _several(conn_id: str, one: Itself, other: Itself) -> SourceError:
    return SourceError(
        f"connection {conn_id!r} leads to more than one server, {one.told()} and {other.told()}: queries and the change"
        " log would be those of different ones; nothing was read"
        "\nGive the address of a single server; a retry continues"
    )
