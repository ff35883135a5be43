"""PostgreSQL through psycopg 3: values stay the text that the server sends."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg.types.string import TextLoader

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.core.model import Column, Kind
from airflow_legacy_events.core.ports import Lease
from airflow_legacy_events.databases.base import SqlDatabase, bound
from airflow_legacy_events.databases.postgres_lock import AdvisoryLock

_KINDS = {
    Kind.INTEGER: ("int2", "int4", "int8", "oid"),
    Kind.DECIMAL: ("numeric",),
    Kind.FLOAT: ("float4", "float8"),
    Kind.BOOLEAN: ("bool",),
    Kind.TEXT: ("text", "varchar", "bpchar", "name", '"char"'),
    Kind.DATE: ("date",),
    Kind.TIME: ("time", "timetz"),
    Kind.TIMESTAMP: ("timestamp",),
    Kind.INSTANT: ("timestamptz",),
    Kind.UUID: ("uuid",),
    Kind.JSON: ("json", "jsonb"),
    Kind.BYTES: ("bytea",),
}
_KIND_OF = {psycopg.postgres.types[name].oid: kind for kind, names in _KINDS.items() for name in names}

# Everything that shapes the text of a value is pinned; the session can't write, whatever the role may do.
_SESSION = (
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex';"
    " SET extra_float_digits = 1; SET xmloption = 'content'; SET lc_monetary = 'C';"
    " SET default_transaction_read_only = on; SET statement_timeout = {timeout:d}"
)
_CHUNK_ROWS = 256
_SAMPLE = slice(0, None, 64)


class PostgresDatabase(SqlDatabase):
    """PostgreSQL 12 and later."""

    def _make_engine(self) -> sa.Engine:
        return sa.create_engine(self.url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")

    def _connect(self) -> sa.Connection:
        with self._translated("connecting"):
            session = self._engine.connect()
            raw = _raw(session)
            raw.prepare_threshold = None
            raw.execute(_SESSION.format(timeout=max(1, int(self.statement_timeout_seconds * 1000))).encode())
        self._cursor = psycopg.Cursor(raw)
        for known in psycopg.postgres.types:
            self._cursor.adapters.register_loader(known.oid, TextLoader)
        return session

    def identity(self) -> dict[str, str]:
        """The cluster's system identifier and timeline, and the database."""
        with self._translated("asking for the server's identity"):
            row = (
                _raw(self.session)
                .execute(
                    "SELECT s.system_identifier::text, c.timeline_id::text, current_database()"
                    " FROM pg_control_system() s, pg_control_checkpoint() c"
                )
                .fetchone()
            )
        system, timeline, database = cast("tuple[str, str, str]", row)
        return {"system_identifier": system, "timeline": timeline, "database": database}

    def lock(self, name: str, holder: Mapping[str, Any]) -> AbstractContextManager[Lease]:
        """A session-level advisory lock on a session of its own; see `AdvisoryLock`."""
        return AdvisoryLock(self._connect_plain, name, holder, self.log).held()

    def _connect_plain(self) -> psycopg.Connection[Any]:
        _, options = self._engine.dialect.create_connect_args(self.url)
        with self._translated("connecting"):
            return psycopg.connect(**options, autocommit=True, prepare_threshold=None)

    def _describe(self, selectable: Any, not_null: frozenset[str]) -> tuple[tuple[Column, ...], dict[str, str]]:
        statement, parameters = self._compiled(sa.select(sa.literal_column("*")).select_from(selectable).limit(0))
        self.session  # noqa: B018  opens it
        try:
            self._cursor.execute(statement.encode(), parameters)
        except psycopg.OperationalError as error:
            raise self._failed("looking at the columns", error) from error
        except psycopg.Error as error:
            raise ConfigurationError(
                f"connection {self.conn_id!r} refused the query: {_reason(error)}."
                " Nothing was read; correct table= or sql="
            ) from error
        found = self._cursor.description or ()
        columns = [
            Column(c.name, _KIND_OF[c.type_code], c.type_display, c.name not in not_null)
            for c in found
            if c.type_code in _KIND_OF
        ]
        return tuple(columns), {c.name: self._type_name(c) for c in found if c.type_code not in _KIND_OF}

    def _type_name(self, column: psycopg.Column) -> str:
        row = _raw(self.session).execute("SELECT format_type(%s, NULL)", (column.type_code,)).fetchone()
        return str(row[0]) if row else column.type_display

    def past(self, column: Any, kind: Kind, lag_seconds: float, timezone: str) -> Any:
        """See `core.ports.Database.past`; `now()` is the server's."""
        now = (
            sa.text("now()")
            if not lag_seconds
            else sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, lag_seconds)
        )
        if kind is Kind.INSTANT:
            return column <= now
        local = sa.func.timezone(bound(timezone), now)
        return column <= (sa.cast(local, sa.Date) if kind is Kind.DATE else local)

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        """See `core.ports.Database.read`; rows are tuples of texts and None."""
        statement, parameters = self._compiled(query)
        raw = _raw(self.session)
        in_snapshot = raw.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        with self._translated("reading"):
            if not in_snapshot or max_bytes is None:
                return self._stream(statement, parameters, max_bytes)
            # Ending a statement early breaks its transaction: the savepoint keeps the snapshot.
            with raw.transaction() as savepoint:
                rows = self._stream(statement, parameters, max_bytes)
                raise psycopg.Rollback(savepoint)
        return rows

    def _stream(self, statement: str, parameters: Any, max_bytes: int | None) -> list[tuple[Any, ...]]:
        found = cast(
            "Generator[tuple[Any, ...], None, None]",
            self._cursor.stream(statement.encode(), parameters, size=_CHUNK_ROWS),
        )
        rows: list[tuple[Any, ...]] = []
        size = 0.0
        try:
            while chunk := list(islice(found, _CHUNK_ROWS)):
                rows += chunk
                sample = chunk[_SAMPLE]
                size += (
                    sum(len(value) for row in sample for value in row if value is not None) * len(chunk) / len(sample)
                )
                if max_bytes is not None and size >= max_bytes:
                    break
        finally:
            found.close()
        return rows

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One REPEATABLE READ transaction."""
        raw = _raw(self.session)
        with self._translated("holding a snapshot"), raw.transaction():
            raw.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    def _interrupt(self, session: sa.Connection) -> None:
        raw = _raw(session)
        if not raw.closed:
            raw.cancel_safe(timeout=1)
            raw.close()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self._failed(doing, error) from error
        except sa.exc.DBAPIError as error:
            raise self._failed(doing, error.orig or error) from error

    def _failed(self, doing: str, error: BaseException) -> SourceError:
        return SourceError(f"connection {self.conn_id!r} failed while {doing}: {_reason(error)}")


def _raw(session: sa.Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", session.connection.driver_connection)


def _reason(error: BaseException) -> str:
    """The server's sentence and code; its DETAIL may hold values of rows."""
    diagnosis = error.diag if isinstance(error, psycopg.Error) else None
    if diagnosis is not None and diagnosis.message_primary:
        return f"{diagnosis.message_primary} (SQLSTATE {diagnosis.sqlstate})"
    return str(error).strip().replace("\n", " ")
