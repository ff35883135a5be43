"""MySQL and MariaDB through mysqlclient: values are kept as the text that the server sends."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import MySQLdb
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.ports import (
    ChangeLog,
    Lease,
    LogOptions,
    RowWriters,
    ServerZone,
    TableState,
    TableWrites,
    Written,
)
from airflow_legacy_events.core.sql_dialects import Dialect
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.conditions import bound
from airflow_legacy_events.databases.mysql import charsets, types
from airflow_legacy_events.databases.mysql.catalog import inspect_table
from airflow_legacy_events.databases.mysql.changelog.access import Access
from airflow_legacy_events.databases.mysql.changelog.session import LogSession
from airflow_legacy_events.databases.mysql.connected import ConnectedMysql
from airflow_legacy_events.databases.mysql.lock import NamedLock
from airflow_legacy_events.databases.mysql.logged import opened
from airflow_legacy_events.databases.mysql.reading import Reader
from airflow_legacy_events.databases.mysql.rights import DENIED, PartlyReadableError, refused_query, wanted
from airflow_legacy_events.databases.mysql.session import INTERRUPTED, Session, code_of, is_lost
from airflow_legacy_events.databases.mysql.sizes import LARGE_BYTES, MEDIUM_BYTES, bounded_column, too_large_in
from airflow_legacy_events.databases.mysql.spelling import Known
from airflow_legacy_events.databases.mysql.underlying import below_query
from airflow_legacy_events.databases.mysql.writers import MysqlRowWriters
from airflow_legacy_events.databases.mysql.writes import table_writes
from airflow_legacy_events.databases.mysql.writing import refusal
from airflow_legacy_events.databases.mysql.written import Writing
from airflow_legacy_events.databases.reflection import Reflected, TableFacts, looked_at
from airflow_legacy_events.databases.writing import Reading, Right

# The name UTC doesn't need the server's time zone tables, which are often empty.
_NOW = "SELECT UTC_TIMESTAMP(6)"


class MysqlDatabase(Reader):
    """MariaDB 10.2 and later, MySQL 5.6 and later."""

    row_values = False  # not used for index range scans
    has_partial_indexes = False

    @property
    def sql_dialect(self) -> Dialect:
        """See `core.ports.Database.sql_dialect`."""
        with self._using("asking how texts are read") as session:
            return session.sql_dialect

    @contextmanager
    def lock(self, name: str, holder: Mapping[str, Any], *, table: str | None = None) -> Iterator[Lease]:
        """See `core.ports.Database.lock`: a named lock on a separate session, see `NamedLock`."""
        connect, database = self._open_for_lock, self.url.database or ""
        reading = Reading(lambda query: self._compiled(self._spelled(query)), self._refused)
        with NamedLock(connect, reading, database, name, holder, self.log, table=table).held() as lease:
            yield lease

    def _refused(self, error: Exception, session: Session) -> LegacyEventsError | None:
        column = charsets.lost_column(error, self._known.guards)
        if column is not None or isinstance(error, UnicodeDecodeError):
            return errors.unreadable(self.conn_id, column, *charsets.REMEDY)
        return too_large_in(session, error, self.conn_id, self.max_row_bytes, self._known.unbounded)

    def writes(self, table: str) -> TableWrites:
        """See `core.ports.Database.writes`."""
        self._known.wanted = wanted(table, None)
        with self._using("checking what a write to the table sets off") as session:
            return table_writes(session, table)

    def refusal(self, statement: Any) -> str | None:
        """See `core.ports.Database.refusal`."""
        with self._translated("checking whether rows may be written"):
            return refusal(self._open_for_lock, *self._compiled(statement), Right.of(statement))

    def change_log(self, options: LogOptions) -> ChangeLog:
        """See `core.ports.Database.change_log`; without slots, publications and logical messages."""
        access = Access(
            conn_id=self.conn_id,
            database=self.url.database or "",
            connect=self._open_for_log,
            options=self._driver_options,
            hold=self.snapshot,
            look=self._look,
            timeout_seconds=self.statement_timeout_seconds,
            max_row_bytes=self.max_row_bytes,
            log=self.log,
        )
        return opened(access, options)

    def connected(self) -> ConnectedMysql:
        """Return the server as the source of a connector; it connects on first use."""
        session = LogSession(self._open_for_log, self.conn_id, self.statement_timeout_seconds)
        return ConnectedMysql(session, self.url.database or "")

    def writers(self, of: Written) -> RowWriters:
        """See `core.ports.Database.writers`."""
        server = self._lister(), self._process()
        return MysqlRowWriters(of, self.conn_id, *server, self.now, self._prepared, self._is_galera)

    def now(self) -> dt.datetime:
        """See `core.ports.Database.now`."""
        with self._using("reading the server's time") as session:
            [(now,)] = session.rows(_NOW)
        return dt.datetime.fromisoformat(f"{now}+00:00")

    def zone(self) -> ServerZone:
        """See `core.ports.Database.zone`."""
        with self._using("reading the server's time zone") as session:
            return session.zone

    def marking(self, of: Column) -> Any:
        """See `core.ports.Database.marking`."""
        return self._known.marking(of)

    def reflect(self, table: str | None, sql: str | None) -> Reflected:
        """See `core.ports.Database.reflect`."""
        self._known = Known(wanted=wanted(table, sql))
        found = super().reflect(table, sql)
        self._tables.add(found.selectable, found.columns, self._known)
        writing = (found.state.writing or Writing())._replace(digits=dict(self._known.digits))
        state = found.state._replace(order=dict(self._known.collations), writing=writing)
        withheld, entry = self._known.withheld, self._known.entry
        unique = () if withheld.hides and entry is not None and entry.hides_key else found.unique
        return replace(found, state=state, withheld=withheld, unique=unique)

    def _query_state(self, selectable: Any) -> TableState:  # noqa: ARG002
        """See `SqlDatabase._query_state`; it was determined before the query was first sent."""
        return self._known.state

    def _find_below(self, selectable: Any) -> None:
        with self._using("looking up the tables of the query") as session:
            below = below_query(session, str(selectable))
            self._known.functions, self._known.state = below.functions, below.state(session)

    def _inspect(self, table: str) -> TableFacts:
        with self._using("looking for the table") as session:
            entry = inspect_table(session, table)
        self._known.entry, self._known.functions = entry, entry.functions
        return entry.facts

    def check(self, query: Any) -> None:
        """See `core.ports.Database.check`; the column facts of the last reflection are kept."""
        self._reported(query.subquery("legacy_events_check"))

    def _reported(self, selectable: Any) -> list[tuple[str, types.Type, int]]:
        """Return the reported columns of a query, or those of a table that this user may read."""
        entry = self._known.entry
        if entry is None or not isinstance(selectable, sa.TableClause):
            return self._described(sa.select(sa.literal_column("*")).select_from(selectable))
        found = None
        if not (entry.is_partly and entry.readable):
            every: tuple[Any, ...] = (sa.literal_column("*"), *map(sa.column, entry.invisible))
            with contextlib.suppress(PartlyReadableError):
                found = self._described(sa.select(*every).select_from(selectable), partly=bool(entry.readable))
        if found is None:
            self._known.withheld = entry.partly
            found = self._described(looked_at(selectable, entry.readable))
        return sorted(found, key=lambda one: entry.places.get(one[0], len(entry.places)))

    def _described(self, query: Any, *, partly: bool = False) -> list[tuple[str, types.Type, int]]:
        statement, parameters = self._compiled(query.limit(0))
        with self._using("looking up the columns") as session, self._limited(session):
            session.touched = self._known.functions
            try:
                return types.described(session, statement, parameters)
            except MySQLdb.Error as error:
                if is_lost(error) or code_of(error) in INTERRUPTED:
                    raise
                if partly and code_of(error) in DENIED:
                    raise PartlyReadableError from None
                raise refused_query(session, self.conn_id, error, statement) from None

    def _describe(
        self,
        selectable: Any,
        not_null: frozenset[str],
        names: Sequence[str] | None = None,  # noqa: ARG002
    ) -> tuple[tuple[Column, ...], dict[str, str]]:
        known = self._known
        if known.entry is None:
            self._find_below(selectable)
        found = self._reported(selectable)
        spellings = {name: type_.spell for name, type_, _ in found if type_.spell is not None}
        texts = [name for name, type_, _ in found if type_.kind is Kind.TEXT and type_.spell is None]
        answer = self._character_sets(selectable, texts) if texts else []
        known.collations = charsets.collations(texts, answer)
        doubtful = charsets.doubtful(texts, answer)
        known.spellings = spellings | {name: partial(charsets.guarded, at=at) for at, name in enumerate(doubtful)}
        known.guards = dict(enumerate(doubtful))
        large = MEDIUM_BYTES if known.computes else LARGE_BYTES
        known.unbounded = frozenset(name for name, _, length in found if length > large)
        known.digits = types.digits(found)
        known.lengths = {name: length for name, type_, length in found if type_.kind in (Kind.TEXT, Kind.BYTES)}
        typed = [(name, types.JSON if name in known.json else type_) for name, type_, _ in found]
        columns = tuple(
            Column(name, type_.kind, type_.name, name not in not_null)
            for name, type_ in typed
            if type_.kind is not None
        )
        return columns, {name: type_.name for name, type_ in typed if type_.kind is None}

    def bounded(self, column: Column) -> Any:
        """See `core.ports.Database.bounded`; only columns that can exceed the limit are measured, see `sizes`."""
        if (column.name, column.type) in self._tables.unbounded:
            return bounded_column(column, self.max_row_bytes)
        return super().bounded(column)

    def _character_sets(self, selectable: Any, texts: Sequence[str]) -> list[str]:
        """Return the answer to `charsets.question`."""
        statement, parameters = self._compiled(charsets.question(selectable, texts))
        with self._using("looking up the columns") as session, session.connection.cursor() as cursor:
            session.touched = self._known.functions
            cursor.execute(statement, parameters)
            return list(cursor.fetchone())

    def _until_now(self, value: Any, kind: Kind, lag_seconds: float, timezone: str) -> Any:
        """Compare with the server's clock, read now."""
        with self._using("reading the server's time") as session:
            [(now,)] = session.rows(_NOW)
        moment = dt.datetime.fromisoformat(f"{now}+00:00") - dt.timedelta(seconds=lag_seconds)
        if kind is not Kind.INSTANT:
            moment = moment.astimezone(zone_named(timezone))
        text = moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        return value <= bound(text[:10] if kind is Kind.DATE else text)

    def text(self, value: Any, column: Column) -> str:
        """See `core.ports.Database.text`; see `types`."""
        return types.text(value, column)

    def bind(self, text: str, column: Column) -> Any:
        """See `core.ports.Database.bind`; see `types`."""
        return types.bind(text, column)
