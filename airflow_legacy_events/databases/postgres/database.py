"""PostgreSQL through psycopg 3: values are kept as the text that the server sends."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import LegacyEventsError, SourceError
from airflow_legacy_events.core.ports import NextId, TableState, TableWrites
from airflow_legacy_events.core.row_security import APPLY
from airflow_legacy_events.core.sql_dialects import POSTGRES, Dialect
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.postgres import times
from airflow_legacy_events.databases.postgres.called import Calls
from airflow_legacy_events.databases.postgres.catalog import inspect_table
from airflow_legacy_events.databases.postgres.encoding import REMEDY, UNREADABLE, unreadable_column
from airflow_legacy_events.databases.postgres.entering import not_entered
from airflow_legacy_events.databases.postgres.expectation import carried
from airflow_legacy_events.databases.postgres.generators import next_id
from airflow_legacy_events.databases.postgres.operators import find_names
from airflow_legacy_events.databases.postgres.policies import is_policy, with_hidden
from airflow_legacy_events.databases.postgres.pooling import last_row
from airflow_legacy_events.databases.postgres.prefetch import Prefetch
from airflow_legacy_events.databases.postgres.qualified import Known, Named, QualifiedCompiler
from airflow_legacy_events.databases.postgres.query_state import query_state
from airflow_legacy_events.databases.postgres.reading import PageReader
from airflow_legacy_events.databases.postgres.refusals import refused
from airflow_legacy_events.databases.postgres.rights import explained, refused_query
from airflow_legacy_events.databases.postgres.server_facts import PostgresServerFacts
from airflow_legacy_events.databases.postgres.session import SNAPSHOT, Session, tell
from airflow_legacy_events.databases.postgres.sizes import TELLS_COMPRESSION_SINCE, bounded_column
from airflow_legacy_events.databases.postgres.statement import Field, Statement
from airflow_legacy_events.databases.postgres.storage import Storage, below_query
from airflow_legacy_events.databases.postgres.streaming import streamed
from airflow_legacy_events.databases.postgres.types import MONEY_FORM, find_types, holds_money
from airflow_legacy_events.databases.postgres.versions import VERSION, unchanged
from airflow_legacy_events.databases.postgres.writes import table_writes
from airflow_legacy_events.databases.postgres.writing import reason_of_read
from airflow_legacy_events.databases.reflection import Reflected, TableFacts, looked_at


class PostgresDatabase(PostgresServerFacts):
    """PostgreSQL 12 and later."""

    paramstyle = "numeric_dollar"
    version = VERSION
    has_slots = True
    clock: Any = sa.func.now

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._prefetch = Prefetch(self._turn, self.statement_timeout_seconds)
        self._known, self._names = Known(), dict[int, Named]()
        self._dialect.statement_compiler, self._dialect.known = QualifiedCompiler, self._known
        self._dialect.max_row_bytes, self._dialect.tells_compression = self.max_row_bytes, False
        self._pages = PageReader(self.conn_id, self.max_row_bytes, self._compiled, self._prefetch)
        self._calls = Calls(self.log, self.conn_id)
        self._storage = Storage()
        self._origins: dict[str, tuple[int, int]] = {}

    @contextmanager
    def _using(self, doing: str) -> Iterator[Session]:
        with super()._using(doing) as session:
            self._prefetch.give_up()
            with explained(session.connection, self.conn_id, doing):
                yield session

    def _connect(self) -> Session:
        session = super()._connect()
        self._dialect.tells_compression = session.connection.info.server_version >= TELLS_COMPRESSION_SINCE
        return session

    @property
    def sql_dialect(self) -> Dialect:
        """See `core.ports.Database.sql_dialect`."""
        return POSTGRES

    def next_id(self, table: str, column: str) -> NextId:
        """See `core.ports.Database.next_id`."""
        with self._using("reading the next id") as session:
            return next_id(session.connection, table, column)

    def storage(self, table: str | None, query: Any = None) -> Any:
        """See `core.ports.Database.storage`: file nodes by oid."""
        statement = None if query is None else super()._compiled(query)[0]
        with self._using("looking up where the rows are stored") as session:
            if table is None:
                return below_query(session.connection, str(statement))
            return self._storage.now(session.connection, table)

    def _refused(self, error: Exception, _: Any) -> LegacyEventsError | None:
        user, names = self.url.username, self._pages.names
        return refused(error, conn_id=self.conn_id, user=user, names=names, most=self.max_row_bytes)

    def writes(self, table: str) -> TableWrites:
        """See `core.ports.Database.writes`."""
        with self._using("checking what a write to the table sets off") as session:
            return table_writes(session.connection, table)

    def reflect(self, table: str | None, sql: str | None) -> Reflected:
        """See `core.ports.Database.reflect`. An array of NULLs can be arbitrarily large in a few stored bytes."""
        found = super().reflect(table, sql)
        if sql is not None or found.indexes is None:
            with self._using("looking up the functions that are called") as session:
                unheld = self._calls.warn(session.connection, table, sql)
            found = replace(found, state=found.state._replace(unheld=found.state.unheld or unheld))
        if self.row_security == APPLY:
            with self._using("checking what a policy hides") as session:
                query, _ = super()._compiled(sa.select(sa.literal_column("*")).select_from(found.selectable))
                found = replace(found, state=with_hidden(session.connection, query, found.state))
        arrays = any(column.kind is Kind.ARRAY for column in found.columns)
        return replace(found, small=False) if found.small and arrays else found

    def _inspect(self, table: str) -> TableFacts:
        with self._using("looking for the table") as session:
            return inspect_table(session.connection, table)

    def _query_state(self, selectable: Any) -> TableState:
        statement, _ = self._compiled(looked_at(selectable, None))
        with self._using("looking up what the query reads") as session:
            return query_state(session.connection, statement, self._origins)

    def _describe(
        self, selectable: Any, not_null: frozenset[str], names: Sequence[str] | None = None
    ) -> tuple[tuple[Column, ...], dict[str, str]]:
        statement, parameters = self._compiled(looked_at(selectable, names).limit(0))
        with self._using("looking up the columns") as session:
            try:
                found = Statement(session.texts, statement, parameters).fields()
            except psycopg.OperationalError:
                raise
            except psycopg.Error as error:
                if is_policy(error):
                    raise
                raise refused_query(session.connection, self.conn_id, error, statement) from None
            types = find_types(session.connection, [one.oid for one in found])
            self._pages.types |= types
            self._money |= any(holds_money(type_) for type_ in types.values())
            self._learn(session, selectable, found)
        self._origins = {one.name: one.origin for one in found}
        return carried(found, types, not_null)

    def _learn(self, session: Session, selectable: Any, fields: Sequence[Field]) -> None:
        """Remember the qualified type names of the columns for later statements."""
        if new := [one.oid for one in fields if one.oid not in self._names]:
            self._names |= find_names(session.connection, new)
        self._known.add(selectable, {one.name: self._names[one.oid] for one in fields})
        self._pages.names |= {one.name for one in fields}

    def bounded(self, column: Column) -> Any:
        """See `core.ports.Database.bounded`."""
        return bounded_column(column)

    def _until_now(self, value: Any, kind: Kind, lag_seconds: float, timezone: str) -> Any:
        return times.until_now(value, kind, lag_seconds, timezone, self.clock())

    def marking(self, of: Column) -> Any:
        """See `core.ports.Database.marking`."""
        return times.marking(of, self.clock())

    def unchanged(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], versions: Sequence[int]) -> Any:
        """See `core.ports.Database.unchanged`."""
        return unchanged(columns, rows, versions, self.among)

    def text(self, value: Any, column: Column) -> str:
        """See `core.ports.Database.text`; values are text already."""
        if value is None:
            raise errors.became_null(column)
        return str(value)

    def bind(self, text: str, column: Column) -> Any:  # noqa: ARG002
        """See `core.ports.Database.bind`; untyped text takes the type of the other operand."""
        return text

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        """See `core.ports.Database.read`; rows are tuples of str and None."""
        with super()._using("reading") as session, self._readable(session, query):
            return self._pages.read(session, query, max_bytes)

    def _forget_session(self) -> None:
        super()._forget_session()
        self._prefetch = Prefetch(self._turn, self.statement_timeout_seconds)

    def _stream_rows(self, session: Session, query: Any) -> Generator[list[tuple[Any, ...]], None, None]:
        if self._money:
            tell(session.connection, MONEY_FORM.encode())
        with self._readable(session, query):
            yield from streamed(session, query, self._compiled, self._pages, self.max_row_bytes, self.conn_id)

    @contextmanager
    def _readable(self, session: Session, query: Any) -> Iterator[None]:
        """Name the column with text that is not UTF-8, or the missing GRANT, in a read's error. No value is guessed."""
        try:
            with explained(session.connection, self.conn_id, "reading", lambda: self._pages.statement(query)[0]):
                yield
        except UNREADABLE:
            with self._beside("looking for the unreadable text") as connection:
                column = unreadable_column(connection, *self._pages.statement(query), self.statement_timeout_seconds)
            raise errors.unreadable(self.conn_id, column, REMEDY) from None  # the server's error quotes the text

    def prefetch(self, query: Any) -> None:
        """See `core.ports.Database.prefetch`.

        Nothing is sent inside a snapshot: cancelling it would end the snapshot.
        """
        with contextlib.suppress(SourceError), self._using("prefetching") as session:
            if session.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                self._pages.begin(session, query)

    def _begin_snapshot(self, session: Session) -> None:
        session.backend.check(last_row(tell(session.connection, SNAPSHOT)))

    def _end_snapshot(self, session: Session) -> None:
        session.connection.rollback()

    def close(self) -> None:
        """See `SqlDatabase.close`."""
        self._prefetch.close()
        super().close()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            if refused := self._refused(error, None):
                raise refused from None
            # Only the primary message is used: DETAIL and CONTEXT of the driver's error may contain row values.
            failed = errors.failed(self.conn_id, doing, reason_of_read(error, doing))
            raise errors.with_grants(failed, not_entered(error, self.url.username)) from None
