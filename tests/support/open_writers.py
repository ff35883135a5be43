"""Open writers of a table, as a database's port shows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from airflow_legacy_events.core.ports import RowWriters, Written
from tests.support.legacy import Legacy, plain


@contextmanager
def writers_of(
    legacy: Legacy, column: str, *, table: str | None = "t", sql: str | None = None, timezone: str = "UTC", **url: Any
) -> Iterator[RowWriters]:
    """The writers of a table's or query's rows, by the column of their position."""
    database = legacy.database(**url)
    try:
        found = database.reflect(table, sql)
        [of] = [one for one in found.columns if one.name == column]
        writers = database.writers(Written(table, of, timezone, found.state))
        assert writers is not None
        yield writers
    finally:
        database.close()


@contextmanager
def session(legacy: Legacy, options: str = "", **url: Any) -> Iterator[Any]:
    """Another session of the application on PostgreSQL; what it leaves open is rolled back."""
    connection = psycopg.connect(plain(legacy.url.set(**url)), autocommit=True, options=options or None)
    try:
        yield connection
    finally:
        connection.close()


def pid_of(connection: Any) -> int:
    """The process of a session on PostgreSQL."""
    return int(connection.info.backend_pid)


def pids(found: Any) -> set[int | None]:
    """The processes of those that are open."""
    return {one.pid for one in found.values()}
