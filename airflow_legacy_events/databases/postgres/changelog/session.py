"""The SQL session of a change log, beside the one that streams: for the catalog, DDL and comparisons of keys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import psycopg

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.deadline import answering
from airflow_legacy_events.databases.postgres.limits import without_limits
from airflow_legacy_events.databases.postgres.session import TEXT_FORMS, cut, reason, tell
from airflow_legacy_events.databases.postgres.types import MONEY_FORM

Connect: TypeAlias = Callable[[], psycopg.Connection[Any]]

_PINNED = (
    TEXT_FORMS + " SET search_path = pg_catalog, pg_temp; SET default_transaction_read_only = off;"
    " SET default_transaction_isolation = 'read committed';"
    " SET synchronous_commit = local; {money}; {limits}; SET statement_timeout = {timeout:d}"
)


class LogSession:
    """A session in autocommit mode that is opened on first use; one statement at a time, from any thread.

    Its search path is the system catalog alone, so its statements need not qualify functions and operators.

    Args:
        connect: opens a connection to the database.
        conn_id: Airflow's name of the connection, for messages.
        timeout_seconds: of a statement.
    """

    def __init__(self, connect: Connect, conn_id: str, timeout_seconds: float) -> None:
        self.conn_id, self.timeout_seconds = conn_id, timeout_seconds
        self._connect = connect
        self._session: psycopg.Connection[Any] | None = None
        self._turn = threading.Lock()
        self._closed = threading.Event()

    @property
    def version(self) -> int:
        """Version of the server, in libpq's number format."""
        with self.using("connecting") as session:
            return session.info.server_version

    @property
    def database(self) -> str:
        """Name of the database; known without a query."""
        with self.using("connecting") as session:
            return session.info.dbname

    def ask(self, doing: str, statement: Any, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows, empty if it returns none.

        Args:
            doing: what the statement is for, such as "looking at the slot".
            statement: text, or of `psycopg.sql`.
            parameters: of the statement, for its `%s`.

        Raises:
            SourceError: it failed, or the session was lost.
        """
        with self.using(doing) as session:
            found = session.execute(statement, parameters)
            return found.fetchall() if found.description else []

    @contextmanager
    def using(self, doing: str) -> Iterator[psycopg.Connection[Any]]:
        """Yield the session for statements of one thread; the driver's errors become `SourceError`."""
        try:
            with self.driver(doing) as session:
                yield session
        except psycopg.Error as error:
            raise self._over(doing) or errors.failed(self.conn_id, doing, reason(error)) from None

    @contextmanager
    def driver(self, doing: str) -> Iterator[psycopg.Connection[Any]]:
        """Yield the session as `using` does, but let the driver's errors pass."""
        with self._turn, answering(self.conn_id, doing, self.timeout_seconds, self._cut):
            if over := self._over(doing):
                raise over
            if self._session is None or self._session.closed:
                self._session = self._pinned(self._connect())
            yield self._session

    def wait(self, seconds: float) -> None:
        """Wait, at most until the session is closed."""
        self._closed.wait(seconds)

    def close(self) -> None:
        """Close the session, from any thread; a running statement is cut off."""
        self._closed.set()
        if not self._turn.acquire(blocking=False):
            self._cut()
            self._turn.acquire()
        try:
            if self._session is not None:
                self._session.close()
        finally:
            self._turn.release()

    def _over(self, doing: str) -> SourceError | None:
        closed = self._closed.is_set()
        return SourceError(f"connection {self.conn_id!r} was closed by its run while {doing}") if closed else None

    def _pinned(self, session: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
        limits = without_limits(session.info.server_version)
        pinned = _PINNED.format(money=MONEY_FORM, limits=limits, timeout=max(1, int(self.timeout_seconds * 1000)))
        with answering(self.conn_id, "connecting", self.timeout_seconds, partial(cut, session)):
            tell(session, pinned.encode())
        return session

    def _cut(self) -> None:
        if self._session is not None:
            cut(self._session)
