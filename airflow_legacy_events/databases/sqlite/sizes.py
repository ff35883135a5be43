"""Row size guard: SQLite detects rows that are too large before Python loads them.

It is for rows that are too large as a whole, though each of their values is small enough.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind

_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN})
_FAILING = "abs(-9223372036854775808)"
_FAILED = "integer overflow"


def bounded_column(column: Column, quoted: str) -> Any:
    """Return the column for a SELECT. One that may contain text or blobs has a label, by which `guarded` finds it."""
    plain: Any = sa.column(column.name)
    return plain if column.kind in _NUMBERS else sa.literal_column(quoted).label(column.name)


def guarded(query: Any, most: int) -> Any:
    """Return a SELECT that fails at a row of more bytes. With fewer than two such columns it is unchanged.

    The session limits the size of a single value.
    """
    labels = _labels(query)
    if len(labels) < 2:  # noqa: PLR2004
        return query
    first = labels[0]
    checked: Any = sa.literal_column(f"CASE WHEN {_total(labels)} > {most:d} THEN {_FAILING} ELSE {first.element} END")
    elements = [checked.label(one.name) if one is first else one for one in query.selected_columns]
    return query.with_only_columns(*elements)


def bytes_of_large_row(
    error: sqlite3.Error, session: sqlite3.Connection, query: Any, most: int, compiled: Callable[[Any], tuple[str, Any]]
) -> int | None:
    """Return the bytes of the first row that is too large, if that made a guarded SELECT fail; else None.

    Args:
        error: of the SELECT.
        session: inside its transaction.
        query: the unguarded SELECT.
        most: row size limit in bytes.
        compiled: returns text and parameters of a SELECT.
    """
    labels = _labels(query)
    if str(error) != _FAILED or len(labels) < 2:  # noqa: PLR2004
        return None
    statement, parameters = compiled(query.with_only_columns(sa.literal_column(_total(labels)).label("total")))
    found = session.execute(f"SELECT total FROM ({statement}) WHERE total > {most:d} LIMIT 1", parameters)  # noqa: S608
    row = found.fetchone()
    return None if row is None else int(row[0])


def _labels(query: Any) -> list[Any]:
    columns = getattr(query, "selected_columns", ())
    return [one for one in columns if isinstance(one, sa.Label) and isinstance(one.element, sa.ColumnClause)]


def _total(labels: list[Any]) -> str:
    return " + ".join(f"ifnull(length(CAST({one.element} AS BLOB)), 0)" for one in labels)
