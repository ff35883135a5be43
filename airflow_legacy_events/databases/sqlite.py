"""SQLite through Python's own driver; values are the plain Python values that it gives."""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
import zoneinfo
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.core.model import Column, Kind
from airflow_legacy_events.core.ports import Lease
from airflow_legacy_events.databases.base import SqlDatabase, bound
from airflow_legacy_events.databases.sqlite_lock import FileLock

# The first word of a declared type that is found says what is meant; SQLite itself keeps any value in any column.
_DECLARED = (
    (Kind.BOOLEAN, ("BOOL",)),
    (Kind.INTEGER, ("INT",)),
    (Kind.DECIMAL, ("DEC", "NUMERIC", "MONEY")),
    (Kind.FLOAT, ("REAL", "FLOA", "DOUB")),
    (Kind.INSTANT, ("TIMESTAMPTZ", "WITH TIME ZONE")),
    (Kind.TIMESTAMP, ("TIMESTAMP", "DATETIME")),
    (Kind.DATE, ("DATE",)),
    (Kind.TIME, ("TIME",)),
    (Kind.UUID, ("UUID", "GUID")),
    (Kind.JSON, ("JSON",)),
    (Kind.TEXT, ("CHAR", "CLOB", "TEXT", "STRING")),
    (Kind.BYTES, ("BLOB", "BINARY", "BYTEA")),
)
_CHUNK_ROWS = 256
_SAMPLE = slice(0, None, 64)
_STEPS_BETWEEN_LOOKS = 100_000


class SqliteDatabase(SqlDatabase):
    """A SQLite 3 file."""

    @property
    def path(self) -> Path:
        """The database file, symbolic links resolved."""
        return Path(self.url.database or "").resolve()

    def _make_engine(self) -> sa.Engine:
        return sa.create_engine("sqlite://", creator=self._open, poolclass=sa.pool.NullPool)

    def _open(self) -> sqlite3.Connection:
        # mode=rw makes no new file; a file that may only be read is opened read-only by SQLite itself.
        raw = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",
            uri=True,
            check_same_thread=False,
            isolation_level=None,
            timeout=self.statement_timeout_seconds,
        )
        raw.execute("PRAGMA query_only = ON")
        return raw

    def _connect(self) -> sa.Connection:
        if not self.path.is_file():
            raise SourceError(f"connection {self.conn_id!r} names the file {str(self.path)!r}, there is none")
        with self._translated("opening the file"):
            session = self._engine.connect()
            _raw(session).execute("SELECT count(*) FROM sqlite_master").fetchone()
        return session

    def identity(self) -> dict[str, str]:
        """The file's path and application id."""
        with self._translated("asking for the file's identity"):
            application = _raw(self.session).execute("PRAGMA application_id").fetchone()[0]
        return {"application_id": str(application), "path": str(self.path)}

    def lock(self, name: str, holder: Mapping[str, Any]) -> AbstractContextManager[Lease]:
        """A file beside the database; see `FileLock`."""
        return FileLock(self.path, name, holder, self.log).held()

    def _describe(self, selectable: Any, not_null: frozenset[str]) -> tuple[tuple[Column, ...], dict[str, str]]:
        statement, _ = self._compiled(sa.select(sa.literal_column("*")).select_from(selectable))
        try:
            declared = self._declared(_raw(self.session), statement)
        except sqlite3.Error as error:
            raise ConfigurationError(
                f"connection {self.conn_id!r} refused the query: {error}. Nothing was read; correct table= or sql="
            ) from error
        return tuple(Column(name, _kind(type_), type_, name not in not_null) for name, type_ in declared), {}

    def _declared(self, raw: sqlite3.Connection, statement: str) -> list[tuple[str, str]]:
        """The names and declared types of the columns, which only a view tells; it lives in the temporary database."""
        raw.execute("PRAGMA query_only = OFF")
        try:
            raw.execute(f"CREATE TEMP VIEW legacy_events_shape AS {statement}")
            rows = raw.execute("SELECT name, type FROM pragma_table_xinfo('legacy_events_shape')").fetchall()
            raw.execute("DROP VIEW temp.legacy_events_shape")
        finally:
            raw.execute("PRAGMA query_only = ON")
        return rows

    def past(self, column: Any, kind: Kind, lag_seconds: float, timezone: str) -> Any:
        """See `core.ports.Database.past`; SQLite's clock is that of the process that reads."""
        moment = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=lag_seconds)
        if kind is not Kind.INSTANT:
            moment = moment.astimezone(zoneinfo.ZoneInfo(timezone)).replace(tzinfo=None)
        text = moment.isoformat(sep=" ", timespec="microseconds")
        if kind is Kind.DATE:
            return sa.func.julianday(column) <= sa.func.julianday(bound(text[:10]))
        return sa.func.julianday(column) <= sa.func.julianday(bound(text))

    def text(self, value: Any, column: Column) -> str:
        """Texts as they are, numbers in their shortest exact form, blobs in hex."""
        if isinstance(value, bytes):
            return value.hex()
        if column.kind in _NUMBERS and isinstance(value, str):
            raise SourceError(
                f"column {column.name!r} is declared {column.type!r} but holds text in some rows; SQLite orders text"
                " after every number, so it can't be a watermark or key as it is: use sql= with a CAST"
            )
        return value if isinstance(value, str) else repr(value)

    def bind(self, text: str, column: Column) -> Any:
        """The value that `text` was made of."""
        if column.kind in _NUMBERS:
            return int(text) if text.lstrip("-").isdigit() else float(text)
        return bytes.fromhex(text) if column.kind is Kind.BYTES else text

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        """See `core.ports.Database.read`."""
        statement, parameters = self._compiled(query)
        raw = _raw(self.session)
        deadline = time.monotonic() + self.statement_timeout_seconds
        raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
        rows: list[tuple[Any, ...]] = []
        size = 0.0
        with self._translated("reading"):
            cursor = raw.execute(statement, parameters)
            try:
                while chunk := cursor.fetchmany(_CHUNK_ROWS):
                    rows += chunk
                    sample = chunk[_SAMPLE]
                    size += sum(_width(value) for row in sample for value in row) * len(chunk) / len(sample)
                    if max_bytes is not None and size >= max_bytes:
                        break
            finally:
                cursor.close()
        return rows

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read transaction."""
        raw = _raw(self.session)
        with self._translated("holding a snapshot"):
            raw.execute("BEGIN")
            try:
                yield
            finally:
                raw.execute("COMMIT")

    def _interrupt(self, session: sa.Connection) -> None:
        _raw(session).interrupt()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, sa.exc.DBAPIError) as error:
            reason = getattr(error, "orig", None) or error
            if getattr(reason, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                reason = f"ended after the statement timeout of {self.statement_timeout_seconds:g} s, or by a stop"
            raise SourceError(f"connection {self.conn_id!r} failed while {doing}: {reason}") from error


_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN})


def _kind(declared: str) -> Kind:
    upper = declared.upper()
    return next((kind for kind, words in _DECLARED if any(word in upper for word in words)), Kind.ANY)


def _width(value: Any) -> int:
    return len(value) if isinstance(value, (str, bytes)) else 8


def _raw(session: sa.Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", session.connection.driver_connection)
