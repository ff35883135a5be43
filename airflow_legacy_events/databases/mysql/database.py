"""MySQL and MariaDB through mysqlclient: values stay the text that the server sends."""

from __future__ import annotations

import contextlib
import datetime as dt
import zoneinfo
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import MySQLdb
import sqlalchemy as sa
from MySQLdb.cursors import SSCursor

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import LegacyEventsError, SourceError
from airflow_legacy_events.core.ports import Lease, TableState, TableWrites
from airflow_legacy_events.core.sql_dialects import Dialect
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.conditions import bound
from airflow_legacy_events.databases.deadline import deadline
from airflow_legacy_events.databases.mysql import charsets, types
from airflow_legacy_events.databases.mysql.catalog import inspect_table
from airflow_legacy_events.databases.mysql.lock import NamedLock
from airflow_legacy_events.databases.mysql.server import AskedServer
from airflow_legacy_events.databases.mysql.session import INTERRUPTED, Killer, Session, code_of, is_lost, reason
from airflow_legacy_events.databases.mysql.sizes import MEDIUM_BYTES, bounded_column, too_large_in
from airflow_legacy_events.databases.mysql.spelling import Known
from airflow_legacy_events.databases.mysql.underlying import below_query
from airflow_legacy_events.databases.mysql.writes import table_writes
from airflow_legacy_events.databases.mysql.writing import reason_of_query, reason_of_read, refusal
from airflow_legacy_events.databases.reflection import Reflected, TableFacts
from airflow_legacy_events.databases.writing import Reading

_CONNECTING = "connecting"
# A peer that vanished without a word is found out; the connection's own settings come first.
_CONNECT_SECONDS = 30
_SILENT_SECONDS = 30
_KILLER_SECONDS = 2
# The plain name of UTC needs none of the server's tables of zones, which are often empty.
_NOW = "SELECT UTC_TIMESTAMP(6)"


Rows: TypeAlias = Generator[list[tuple[Any, ...]], None, None]


