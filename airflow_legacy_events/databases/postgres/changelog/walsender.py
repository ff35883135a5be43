"""Replication connection to PostgreSQL by psycopg's `pq`: it streams a logical slot and reports what is saved.

psycopg itself has no replication protocol. One thread reads; any thread may report a place or close the connection. A
lock is held around libpq, but never while waiting for the server.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from struct import Struct
from typing import Any

import psycopg
from psycopg import generators, sql
from psycopg.pq import ExecStatus

from airflow_legacy_events.databases.deadline import answering
from airflow_legacy_events.databases.postgres.changelog.failures import READING, translated
from airflow_legacy_events.databases.postgres.limits import without_limits
from airflow_legacy_events.databases.postgres.session import TEXT_FORMS, connect, cut, tell
from airflow_legacy_events.databases.postgres.types import MONEY_FORM

PADDING = bytes(4)
"""Follows each message: a decoder may look at five bytes where a value begins, though a NULL is one byte."""

_SETTINGS = (
    TEXT_FORMS + " {limits}; SET statement_timeout = 0; SET client_min_messages = warning;"
    " SELECT pg_catalog.scale('1'::pg_catalog.money::pg_catalog.numeric)"
)
_UNBOUNDED = "-c wal_sender_timeout=0"
_CENTS = 2
_ANY_BYTES = "SQL_ASCII"
_AS_THEY_ARE = b"SET client_encoding = 'SQL_ASCII'"  # a text that is not UTF-8 would end the stream for good
_MESSAGES_SINCE = 140_000
_STATUS = Struct(">cQQQq?")
_EPOCH_SECONDS = 946_684_800  # 2000-01-01, from which PostgreSQL counts
_PATIENCE_SECONDS = 0.002
_PLENTY_BYTES = 256 * 2**10
_MOST_READS = 4
_MOST_RECORDS = 512  # of TLS: each message is one, and one is read at a time
_IN_TLS = 3  # a TLS record of 16 KiB may lie in OpenSSL, where `poll` doesn't see it
_OCCUPIED_SECONDS, _AGAIN_SECONDS = 10.0, 0.05


def connect_replicating(options: Mapping[str, Any]) -> psycopg.Connection[Any]:
    """Return a replication connection to one database.

    Args:
        options: of psycopg. The server's `wal_sender_timeout` is switched off for it: a slow broker or a long decode
            would end it otherwise. TCP keepalive notices a peer that vanished.
    """
    given = f"{options['options']} {_UNBOUNDED}" if options.get("options") else _UNBOUNDED
    return connect({**options, "replication": "database", "options": given})


class WalSender:
    """A walsender of the server, at the client's end.

    Args:
        connection: of `connect_replicating`; it is closed with this.
        conn_id: Airflow's name of it, for messages.
        timeout_seconds: for an answer to a command.

    Attributes:
        cents: whether money is written in hundredths, as `-$1,234.56`; else it can't be carried.
        skipped: message of the server that it passes over the changes of a publication; None if it did not.
    """

    def __init__(self, connection: psycopg.Connection[Any], conn_id: str, timeout_seconds: float) -> None:
        self._connection, self._conn_id, self._seconds = connection, conn_id, timeout_seconds
        self._wire = connection.pgconn
        self._setting_up, self._lock, self._closed = threading.Lock(), threading.Lock(), threading.Event()
        self._streaming, self._taken_bytes, self._drained = False, 0, True
        self.cents = True
        self.skipped: str | None = None
        connection.add_notice_handler(self._notice)

    @property
    def pid(self) -> int:
        """The server process."""
        return self._connection.info.backend_pid

    @property
    def encoding(self) -> str:
        """The server's name of the database's encoding, in which logical messages are."""
        return self._connection.info.parameter_status("server_encoding") or "UTF8"

    def prepare(self) -> None:
        """Set the session so that values come in the same text form as a query's."""
        limits = without_limits(self._connection.info.server_version)
        with self._command():
            found = tell(self._connection, _SETTINGS.format(limits=limits).encode())
            while found.description is None:
                found.nextset()
            self.cents = found.fetchone() == (_CENTS,)
            if self.cents:
                tell(self._connection, MONEY_FORM.encode())
            if self.encoding == _ANY_BYTES:
                tell(self._connection, _AS_THEY_ARE)

    def start(self, slot: str, publication: str, place: str) -> None:
        """Start the stream of a slot.

        A slot may still be held for a moment by a stream that was just closed.

        Args:
            slot: its name.
            publication: its name.
            place: transactions that commit before it are not sent.

        Raises:
            SourceError: the server refused, or the slot stays in use.
        """
        names = sql.Literal(sql.Identifier(publication).as_string()).as_string()
        messages = ", messages 'true'" if self._connection.info.server_version >= _MESSAGES_SINCE else ""
        told = (
            f"START_REPLICATION SLOT {sql.Identifier(slot).as_string()} LOGICAL {place}"
            f" (proto_version '1', publication_names {names}{messages})"
        )
        command, until = told.encode(), time.monotonic() + _OCCUPIED_SECONDS
        with self._command():
            while not self._start(command, retry=time.monotonic() < until):
                self._closed.wait(_AGAIN_SECONDS)
        with self._lock:
            self._streaming = True

    def _start(self, command: bytes, *, retry: bool) -> bool:
        self._wire.send_query(command)
        self._connection.wait(generators.send(self._wire))
        result = self._connection.wait(generators.fetch(self._wire))
        if result is not None and result.status == ExecStatus.COPY_BOTH:
            return True
        while self._connection.wait(generators.fetch(self._wire)) is not None:
            pass
        error = psycopg.errors.error_from_result(result) if result else psycopg.OperationalError("no answer")
        if retry and not self._closed.is_set() and isinstance(error, psycopg.errors.ObjectInUse):
            return False
        raise error

    @contextmanager
    def _command(self) -> Iterator[None]:
        """Return a context for commands before the stream; nothing else uses the connection then."""
        cutting = partial(cut, self._connection)
        with (
            self._setting_up,
            answering(self._conn_id, READING, self._seconds, cutting),
            translated(self._conn_id, self._closed),
        ):
            yield

    def take(self, seconds: float) -> list[bytes]:
        """Return the messages that have arrived, each with `PADDING` behind it; empty if none came within `seconds`.

        Before it reads little it waits for two milliseconds: a message at a time, the server and this process would
        wake each other for each of them, which doubles the work of both.

        Raises:
            SourceError: the stream ended.
        """
        found = self._gather()  # libpq may have received what `poll` no longer sees
        if not found:
            if self._readable(seconds):
                self._closed.wait(_PATIENCE_SECONDS)
            found = self._gather()
        elif self._drained and self._taken_bytes < _PLENTY_BYTES:
            self._closed.wait(_PATIENCE_SECONDS)
        return found

    def _readable(self, seconds: float) -> bool:
        with self._lock, translated(self._conn_id, self._closed):
            ready = select.poll()
            ready.register(self._wire.socket, select.POLLIN)
        return bool(ready.poll(seconds * 1000))

    def _gather(self) -> list[bytes]:
        found: list[bytes] = []
        with self._lock, translated(self._conn_id, self._closed):
            self._receive()
            take, padded = self._wire.get_copy_data, b"".join
            size, message = take(1)
            while size > 0:
                found.append(padded((message, PADDING)))
                size, message = take(1)
            if size < 0:
                self._streaming = False
                raise self._end()
        self._taken_bytes = sum(map(len, found))
        return found

    def _receive(self) -> None:
        """Read what has arrived; libpq's buffer grows with what is read at a time."""
        ready = select.poll()
        ready.register(self._wire.socket, select.POLLIN)
        reads = _MOST_READS if self._taken_bytes < _PLENTY_BYTES else 1
        for _ in range(_MOST_RECORDS if self._wire.ssl_in_use else reads):
            self._wire.consume_input()
            if not ready.poll(0):
                self._drained = True
                break
        else:
            self._drained = False
        for _ in range(_IN_TLS if self._wire.ssl_in_use else 0):
            self._wire.consume_input()

    def _end(self) -> psycopg.Error:
        result = self._wire.get_result()
        if result is not None and result.status == ExecStatus.FATAL_ERROR:
            return psycopg.errors.error_from_result(result)
        return psycopg.OperationalError("the server ended the stream, as it does when it is shut down")

    def report(self, received: int, saved: int, *, ask: bool = False) -> bool:
        """Report places to the server, from any thread; return whether they were sent.

        Args:
            received: everything before it has arrived here.
            saved: everything before it is saved, so the server may drop it; 0: nothing is said of that.
            ask: whether the server shall answer with how far it is.
        """
        now = int((time.time() - _EPOCH_SECONDS) * 1_000_000)
        with self._lock, contextlib.suppress(psycopg.Error):  # the reader meets the error too
            if self._streaming:
                sent = self._wire.put_copy_data(_STATUS.pack(b"r", received, saved, saved, now, ask))
                self._wire.flush()
                return sent == 1
        return False

    def close(self) -> None:
        """Close the connection, from any thread, and again: the server frees the slot. A waiting reader fails."""
        self._closed.set()
        with self._lock:
            self._streaming = False
            if not self._connection.closed:
                with contextlib.suppress(psycopg.Error):
                    self._wire.flush()
                cut(self._connection)
        with self._setting_up, self._lock:
            self._connection.close()

    def _notice(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.source_function == "LoadPublications":
            self.skipped = notice.message_primary
