"""Size limits: the server refuses to send a value that no message could hold, since libpq would take it whole."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.limits import MAX_ROW_BYTES

_SMALL = frozenset({*TEMPORAL, Kind.TIME, Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN, Kind.UUID})
_MEASURED = frozenset({"text", "varchar", "bytea"})
_MARK = "legacy-events-too-large"
_REPORT = re.compile(rf"{_MARK} (\d+) (.*)\"", re.DOTALL)
_COMPRESSION = 200
STORED_SMALL = MAX_ROW_BYTES // _COMPRESSION
"""A value that is stored in fewer bytes is below the usual limit: compression saves a factor of a hundred or so."""


def bounded_column(column: Column, most: int) -> Any:
    """Return the column, or for a type without a bound a CASE that fails the statement above the limit.

    For a value that is stored in a few bytes only its stored size is looked at, which is cheap.
    """
    found: Any = sa.column(column.name)
    if column.kind in _SMALL or "(" in column.type:
        return found
    size = sa.func.octet_length(found if column.type in _MEASURED else sa.cast(found, sa.Text))
    # A text that is no number: the only way to fail inside a SELECT, and its error holds what is said here.
    failing = sa.cast(sa.func.concat(_MARK, " ", size, " ", column.name), sa.Integer)
    measured = sa.case((size > sa.literal_column(str(most)), failing))
    looked = sa.case((sa.func.pg_column_size(found) > sa.literal_column(str(most // _COMPRESSION)), measured))
    return sa.case((looked.is_(None), found)).label(column.name)


def too_large_in(message: str) -> str | None:
    """Return what an error of the server says of a value above the limit; None for any other error."""
    found = _REPORT.search(message)
    return None if found is None else f"column {found[2]!r} holds a value of {found[1]} bytes"
