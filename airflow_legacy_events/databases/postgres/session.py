"""PostgreSQL sessions through psycopg 3: pinned and read-only, with values as the text that the server sends."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader

from airflow_legacy_events.core.ports import ServerZone
from airflow_legacy_events.databases.errors import one_line
from airflow_legacy_events.databases.postgres.limits import without_limits
from airflow_legacy_events.databases.postgres.pooling import LOOK, Backend, last_row
from airflow_legacy_events.databases.postgres.zone import QUESTION, read_zone, without_variable

TEXT_FORMS = (
    "SET client_encoding = 'UTF8'; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';"
    " SET standard_conforming_strings = on;"
    " SET bytea_output = 'hex'; SET extra_float_digits = 1; SET xmloption = 'content'; SET quote_all_identifiers = off;"
)
"""Settings that affect the text form of values, and the parsing of string literals."""

_PINNED = TEXT_FORMS + (
    " SET default_transaction_read_only = on; SET default_transaction_isolation = 'read committed';"
    " {limits}; {security}; SET statement_timeout = {timeout:d}"
)
BEGIN, END = b"BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", b"ROLLBACK"
"""Transaction around each read: a COMMIT would keep settings that the read changed."""

SNAPSHOT = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + LOOK
"""Begins a snapshot; its first statement fixes the visible data."""

_AS_THEY_ARE = (b"SET ", b"BEGIN ")

# TCP keepalive: a silently vanished peer is detected within about a minute. The connection's own settings take
# precedence.
WIRE = {
    "connect_timeout": 30,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

_OURS: dict[str, Any] = {"autocommit": True, "prepare_threshold": None}


class ReadConnection(psycopg.Connection[Any]):
    """A read connection whose own statements each run as a `Question`.

    Attributes:
        backend: the server process that it was pinned to; None before.
    """

    backend: Backend | None = None


class Session(NamedTuple):
    """One connection, for one thread at a time.

    Attributes:
        connection: psycopg's; its own statements return Python values.
        texts: a cursor that returns values as the text that the server sends.
        zone: the server's own time zone.
        backend: the server process that it was pinned to.
    """

    connection: ReadConnection
    texts: psycopg.RawCursor[Any]
    zone: ServerZone
    backend: Backend

    @classmethod
    def pin(cls, connection: ReadConnection, conn_id: str, timeout_seconds: float, security: str) -> Session:
        """Pin a fresh connection: make it read-only and set the statement timeout.

        Args:
            connection: to the server.
            conn_id: Airflow's name of it, for messages.
            timeout_seconds: of a statement.
            security: the SET of `row_security`.
        """
        limits = without_limits(connection.info.server_version)
        timeout = max(1, int(timeout_seconds * 1000))
        pinned = _PINNED.format(limits=limits, security=security, timeout=timeout).encode()
        answered = tell(connection, QUESTION + pinned + b"; " + LOOK)
        zone = read_zone(answered)
        connection.backend = Backend(conn_id, last_row(answered))
        return cls(connection, texts_of(connection), zone, connection.backend)

    def interrupt(self) -> None:
        """Cancel the running statement, from any thread, if the server answers."""
        if not self.connection.closed:
            with contextlib.suppress(psycopg.Error):
                self.connection.cancel_safe(timeout=1)

    def cut(self) -> None:
        """Shut down the socket, from any thread; the waiting statement fails."""
        cut(self.connection)


class Question(psycopg.ClientCursor[Any]):
    """A cursor whose statements run between `BEGIN` and `END`, sent in one message with them.

    Inside a snapshot they run unchanged. So do our own SETs, which would be undone, and statements that begin a
    transaction.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Run one read statement or, without parameters, several."""
        text = self.mogrify(query, params).encode()
        idle = self.connection.info.transaction_status == TransactionStatus.IDLE
        if not idle or text.startswith(_AS_THEY_ARE):
            return super().execute(text, **options)
        try:
            super().execute(b"%b;\n%b;\n%b\n;%b" % (BEGIN, LOOK, text, END), **options)
        except psycopg.Error:
            if not self.connection.closed:
                self.connection.rollback()
            raise
        super().nextset()
        if isinstance(self.connection, ReadConnection) and self.connection.backend is not None:
            self.connection.backend.check(super().fetchone() or ())
        super().nextset()
        return self

    def nextset(self) -> bool | None:
        """Move to the next statement's result; None if there is none."""
        return None if not super().nextset() or self.statusmessage == END.decode() else True


def cut(connection: psycopg.Connection[Any]) -> None:
    """Shut down a connection's socket, from any thread; the waiting thread gets an error."""
    with (
        contextlib.suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as wire,
    ):
        wire.shutdown(socket.SHUT_RDWR)


def connect(options: Mapping[str, Any]) -> psycopg.Connection[Any]:
    """Return a connection that is not pinned yet.

    Args:
        options: of psycopg.
    """
    with without_variable():
        return psycopg.connect(**{**WIRE, **options, **_OURS})


def connect_reading(options: Mapping[str, Any]) -> ReadConnection:
    """Return a read connection that is not pinned yet; its own statements each run as a `Question`.

    Args:
        options: of psycopg.
    """
    with without_variable():
        return ReadConnection.connect(**{**WIRE, **options, **_OURS}, cursor_factory=Question)


def tell(connection: psycopg.Connection[Any], command: bytes) -> psycopg.Cursor[Any]:
    """Run one of our commands unchanged; return its results."""
    return psycopg.Cursor(connection).execute(command)


def texts_of(connection: psycopg.Connection[Any]) -> psycopg.RawCursor[Any]:
    """Return a cursor that returns values as the text that the server sends."""
    texts = psycopg.RawCursor(connection)
    for known in psycopg.postgres.types:
        texts.adapters.register_loader(known.oid, TextLoader)
        texts.adapters.register_loader(known.array_oid, TextLoader)
    return texts


def reason(error: psycopg.Error) -> str:
    """Return the server's message and SQLSTATE without DETAIL, which may contain row values."""
    if error.diag.message_primary:
        return f"{error.diag.message_primary} (SQLSTATE {error.diag.sqlstate})"
    return one_line(error)