class MysqlDatabase(AskedServer):
    """MariaDB 10.2 and later, MySQL 5.6 and later."""

    row_values = False  # no index range is made of them
    has_partial_indexes = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._killer = Killer(lambda: self._open(connect_timeout=_KILLER_SECONDS, read_timeout=_KILLER_SECONDS))
        self._known = Known()

    def _connect(self) -> Session:
        with self._translated(_CONNECTING):
            session = self._open(read_timeout=int(self.statement_timeout_seconds) + _SILENT_SECONDS)
        session.read_only(self.statement_timeout_seconds)
        return session

    def _open(self, **defaults: int) -> Session:
        _, options = self._dialect.create_connect_args(self.url)
        return Session({"connect_timeout": _CONNECT_SECONDS, **defaults, **options})

    def _open_for_lock(self) -> Session:
        with self._translated(_CONNECTING):
            return self._open(read_timeout=_SILENT_SECONDS)

    @property
    def sql_dialect(self) -> Dialect:
        """See `core.ports.Database.sql_dialect`."""
        with self._using("asking how texts are read") as session:
            return session.sql_dialect

    @contextmanager
    def lock(self, name: str, holder: Mapping[str, Any], *, table: str | None = None) -> Iterator[Lease]:
        """See `core.ports.Database.lock`: a named lock on a session of its own, see `NamedLock`."""
        connect, database = self._open_for_lock, self.url.database or ""
        reading = Reading(lambda query: self._compiled(self._spelled(query)), self._refused)
        with NamedLock(connect, reading, database, name, holder, self.log, table=table).held() as lease:
            yield lease

    def _refused(self, error: Exception, session: Session) -> LegacyEventsError | None:
        column = charsets.lost_column(error, self._known.guards)
        if column is not None or isinstance(error, UnicodeDecodeError):
            return errors.unreadable(self.conn_id, column, *charsets.REMEDY)
        what = too_large_in(session, error)
        return errors.too_large(self.conn_id, what, self.max_row_bytes) if what else None

    def writes(self, table: str) -> TableWrites:
        """See `core.ports.Database.writes`."""
        with self._using("looking at what writing to the table meets") as session:
            return table_writes(session, table)

    def refusal(self, statement: Any) -> str | None:
        """See `core.ports.Database.refusal`."""
        with self._translated("asking whether rows may be written"):
            return refusal(self._open_for_lock, *self._compiled(statement))

    def now(self) -> dt.datetime:
        """See `core.ports.Database.now`."""
        with self._using("asking for the time") as session:
            [(now,)] = session.rows(_NOW)
        return dt.datetime.fromisoformat(f"{now}+00:00")

    def marking(self, of: Column) -> Any:
        """See `core.ports.Database.marking`."""
        return self._known.marking(of)

    def reflect(self, table: str | None, sql: str | None) -> Reflected:
        """See `core.ports.Database.reflect`."""
        self._known = Known()
        found = super().reflect(table, sql)
        return replace(found, state=found.state._replace(order=dict(self._known.collations)))

    def _query_state(self, selectable: Any) -> TableState:
        """See `SqlDatabase._query_state`."""
        with self._using("looking for the tables of the query") as session:
            return below_query(session, str(selectable)).state(session)

    def _inspect(self, table: str) -> TableFacts:
        with self._using("looking for the table") as session:
            self._known.entry = entry = inspect_table(session, table)
            return entry.facts

    def check(self, query: Any) -> None:
        """See `core.ports.Database.check`; what the last reflection found of the columns is kept."""
        self._look(query.subquery("legacy_events_check"))

    def _look(self, selectable: Any, invisible: Sequence[str] = ()) -> list[tuple[str, types.Type, int]]:
        columns: tuple[Any, ...] = (sa.literal_column("*"), *map(sa.column, invisible))
        statement, parameters = self._compiled(sa.select(*columns).select_from(selectable).limit(0))
        with self._using("looking at the columns") as session, self._limited(session):
            try:
                return types.described(session, statement, parameters)
            except MySQLdb.Error as error:
                if is_lost(error) or code_of(error) in INTERRUPTED:
                    raise
                raise errors.refused_query(self.conn_id, reason_of_query(error)) from None

    def _describe(self, selectable: Any, not_null: frozenset[str]) -> tuple[tuple[Column, ...], dict[str, str]]:
        known = self._known
        found = self._look(selectable, known.entry.invisible if known.entry is not None else ())
        spellings = {name: type_.spell for name, type_, _ in found if type_.spell is not None}
        texts = [name for name, type_, _ in found if type_.kind is Kind.TEXT and type_.spell is None]
        answer = self._character_sets(selectable, texts) if texts else []
        known.collations = charsets.collations(texts, answer)
        doubtful = charsets.doubtful(texts, answer)
        known.spellings = spellings | {name: partial(charsets.guarded, at=at) for at, name in enumerate(doubtful)}
        known.guards = dict(enumerate(doubtful))
        known.unbounded = frozenset(name for name, _, length in found if length > MEDIUM_BYTES)
        known.digits = types.digits(found)
        json = known.entry.json if known.entry is not None else ()
        typed = [(name, types.JSON if name in json else type_) for name, type_, _ in found]
        columns = tuple(
            Column(name, type_.kind, type_.name, name not in not_null)
            for name, type_ in typed
            if type_.kind is not None
        )
        return columns, {name: type_.name for name, type_ in typed if type_.kind is None}

    def bounded(self, column: Column) -> Any:
        """See `core.ports.Database.bounded`; only columns that may hold so much are measured, see `sizes`."""
        if column.name in self._known.unbounded:
            return bounded_column(column, self.max_row_bytes)
        return super().bounded(column)

    def _character_sets(self, selectable: Any, texts: Sequence[str]) -> list[str]:
        """Return the answer to `charsets.question`."""
        statement, parameters = self._compiled(charsets.question(selectable, texts))
        with self._using("looking at the columns") as session, session.connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchone())

    def _until_now(self, value: Any, kind: Kind, lag_seconds: float, timezone: str) -> Any:
        """Compare with the server's clock, which is read now."""
        with self._using("asking for the server's time") as session:
            [(now,)] = session.rows(_NOW)
        moment = dt.datetime.fromisoformat(f"{now}+00:00") - dt.timedelta(seconds=lag_seconds)
        if kind is not Kind.INSTANT:
            moment = moment.astimezone(zoneinfo.ZoneInfo(timezone))
        text = moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        return value <= bound(text[:10] if kind is Kind.DATE else text)

    def text(self, value: Any, column: Column) -> str:
        """See `core.ports.Database.text`; see `types`."""
        return types.text(value, column)

    def bind(self, text: str, column: Column) -> Any:
        """See `core.ports.Database.bind`; see `types`."""
        return types.bind(text, column)

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        """See `core.ports.Database.read`; rows are tuples of texts, bytes and None."""
        statement, parameters = self._compiled(self._spelled(query))
        with self._using("reading") as session, self._limited(session), self._readable(statement, parameters):
            chunks = self._stream(session, statement, parameters)
            try:
                with contextlib.closing(chunks):
                    return self._gather(query, chunks, max_bytes)
            except MySQLdb.Error as error:
                if what := too_large_in(session, error):
                    raise errors.too_large(self.conn_id, what, self.max_row_bytes) from None
                raise

    @contextmanager
    def _readable(self, statement: str, parameters: Any) -> Iterator[None]:
        """Let the error of a read name the column whose text can't become Unicode."""
        try:
            yield
        except UnicodeDecodeError:
            with contextlib.closing(self._connect()) as session, self._limited(session):
                column = charsets.unreadable_column(session, statement, parameters)
            raise errors.unreadable(self.conn_id, column, *charsets.REMEDY) from None
        except MySQLdb.Error as error:
            if (column := charsets.lost_column(error, self._known.guards)) is None:
                raise
            raise errors.unreadable(self.conn_id, column, *charsets.REMEDY) from None

    def _spelled(self, query: Any) -> Any:
        return self._known.spelled(query, self._dialect.identifier_preparer.quote_identifier)

    def _stream(self, session: Session, statement: str, parameters: Any) -> Rows:
        """Yield chunks of rows as they arrive; if the reader stops early the statement is killed."""
        ended = False
        cursor = session.connection.cursor(SSCursor)
        try:
            cursor.execute(statement, parameters)
            while chunk := cursor.fetchmany(self._chunks.rows):
                yield list(chunk)
            ended = True
        finally:
            if not ended:
                self._killer.end_statement(session.number)
            with contextlib.suppress(MySQLdb.Error):
                cursor.close()
            if not ended:
                session.absorb()

    @contextmanager
    def _limited(self, session: Session) -> Iterator[None]:
        """Interrupt a statement after its timeout, where the server has no such limit."""
        if session.limits_time:
            yield
            return
        with deadline(self.statement_timeout_seconds, lambda: self._interrupt(session), session.absorb):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See `core.ports.Database.snapshot`: one REPEATABLE READ transaction, whose start fixes what is seen."""
        doing = "holding a snapshot"
        with self._using(doing) as session:
            session.rows("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        try:
            yield
        finally:
            with contextlib.suppress(SourceError), self._using(doing) as session:
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
            raise errors.failed(self.conn_id, doing, found) from None
