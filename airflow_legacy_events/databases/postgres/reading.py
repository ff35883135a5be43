"""Page reads of one database, on its read session."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

import psycopg

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.chunks import Chunks, Row
from airflow_legacy_events.databases.postgres.chunk_size import ChunkSize
from airflow_legacy_events.databases.postgres.expectation import UnknownTypesError, check_fields
from airflow_legacy_events.databases.postgres.prefetch import Prefetch
from airflow_legacy_events.databases.postgres.session import Session
from airflow_legacy_events.databases.postgres.sizes import Sizes, too_large_in
from airflow_legacy_events.databases.postgres.statement import Field, Statement
from airflow_legacy_events.databases.postgres.types import Type, find_types


class _Page(NamedTuple):
    """Compiled query with its chunk size.

    Attributes:
        query: of SQLAlchemy.
        statement: its text and parameters.
        rows: to fetch at a time.
        most: row size limit in bytes.
    """

    query: Any
    statement: tuple[str, Any]
    rows: int
    most: int


class PageReader:
    """Reads the pages of one database.

    Args:
        conn_id: Airflow's name of the connection, for messages.
        max_row_bytes: a larger row is refused.
        compiled: returns a statement's text and parameters.
        prefetch: of the session.

    Attributes:
        types: column types by oid, those looked up so far.
        names: column names of every table and query that was described.
    """

    def __init__(
        self, conn_id: str, max_row_bytes: int, compiled: Callable[[Any], tuple[str, Any]], prefetch: Prefetch
    ) -> None:
        self._conn_id, self._most, self._compiled, self._prefetch = conn_id, max_row_bytes, compiled, prefetch
        # Other queries don't predict the row width of the next page.
        self._chunks, self._others = (Chunks(conn_id, max_row_bytes) for _ in range(2))
        self._size = ChunkSize(max_row_bytes)
        self._last: _Page | None = None
        self.types: dict[int, Type] = {}
        self.names: set[str] = set()

    def begin(self, session: Session, query: Any) -> None:
        """Prefetch: send a page's SELECT ahead of its read."""
        self._prefetch.begin(partial(Statement, session.texts), *self._page(query).statement)

    def statement(self, query: Any) -> tuple[str, Any]:
        """Return the text and parameters of a query's next read."""
        return self._page(query).statement

    def read(self, session: Session, query: Any, max_bytes: int | None) -> list[Row]:
        """Return the rows of a query; see `core.ports.Database.read`.

        Raises:
            psycopg.Error, UnicodeDecodeError: the session failed.
        """
        while True:
            page = self._page(query)
            try:
                found = self._rows(session, page, max_bytes)
            except UnknownTypesError as error:
                self.types |= find_types(session.connection, error.oids)
            except psycopg.Error as error:
                alone = page.rows == 1
                self._size.met(refused_row(error, self._conn_id, self._most, self.names, key_of(query), alone=alone))
                self._last = None
            else:
                self._size.done()
                return found

    def _page(self, query: Any) -> _Page:
        """Cache the last page: otherwise each one is compiled twice, for the prefetch and for the read."""
        last = self._last  # another thread may read too
        if last is None or last.query is not query:
            rows = self._size.rows(self._chunks_of(query).rows)
            most = self._size.bytes(rows)
            limited = query.execution_options(row_bytes=most) if hasattr(query, "execution_options") else query
            last = self._last = _Page(query, self._compiled(limited), rows, most)
        return last

    def _rows(self, session: Session, page: _Page, max_bytes: int | None) -> list[Row]:
        text, parameters = page.statement
        expected = page.query.get_execution_options().get("expected")
        check = None if expected is None else partial(self.check, expected)
        chunks = self._chunks_of(page.query)
        with contextlib.closing(
            self._prefetch.take(text, parameters) or Statement(session.texts, text, parameters)
        ) as sent:
            return chunks.gather(sent.chunks(page.rows, check), max_bytes, key_of(page.query))

    def _chunks_of(self, query: Any) -> Chunks:
        return self._chunks if "expected" in query.get_execution_options() else self._others

    def check(self, expected: Sequence[Column], fields: Sequence[Field]) -> None:
        """Check the columns of a result; see `check_fields`."""
        check_fields(self._conn_id, fields, expected, self.types)


def refused_row(
    error: psycopg.Error, conn_id: str, most: int, names: Collection[str], key: Sequence[str], *, alone: bool
) -> int:
    """Return the size in bytes of a row that was too large for its chunk.

    Args:
        error: of the statement.
        conn_id: Airflow's name of the connection.
        most: row size limit in bytes.
        names: of the known columns.
        key: of the rows.
        alone: whether the row was the only one in its chunk.

    Raises:
        EnvelopeError: it is too large for any chunk.
        psycopg.Error: the statement failed for another reason.
    """
    sizes = too_large_in(error.diag.message_primary or "", names)
    if sizes is None:
        raise error
    if sizes.row > most or alone:
        raise too_large(conn_id, sizes, most, key) from None
    return sizes.row


def too_large(conn_id: str, sizes: Sizes, most: int, key: Sequence[str] = ()) -> EnvelopeError:
    """Return the error for a row above the limit. It names the column if a single value is above it."""
    name, size = max(sizes.columns.items(), key=lambda one: one[1])
    if size <= most:
        return errors.row_too_large(conn_id, sizes.row, most, key)
    keyed = f" in a row of key columns {', '.join(map(repr, key))}" if key else ""
    return errors.too_large(conn_id, f"column {name!r} holds a value of {size} bytes{keyed}", most)


def key_of(query: Any) -> Sequence[str]:
    """Return the names of a query's key columns; empty if unknown."""
    found: Sequence[str] = query.get_execution_options().get("key_columns", ())
    return found
