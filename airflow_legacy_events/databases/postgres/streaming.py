"""Streamed PostgreSQL statement: its rows are fetched as slowly as the reader takes them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import psycopg

from airflow_legacy_events.databases.chunks import Row
from airflow_legacy_events.databases.postgres.chunk_size import ChunkSize
from airflow_legacy_events.databases.postgres.expectation import UnknownTypesError
from airflow_legacy_events.databases.postgres.reading import PageReader, key_of, refused_row
from airflow_legacy_events.databases.postgres.session import Session, tell
from airflow_legacy_events.databases.postgres.statement import Statement
from airflow_legacy_events.databases.postgres.types import find_types

_MOST_ROWS = 128
# No timeout while the reader works on a page. No synchronized scans: each statement reads a table from its beginning.
_STREAMED = (
    b"SET LOCAL statement_timeout = 0; SET LOCAL synchronize_seqscans = off;"
    b" SET LOCAL max_parallel_workers_per_gather = 0"
)


def streamed(
    session: Session, query: Any, compiled: Callable[[Any], tuple[str, Any]], pages: PageReader, most: int, conn_id: str
) -> Generator[list[Row], None, None]:
    """Yield the rows of a query in chunks; see `core.ports.Database.stream`.

    A statement fails at a row that is too large for its chunk. It is then sent again in smaller chunks, skipping the
    rows already read; within one snapshot their order is stable.

    Args:
        session: in a snapshot.
        query: of SQLAlchemy.
        compiled: returns a statement's text and parameters.
        pages: page reader with the known types and columns.
        most: row size limit in bytes.
        conn_id: Airflow's name of the connection.

    Raises:
        EnvelopeError, SchemaChangedError, psycopg.Error, UnicodeDecodeError: the read failed.
    """
    tell(session.connection, _STREAMED)
    check, size, taken = partial(pages.check, query.get_execution_options().get("expected", ())), ChunkSize(most), 0
    while True:
        rows = size.rows(_MOST_ROWS)
        limited = query.execution_options(row_bytes=size.bytes(rows)).offset(taken or None)
        try:
            with contextlib.closing(Statement(session.texts, *compiled(limited))) as sent:
                for chunk in sent.chunks(rows, check):
                    taken += len(chunk)
                    yield chunk
        except UnknownTypesError as error:
            pages.types |= find_types(session.connection, error.oids)
        except psycopg.Error as error:
            size.met(refused_row(error, conn_id, most, pages.names, key_of(query), alone=rows == 1))
        else:
            return
