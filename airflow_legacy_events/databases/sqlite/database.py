"""SQLite through Python's own driver; values are the driver's plain Python values."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.compiler import IdentifierPreparer

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import LegacyEventsError, SourceError
from airflow_legacy_events.core.ports import Lease, NextId, RowWriters, TableState, TableWrites, Written
from airflow_legacy_events.core.sql_dialects import SQLITE, Dialect
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.conditions import bound
from airflow_legacy_events.databases.quoting import always
from airflow_legacy_events.databases.reflection import TableFacts
from airflow_legacy_events.databases.sqlite import clock, columns, values
from airflow_legacy_events.databases.sqlite.catalog import inspect_table
from airflow_legacy_events.databases.sqlite.collations import collations
from airflow_legacy_events.databases.sqlite.header import change_counter, is_behind
from airflow_legacy_events.databases.sqlite.ids import next_id
from airflow_legacy_events.databases.sqlite.lock import FileLock
from airflow_legacy_events.databases.sqlite.reading import READING, Reader
from airflow_legacy_events.databases.sqlite.session import Guard, Session, begin, open_session, undo
from airflow_legacy_events.databases.sqlite.still import open_to_read
from airflow_legacy_events.databases.sqlite.views import definition
from airflow_legacy_events.databases.sqlite.writers import SqliteRowWriters
from airflow_legacy_events.databases.sqlite.writes import table_writes
from airflow_legacy_events.databases.sqlite.writing import refusal
from airflow_legacy_events.databases.writing import Reading, masked

_STEPS_BETWEEN_LOOKS = 100_000
_UNREADABLE = re.compile(r"Could not decode to UTF-8 column '(.*?)' with text", re.DOTALL)


class SqliteDatabase(Reader):
    """A SQLite 3 file."""

    enters_by_position = False  # not if a column is the table's rowid
    returns_ids = True

    def __init__(self, url: sa.URL, **options: Any) -> None:
        super().__init__(url, **options)
        self._guard = Guard()
        self._snapshots = self._schema_version = 0
        # SQLite treats a double-quoted name without a column as a string, which would be sent as a value.
        self._dialect.identifier_preparer = always(IdentifierPreparer)(self._dialect, "`", escape_quote="`")

    @property
    def path(self) -> Path:
        """Return the database file, symbolic links resolved."""
        return Path(self.url.database or "").resolve()

    def _connect(self) -> Session:
        self._require_file()
        session = open_to_read(self.path, self.statement_timeout_seconds, self.max_row_bytes)
        session.execute("PRAGMA query_only = ON")
        session.set_authorizer(self._guard)
        session.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return session

    def _open(self) -> sqlite3.Connection:
        self._require_file()
        return open_session(self.path, self.statement_timeout_seconds, self.max_row_bytes)

    def _open_to_write(self) -> sqlite3.Connection:
        """Open a session with foreign keys enforced, a per-session setting in SQLite."""
        session = self._open()
        session.execute("PRAGMA foreign_keys = ON")
        return session

    def _require_file(self) -> None:
        if not self.path.is_file():
            raise SourceError(f"connection {self.conn_id!r} names the file {str(self.path)!r}, which does not exist")

    @property
    def sql_dialect(self) -> Dialect:
        """See `core.ports.Database.sql_dialect`."""
        return SQLITE

    @contextmanager
    def _using(self, doing: str) -> Iterator[Session]:
        """Yield the session in a transaction that is rolled back, for at most the statement timeout."""
        with super()._using(doing) as session:
            deadline = time.monotonic() + self.statement_timeout_seconds
            session.set_progress_handler(
                lambda: self._closed.is_set() or time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS
            )
            if self._snapshots:
                yield session
                session.check()
                return
            self._schema_version = begin(session, self.path)
            try:
                yield session
            finally:
                undo(session)

    def identity(self) -> dict[str, str]:
        """Return the file's path and application id."""
        with self._using("reading the file's identity") as session:
            application = session.execute("PRAGMA application_id").fetchone()[0]
        return {"application_id": str(application), "path": str(self.path)}

    @contextmanager
    def lock(self, name: str, holder: Mapping[str, Any], *, table: str | None = None) -> Iterator[Lease]:
        """See `core.ports.Database.lock`: a lock file beside the database, see `FileLock`."""
        self._require_file()
        reading = Reading(self._compiled, self._refused)
        with FileLock(self.path, name, holder, self.log, self._open_to_write, reading, table=table).held() as lease:
            yield lease

    def _refused(self, error: Exception, _: Any) -> LegacyEventsError | None:
        if found := _UNREADABLE.match(str(error)):  # the text itself follows
            return errors.unreadable(self.conn_id, found[1], values.REMEDY)
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_TOOBIG:
            return errors.too_large(self.conn_id, "a value is larger", self.max_row_bytes)
        return None

    def position(self) -> dict[str, Any] | None:
        """See `core.ports.Database.position`: the file's change counter, see `header.change_counter`."""
        with self.snapshot(), self._using("reading the file's change counter"):
            counter = change_counter(self.path)
        return None if counter is None else {"change_counter": counter}

    def behind(self, position: Mapping[str, Any]) -> str | None:
        """See `core.ports.Database.behind`: a copy of the file may be older."""
        stored, found = position.get("change_counter"), (self.position() or {}).get("change_counter")
        if type(stored) is not int or found is None or not is_behind(found, stored):
            return None
        return (
            f"the change counter of the file {str(self.path)!r} is {found}, and it was {stored} before: this is an"
            " older copy of the file, or one that was recreated, as by VACUUM INTO or from a dump"
        )

    def next_id(self, table: str, column: str) -> NextId:
        """See `core.ports.Database.next_id`: IDs of deleted newest rows are reused, except with AUTOINCREMENT."""
        with self._using("reading the next id") as session:
            return next_id(session, table, column)

    def writes(self, table: str) -> TableWrites:
        """See `core.ports.Database.writes`."""
        with self._using("checking what a write to the table sets off") as session:
            return table_writes(session, table)

    def refusal(self, statement: Any) -> str | None:
        """See `core.ports.Database.refusal`."""
        with self._translated("checking whether rows may be written"):
            return refusal(self._open_to_write, *self._compiled(statement))

    def writers(self, of: Written) -> RowWriters:
        """See `core.ports.Database.writers`."""
        return SqliteRowWriters(of, self.now)

    def now(self) -> dt.datetime:
        """See `core.ports.Database.now`: the clock of this process, which is SQLite's."""
        return dt.datetime.now(dt.UTC)

    def _inspect(self, table: str) -> TableFacts:
        with self._using("looking for the table") as session:
            return inspect_table(session, table, self._guard, self.max_row_bytes)

    def _query_state(self, selectable: Any) -> TableState:
        found, _ = self._describe(selectable, frozenset())
        source = self._from(selectable)
        with self._using("checking the query") as session:
            read = definition(session, source, self._guard)
            return TableState(order=collations(session, source, found), definition=read)

    def _describe(
        self,
        selectable: Any,
        not_null: frozenset[str],
        names: Sequence[str] | None = None,
    ) -> tuple[tuple[Column, ...], dict[str, str]]:
        source, table = self._from(selectable), None if names is None else selectable.name
        with self._using("looking up the columns") as session:
            try:
                found = columns.declared(session, source, self._guard, table)
            except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:
                raise errors.refused_query(self.conn_id, errors.one_line(error)) from None
            origin = columns.Origin(source, table, self._schema_version)
        made = (columns.made(one, type_, origin, self._near, nullable=one not in not_null) for one, type_ in found)
        return tuple(made), {}

    def _from(self, selectable: Any) -> str:
        """Return a FROM element as SQL."""
        statement, _ = self._compiled(sa.select(sa.literal_column("*")).select_from(selectable))
        return statement.partition("FROM ")[2]

    def _near(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._using("checking the texts near a bound") as session:
            return session.execute(statement, parameters).fetchall()

    def equal(self, column: Any, value: Any) -> Any:
        """See `core.ports.Database.equal`; with outdated statistics SQLite would scan the table by rowid."""
        return sa.func.unlikely(super().equal(column, value))

    def _until_now(self, value: Any, kind: Kind, lag_seconds: float, timezone: str) -> Any:
        """Compare with this process's clock, which SQLite uses too.

        A value that SQLite can't parse as a time meets the condition, so that `text` can refuse it.
        """
        latest = sa.func.julianday(bound(clock.latest(kind, lag_seconds, timezone)))
        return sa.func.coalesce(sa.func.julianday(value), 0) <= latest

    def marking(self, of: Column) -> Any:
        """See `core.ports.Database.marking`: text with milliseconds."""
        return clock.now_as_text(of.kind)

    def timed(self, of: Column) -> None:
        """See `core.ports.Database.timed`; see `Times`."""
        if isinstance(of, columns.SqliteColumn) and of.times is not None:
            of.times.timed = True

    def text(self, value: Any, column: Column) -> str:
        """See `core.ports.Database.text`; see `values`."""
        text = values.text(value, column)
        if times := columns.times_of(column):
            times.handed_out(value)
        return text

    def bind(self, text: str, column: Column) -> Any:
        """See `core.ports.Database.bind`."""
        value, times = values.bind(text, column), columns.times_of(column)
        return times.bound(value) if times is not None and isinstance(value, str) else value

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See `core.ports.Database.snapshot`: one read transaction, that of the outermost context."""
        doing = "holding a snapshot"
        if not self._snapshots:
            with super()._using(doing) as session:
                self._schema_version = begin(session, self.path)
        self._snapshots += 1
        try:
            yield
        finally:
            self._snapshots -= 1
            if not self._snapshots:
                with contextlib.suppress(SourceError), super()._using(doing) as session:
                    undo(session)

    def _streaming(self) -> AbstractContextManager[Session]:
        return self._using(READING)

    def _forget_session(self) -> None:
        super()._forget_session()
        self._guard, self._snapshots = Guard(), 0

    def _interrupt(self, session: sqlite3.Connection) -> None:
        session.interrupt()

    def _end(self, session: sqlite3.Connection) -> None:
        session.close()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if refused := self._refused(error, None):
                raise refused from None
            interrupted = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
            reason = errors.timed_out(self.statement_timeout_seconds) if interrupted else errors.one_line(error)
            # Quoted text in a read's error may be a row value.
            raise errors.failed(self.conn_id, doing, masked(reason) if doing == READING else reason) from None
