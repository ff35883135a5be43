"""Size guard: if the dialect allows it, the server refuses to send a large object that is too large for a message."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column

_MARK = "legacy-events-too-large"
_REPORT = re.compile(rf"{_MARK} (\d+) (.*?)\"(?:\s|\Z)", re.DOTALL)


def is_large_object(column: Column) -> bool:
    """Return whether a column is a large object, stored outside its row: unordered, and without a size limit."""
    return "LOB" in column.type.upper()


def bounded_column(column: Column, most: int) -> Any:
    """Return a CASE that fails the statement above the limit, through a CAST of non-numeric text."""
    found: Any = sa.column(column.name)
    size = sa.func.octet_length(found)
    report: Any = (
        sa.literal_column(f"'{_MARK} '") + sa.cast(size, sa.String(20)) + sa.literal_column(_text(column.name))
    )
    failing = sa.cast(report, sa.Integer)
    measured = sa.case((size > sa.literal_column(str(most)), failing))
    return sa.case((measured.is_(None), found)).label(column.name)


def _text(name: str) -> str:
    return "' " + name.replace("'", "''") + "'"


def too_large_in(message: str) -> str | None:
    """Return the column and size from a server error about a value above the limit; None for any other error."""
    found = _REPORT.search(message)
    return None if found is None else f"column {found[2]!r} holds a value of {found[1]} bytes"
