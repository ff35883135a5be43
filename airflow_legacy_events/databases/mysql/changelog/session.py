"""The SQL session of a change log, beside the one that reads rows: for settings, the catalog and comparisons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import MySQLdb

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.deadline import answering
from airflow_legacy_events.databases.mysql.session import Session, code_of, is_lost
from airflow_legacy_events.databases.mysql.writing import reason_of_read

Connect: TypeAlias = Callable[[], Session]

DENIED = frozenset({1044, 1142, 1143, 1227, 1401})
"""Errors of a statement for which the user has no right; 1401 is that of XA RECOVER."""


class LogSession:
    """A session in autocommit mode that is opened on first use; one statement at a time, from any thread.

    Args:
        connect: opens a session.
        conn_id: Airflow's name of the connection, for messages.
        timeout_seconds: of a statement.
    """

    def __init__(self, connect: Connect, conn_id: str, timeout_seconds: float) -> None:
        self.conn_id, self.timeout_seconds = conn_id, timeout_seconds
        self._connect = connect
        self._session: Session | None = None
        self._turn = threading.Lock()
        self._closed = threading.Event()

    @property
    def mariadb(self) -> bool:
        """Whether the server is MariaDB."""
        with self.using("connecting") as session:
            return session.mariadb

    @property
    def version(self) -> tuple[int, ...]:
        """Version of the server."""
        with self.using("connecting") as session:
            return session.version

    def ask(self, doing: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows as texts, empty if it returns none.

        Args:
            doing: what the statement is for, such as "looking at the columns".
            statement: its text, with `%s` for parameters; `%%` for a percent sign if there are any.
            parameters: of the statement.

        Raises:
            SourceError: it failed, or the session was lost.
        """
        with self.using(doing) as session:
            return session.rows(statement, *parameters)

    def try_to(self, doing: str, statement: str, *parameters: Any, but: frozenset[int] = DENIED) -> Any:
        """Run one statement; return its rows, or None if it fails with one of the error numbers `but`.

        Raises:
            SourceError: it failed for another reason.
        """
        with self.using(doing) as session:
            try:
                return session.rows(statement, *parameters)
            except MySQLdb.Error as error:
                if code_of(error) not in but:
                    raise
                return None

    @contextmanager
    def using(self, doing: str) -> Iterator[Session]:
        """Yield the session for statements of one thread; the driver's errors become `SourceError`."""
        with self._turn, answering(self.conn_id, doing, self.timeout_seconds, self._cut):
            self._refuse_closed(doing)
            if self._session is None or not self._session.connection.open:
                self._session = self._connect()
            try:
                yield self._session
            except MySQLdb.Error as error:
                self._refuse_closed(doing)
                if is_lost(error):
                    self._session.close()
                raise errors.failed(self.conn_id, doing, reason_of_read(error)) from None

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

    def _refuse_closed(self, doing: str) -> None:
        if self._closed.is_set():
            raise SourceError(f"connection {self.conn_id!r} was closed by its run while {doing}")

    def _cut(self) -> None:
        if self._session is not None:
            self._session.cut()
