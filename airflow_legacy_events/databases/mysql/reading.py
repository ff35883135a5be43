"""Reading from MySQL and MariaDB: the session of a run, and pages of rows."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import MySQLdb
from MySQLdb.cursors import SSCursor

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.deadline import deadline
from airflow_legacy_events.databases.mysql import charsets, types
from airflow_legacy_events.databases.mysql.connecting import options_of
from airflow_legacy_events.databases.mysql.cuts import Cuts
from airflow_legacy_events.databases.mysql.rights import explained, not_connected
from airflow_legacy_events.databases.mysql.server import AskedServer
from airflow_legacy_events.databases.mysql.session import INTERRUPTED, Killer, Session, code_of, first_rows, reason
from airflow_legacy_events.databases.mysql.shapes import are_bare, bare, check_shape
from airflow_legacy_events.databases.mysql.sizes import singly, too_large_in
from airflow_legacy_events.databases.mysql.spelling import Known, Tables
from airflow_legacy_events.databases.mysql.streaming import read_slowly
from airflow_legacy_events.databases.mysql.writing import reason_of_read

_CONNECTING = "connecting"
STREAM_MARK = "/* legacy-events */ "
"""Begins each statement that may run for hours: no other stream waits for it."""

# TCP keepalive: a silently vanished peer is detected. The connection's own settings take precedence.
_CONNECT_SECONDS = 30
_SILENT_SECONDS = 30
_KILLER_SECONDS = 2
_AT_ONCE_BYTES = 32 * 2**20
"""Maximum bytes of the rows fetched at a time; text in Python may take four times as much."""

_FEW_ROWS = 16


Rows: TypeAlias = Generator[list[tuple[Any, ...]], None, None]


class Reader(AskedServer):
    """The session and the pages of `MysqlDatabase`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._killer = Killer(lambda: self._open(connect_timeout=_KILLER_SECONDS, read_timeout=_KILLER_SECONDS))
        self._known, self._tables = Known(), Tables()
        self._cuts = Cuts(self.conn_id, self.log)

    def _connect(self) -> Session:
        with self._translated(_CONNECTING):
            session = self._open(read_timeout=int(self.statement_timeout_seconds) + _SILENT_SECONDS)
        session.read_only(self.statement_timeout_seconds)
        return session

    def _open(self, **defaults: int) -> Session:
        return Session(self.conn_id, {"connect_timeout": _CONNECT_SECONDS, **defaults, **self._driver_options()})

    def _driver_options(self) -> dict[str, Any]:
        return options_of(self.conn_id, self._dialect, self.url)

    def _open_for_lock(self) -> Session:
        with self._translated(_CONNECTING):
            return self._open(read_timeout=_SILENT_SECONDS)

    def _open_for_log(self) -> Session:
        """Open a session without a database: entering one takes a right, which may be one of several that are missing.

        Raises:
            SourceError: the server can't be reached, or refuses the user.
        """
        options = {name: value for name, value in self._driver_options().items() if name not in ("db", "database")}
        silent = {"read_timeout": int(self.statement_timeout_seconds) + _SILENT_SECONDS}
        with self._translated(_CONNECTING):
            return Session(self.conn_id, {"connect_timeout": _CONNECT_SECONDS, **silent, **options})

    def _look(self, doing: str, statement: str) -> list[tuple[Any, ...]]:
        """Run a small statement on the session of the run; return its rows."""
        with self._using(doing) as session:
            return session.rows(statement)

    @contextmanager
    def _using(self, doing: str) -> Iterator[Session]:
        """See `SqlDatabase._using`; settings changed by a function in an earlier read are restored first."""
        with super()._using(doing) as session:
            session.settle()
            with explained(session, self.conn_id, doing):
                yield session

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        """See `core.ports.Database.read`; rows are tuples of str, bytes and None."""
        sent = self._spelled(query)
        statement, parameters = self._compiled(sent)
        expected = query.get_execution_options().get("expected")
        plain = expected is not None and are_bare(query, sent, expected, self._known.json)
        with self._using("reading") as session, self._limited(session), self._readable(session, statement, parameters):
            session.sort_by(self._known.sort_bytes(query, packs=session.packs_sort_keys))
            chunks = self._stream(session, statement, parameters, expected if plain else None)
            try:
                with contextlib.closing(chunks):
                    rows = self._gather(query, chunks, max_bytes)
            except MySQLdb.Error as error:
                if refused := self._too_large(session, error, query):
                    raise refused from None
                raise
            if expected is not None and not plain:
                session.settle()
                found = types.described(session, *self._compiled(bare(query, expected)))
                check_shape(self.conn_id, expected, found, self._known.json)
        return rows

    def _stream_rows(self, session: Session, query: Any) -> Rows:
        sent, expected = self._spelled(query), query.get_execution_options().get("expected", ())
        statement, parameters = self._compiled(sent)
        read_slowly(session)
        plain = are_bare(query, sent, expected, self._known.json)
        if not plain:  # its tables stay unchanged from here on
            found = types.described(session, *self._compiled(bare(query, expected)))
            check_shape(self.conn_id, expected, found, self._known.json)
        with self._readable(session, statement, parameters):
            try:
                yield from self._stream(session, f"{STREAM_MARK}{statement}", parameters, expected if plain else None)
            except MySQLdb.Error as error:
                if refused := self._too_large(session, error, query):
                    raise refused from None
                raise

    def _too_large(self, session: Session, error: MySQLdb.Error, query: Any) -> EnvelopeError | None:
        key = query.get_execution_options().get("key_columns", ())
        return too_large_in(session, error, self.conn_id, self.max_row_bytes, self._known.unbounded, key)

    @contextmanager
    def _readable(self, session: Session, statement: str, parameters: Any) -> Iterator[None]:
        """Name the column with text that can't be converted to Unicode, or the missing GRANT, in a read's error."""
        try:
            with explained(session, self.conn_id, "reading", statement):
                yield
        except UnicodeDecodeError:
            with contextlib.closing(self._connect()) as other, self._limited(other):
                column = charsets.unreadable_column(other, statement, parameters)
            raise errors.unreadable(self.conn_id, column, *charsets.REMEDY) from None
        except MySQLdb.Error as error:
            if (column := charsets.lost_column(error, self._known.guards)) is None:
                raise
            raise errors.unreadable(self.conn_id, column, *charsets.REMEDY) from None

    def _spelled(self, query: Any) -> Any:
        """Return the query to send; from here on, what is known is of the table that it reads."""
        self._known = self._tables.of(query, self._known)
        return self._known.spelled(query, self._dialect.identifier_preparer.quote_identifier, self.max_row_bytes)

    def _stream(self, session: Session, statement: str, parameters: Any, expected: Sequence[Column] | None) -> Rows:
        """Yield chunks of rows as they arrive. If the reader stops early, the statement is killed."""
        ended = False
        cursor = session.connection.cursor(SSCursor)
        try:
            session.touched = self._known.functions
            at_once = _AT_ONCE_BYTES // max(1, self._known.row_bytes)
            chunk = first_rows(session, cursor, statement, parameters, min(self._chunks.rows, max(1, at_once)))
            if expected is not None:
                found = types.of_result(cursor._result)  # noqa: SLF001  only it separates text from bytes
                check_shape(self.conn_id, expected, found, self._known.json)
            if chunk:
                yield chunk
            if at_once < _FEW_ROWS:
                yield from singly(cursor._result)  # noqa: SLF001
            else:
                while chunk := cursor.fetchmany(min(self._chunks.rows, at_once)):
                    yield list(chunk)
            ended = True
            self._cuts.check(session, computed=self._known.computes, ended=True)
        finally:
            if not ended:
                self._killer.end_statement(session.number)
            with contextlib.suppress(MySQLdb.Error):
                cursor.close()
            if not ended:
                self._end_killed(session, failed=sys.exc_info()[0] is not GeneratorExit)

    def _end_killed(self, session: Session, *, failed: bool) -> None:
        """Clean up after a killed statement. Rows already read from it may contain values that the server cut."""
        try:
            if not failed:
                self._cuts.check(session, computed=self._known.computes, ended=False)
        finally:
            session.absorb()

    @contextmanager
    def _limited(self, session: Session) -> Iterator[None]:
        """Interrupt a statement after its timeout, if the server has no statement timeout."""
        if session.limits_time:
            yield
            return
        with deadline(self.statement_timeout_seconds, lambda: self._interrupt(session), session.absorb):
            yield

    def _begin_snapshot(self, session: Session) -> None:
        session.rows("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")  # its start fixes the snapshot

    def _end_snapshot(self, session: Session) -> None:
        session.connection.rollback()

    def _interrupt(self, session: Session) -> None:
        self._killer.end_statement(session.number)

    def _cut(self, session: Session) -> None:
        session.cut()
        self._killer.close()

    def _end(self, session: Session) -> None:
        session.close()
        self._killer.close()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError:
            raise errors.unreadable(self.conn_id, None, *charsets.REMEDY) from None
        except MySQLdb.Error as error:
            found = reason(error) if doing == _CONNECTING else reason_of_read(error)
            if code_of(error) in INTERRUPTED:
                found = errors.timed_out(self.statement_timeout_seconds)
            failed = errors.failed(self.conn_id, doing, found)
            grants = not_connected(error, self._known.wanted) if doing == _CONNECTING else []
            raise errors.with_grants(failed, grants) from None
