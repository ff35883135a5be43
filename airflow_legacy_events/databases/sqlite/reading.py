"""SQLite reads: pages and streams of rows."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.base import SqlDatabase
from airflow_legacy_events.databases.sqlite import columns, sizes
from airflow_legacy_events.databases.sqlite.session import Guard, Session

READING = "reading"


class Reader(SqlDatabase[Session]):
    """The pages and streams of `SqliteDatabase`."""

    _guard: Guard
    _schema_version: int

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        """See `core.ports.Database.read`."""
        with self._using(READING) as session, contextlib.closing(self._rows_of(session, query)) as chunks:
            rows = self._gather(query, chunks, max_bytes)
        if max_bytes is not None:  # otherwise `text` checks the values
            columns.check_times(query.get_execution_options().get("expected", ()), rows)
        return rows

    def _rows_of(self, session: Session, query: Any) -> Generator[list[tuple[Any, ...]], None, None]:
        statement, parameters = self._compiled(sizes.guarded(query, self.max_row_bytes))
        expected = query.get_execution_options().get("expected", ())
        if (origin := columns.origin_of(expected)) is not None:
            origin.check(session, self._guard, self._schema_version, expected)
        with self._bounded(session, query), contextlib.closing(session.execute(statement, parameters)) as cursor:
            yield from self._chunks.one_by_one(cursor.fetchone)

    def _stream_rows(self, session: Session, query: Any) -> Generator[list[tuple[Any, ...]], None, None]:
        with contextlib.closing(self._rows_of(session, query)) as chunks:
            for chunk in chunks:
                columns.check_times(query.get_execution_options().get("expected", ()), chunk)
                yield chunk

    def bounded(self, column: Column) -> Any:
        """See `core.ports.Database.bounded`; see `sizes`."""
        return sizes.bounded_column(column, self._dialect.identifier_preparer.quote_identifier(column.name))

    @contextmanager
    def _bounded(self, session: Session, query: Any) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            found = sizes.bytes_of_large_row(error, session, query, self.max_row_bytes, self._compiled)
            if found is None:
                raise
            key = query.get_execution_options().get("key_columns", ())
            raise errors.row_too_large(self.conn_id, found, self.max_row_bytes, key) from None
