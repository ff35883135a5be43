"""Other SQL databases, through their SQLAlchemy dialects."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Lease, TableWrites
from airflow_legacy_events.core.sql_dialects import Dialect
from airflow_legacy_events.databases import errors, keyset
from airflow_legacy_events.databases.conditions import bound
from airflow_legacy_events.databases.deadline import deadline
from airflow_legacy_events.databases.generic import sizes, values
from airflow_legacy_events.databases.generic.catalog import inspect_columns, inspect_table
from airflow_legacy_events.databases.generic.dialects import traits_of
from airflow_legacy_events.databases.generic.lock import RowLock
from airflow_legacy_events.databases.generic.reasons import reason_of_query, reason_of_read
from airflow_legacy_events.databases.generic.rights import missing
from airflow_legacy_events.databases.generic.session import Session, watched
from airflow_legacy_events.databases.generic.shapes import Shapes, columns_of
from airflow_legacy_events.databases.generic.streaming import Streamed
from airflow_legacy_events.databases.generic.writes import table_writes
from airflow_legacy_events.databases.generic.writing import literal, refusal
from airflow_legacy_events.databases.quoting import quote_all
from airflow_legacy_events.databases.reflection import TableFacts

T = TypeVar("T")

_LONGEST_REASON = 500
_READING = "reading"
_IN_BRACKETS = "It is read as a subquery: if the database allows no WITH or ORDER BY there, create a view of it."


class GenericDatabase(Streamed):
    """A database that is known only through its SQLAlchemy dialect.

    Each read runs in its own transaction, which is rolled back. It is read-only if the dialect supports that.
    """

    enters_by_position = False
    row_values = False  # few dialects compare row values
    has_partial_indexes = False

    def __init__(self, url: sa.URL, **options: Any) -> None:
        super().__init__(url, **options)
        self.backend = url.get_backend_name()
        self._traits = traits_of(self.backend)
        self._url = url.update_query_dict({k: v for k, v in self._traits.query.items() if k not in url.query})
        self.holds_snapshot = self._traits.snapshot is not None
        self._opening: Session | None = None
        self._engine = self._make_engine()
        self._shapes = Shapes(self.conn_id, self._engine.dialect.loaded_dbapi)
        sa.event.listen(self._engine, "connect", self._prepare)

    def _make_engine(self) -> sa.Engine:
        try:
            engine = watched(sa.create_engine(self._url, poolclass=sa.NullPool, hide_parameters=True))
        except sa.exc.ArgumentError:  # its text contains the URL
            raise ConfigurationError(f"connection {self.conn_id!r}: its URL is not a {self.backend} URL") from None
        quote_all(engine.dialect)
        return engine

    def _prepare(self, connection: Any, _: Any) -> None:
        self._traits.reading(connection, self.statement_timeout_seconds)
        for statement in self._traits.read_only:
            with contextlib.closing(connection.cursor()) as cursor:
                cursor.execute(statement)
        if self._traits.read_only:
            connection.commit()

    def _connect(self) -> Session:
        self._opening = Session(self._engine, self._traits.interrupt)
        with self._translated("connecting"):
            return self._opening.open()

    def _connect_to_write(self) -> Session:
        engine = self._make_engine()
        sa.event.listen(engine, "connect", lambda connection, _: self._traits.writing(connection))
        session, doing = Session(engine, self._traits.interrupt), "connecting"
        with self._answering(doing, session.cut), self._translated(doing):
            return session.open()

    def _cut_session(self) -> None:
        session = self._session or self._opening
        if session is not None:
            session.cut()

    def _ask(self, doing: str, work: Callable[[sa.Connection], T]) -> T:
        """Return the result of `work(connection)`. It runs in its own transaction, or in the snapshot's."""

        def transaction(connection: sa.Connection) -> T:
            try:
                if self._traits.first and not connection.in_transaction():
                    connection.exec_driver_sql(self._traits.first)
                return work(connection)
            finally:
                if not self._in_snapshot:
                    connection.rollback()

        with self._using(doing) as session, self._limited(doing, session):
            return session.call(transaction)

    @contextmanager
    def _limited(self, doing: str, session: Session) -> Iterator[None]:
        with deadline(self.statement_timeout_seconds, session.interrupt) as watch:
            try:
                yield
            except sa.exc.SQLAlchemyError:
                if not watch.over and not self._closed.is_set():
                    raise
                raise errors.failed(self.conn_id, doing, errors.timed_out(self.statement_timeout_seconds)) from None

    @property
    def sql_dialect(self) -> Dialect:
        """See `core.ports.Database.sql_dialect`."""
        return self._traits.sql

    def identity(self) -> dict[str, str]:
        """Return the dialect, host, port and database from the URL, and the server's own name if known."""
        parts: dict[str, Any] = {
            "dialect": self.backend,
            "host": self.url.host,
            "port": self.url.port,
            "database": self.url.database,
        }
        query: Any = sa.select(sa.literal_column(self._traits.server or "1"))
        answer = self._ask("reading the server's identity", lambda session: session.execute(query).scalar())
        parts["server"] = answer if self._traits.server else None
        return {name: str(value) for name, value in parts.items() if value}

    @property
    def server_version(self) -> str:
        """Server version, as determined by the dialect while connecting; empty before, or if it reports none."""
        return ".".join(map(str, getattr(self._engine.dialect, "server_version_info", None) or ()))

    @contextmanager
    def lock(self, name: str, holder: Mapping[str, Any], *, table: str | None = None) -> Iterator[Lease]:
        """See `core.ports.Database.lock`: a row of the table `legacy_events_locks`, see `RowLock`."""
        with RowLock(self._connect_to_write, name, holder, self.log, table=table).held() as lease:
            yield lease

    def writes(self, table: str) -> TableWrites:
        """See `core.ports.Database.writes`."""
        doing = "checking what a write to the table sets off"
        return self._ask(doing, lambda session: table_writes(session, table, self._traits))

    def refusal(self, statement: Any) -> str | None:
        """See `core.ports.Database.refusal`."""
        doing = "checking whether rows may be written"
        with (
            contextlib.closing(self._connect_to_write()) as session,
            self._answering(doing, session.cut),
            self._translated(doing),
            self._limited(doing, session),
        ):
            return session.call(lambda connection: refusal(connection, statement, self.url.username))

    def _inspect(self, table: str) -> TableFacts:
        return self._ask("looking for the table", lambda session: inspect_table(session, table, self._traits))

    def _describe(
        self,
        selectable: Any,
        not_null: frozenset[str],  # noqa: ARG002  reflected columns have it
        names: Sequence[str] | None = None,  # noqa: ARG002
    ) -> tuple[tuple[Column, ...], dict[str, str]]:
        look = inspect_columns if isinstance(selectable, sa.TableClause) else self._describe_query
        return self._ask("looking up the columns", lambda session: look(session, selectable))

    def _describe_query(self, session: sa.Connection, query: Any) -> tuple[tuple[Column, ...], dict[str, str]]:
        one: Any = sa.literal_column("1")
        if self.backend == "postgresql":  # its protocol allows one statement with parameters
            one = sa.literal(1)
        nothing = one == sa.literal_column("0")
        try:
            result: Any = session.execute(sa.select(sa.literal_column("*")).select_from(query).where(nothing))
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise
            found = self._without_password(reason_of_query(error))
            refused = errors.refused_query(self.conn_id, found, _IN_BRACKETS)
            raise errors.with_grants(refused, missing(error, self.url.username)) from None
        with contextlib.closing(result):
            described = result.cursor.description if result.cursor is not None else ()
            return columns_of(self._engine.dialect.loaded_dbapi, list(result.keys()), described)

    def bounded(self, column: Column) -> Any:
        """See `core.ports.Database.bounded`; only for dialects known to fail this way, see `sizes`."""
        if self._traits.bounds_large_objects and sizes.is_large_object(column):
            return sizes.bounded_column(column, self.max_row_bytes)
        return super().bounded(column)

    def ordered(self, column: Column) -> bool:
        """See `core.ports.Database.ordered`: Firebird sorts large objects by storage location."""
        return not sizes.is_large_object(column)

    def misordered(self, selectable: Any, column: Column) -> str | None:
        """See `core.ports.Database.misordered`."""
        if (look := self._traits.misordered) is None:
            return None
        return self._ask("checking the order of a column", lambda session: look(session, selectable, column))

    def reached(self, moment: dt.datetime, lag_seconds: float) -> Any:
        """See `core.ports.Database.reached`; compared in Python, since some databases can't compare two parameters."""
        now = (self.now() - dt.timedelta(seconds=lag_seconds)).replace(tzinfo=None)
        return sa.literal_column("1") == sa.literal_column("1" if moment <= now else "0")

    def _until_now(self, value: Any, kind: Kind, lag_seconds: float, timezone: str) -> Any:
        """Compare with the database's clock, which is read now and bound as a parameter minus the lag."""
        moment = self.now() - dt.timedelta(seconds=lag_seconds)
        return value <= bound(values.moment_in(timezone, kind, moment))

    def now(self) -> dt.datetime:
        """See `core.ports.Database.now`."""
        query: Any = sa.select(sa.literal_column(self._traits.utc_now or "CURRENT_TIMESTAMP"))
        found = self._ask("reading the server's time", lambda session: session.execute(query).scalar())
        return values.moment_of(found, in_utc=bool(self._traits.utc_now))

    def among(self, columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Any:
        """See `core.ports.Database.among`; numbers and text are literals, since many databases take few parameters."""
        return keyset.among(columns, rows, lambda value: bound(literal(value)))

    def marking(self, of: Column) -> Any:
        """See `core.ports.Database.marking`: the clock's current value, since dialects share no expression for UTC."""
        return bound(values.moment_for(of.kind, self.now()))

    def text(self, value: Any, column: Column) -> str:
        """See `core.ports.Database.text`; see `values`."""
        return values.text(value, column)

    def bind(self, text: str, column: Column) -> Any:
        """See `core.ports.Database.bind`; DATETIME values are rounded to 1/300 s, as SQL Server does."""
        value = values.bind(text, column)
        if self.backend == "mssql" and column.type.upper() in ("DATETIME", "SMALLDATETIME"):
            return sa.cast(bound(value), sa.DATETIME())
        return value

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        """See `core.ports.Database.read`; values are plain, or in the text forms of `core.columns.Kind`."""
        expected = query.get_execution_options().get("expected")

        def rows(session: sa.Connection) -> list[tuple[Any, ...]]:
            options = {"stream_results": True} if max_bytes is not None else {}
            with contextlib.closing(session.execute(query, execution_options=options)) as result:
                names = list(result.keys())
                if expected is not None and result.cursor is not None:
                    first = slice(len(expected))
                    self._shapes.check(expected, names[first], result.cursor.description[first])
                chunks = self._chunks.one_by_one(result.fetchone)
                return self._gather(query, (values.exact(chunk, names) for chunk in chunks), max_bytes)

        return self._ask(_READING, rows)

    def _begin_snapshot(self, session: Session) -> None:
        with self._limited("holding a snapshot", session):
            session.call(self._begin_on)

    def _end_snapshot(self, session: Session) -> None:
        session.close()  # the isolation level is the session's; the next read opens another
        self._session = None

    def _begin_on(self, session: sa.Connection) -> None:
        if self._traits.snapshot:
            session.execution_options(isolation_level=self._traits.snapshot)
        session.exec_driver_sql(self._traits.first) if self._traits.first else session.begin()
        session.execute(sa.select(sa.literal_column("1")))

    def _interrupt(self, session: Session) -> None:
        session.interrupt()

    def _cut(self, session: Session) -> None:
        session.cut()

    def _end(self, session: Session) -> None:
        session.close()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            if self._traits.bounds_large_objects and (what := sizes.too_large_in(str(getattr(error, "orig", error)))):
                raise errors.too_large(self.conn_id, what, self.max_row_bytes) from None
            found = reason_of_read(error) if doing == _READING else errors.one_line(error)
            failed = errors.failed(self.conn_id, doing, self._without_password(found))
            raise errors.with_grants(failed, missing(error, self.url.username)) from None

    def _without_password(self, found: str) -> str:
        text = found[:_LONGEST_REASON]
        return text.replace(str(self.url.password), "***") if self.url.password else text
