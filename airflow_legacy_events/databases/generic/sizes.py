"""A large object whose value the server refuses to send when no message could hold it, where a dialect can."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.databases.base import MAX_VALUE_BYTES

_MARK = "legacy-events-too-large"
_FOUND = re.compile(rf"{_MARK} (\d+) (.*?)\"(?:\s|\Z)", re.DOTALL)


def is_large_object(column: Column) -> bool:
    """Whether a column is kept beside its row: it has no order, and its values no bound."""
    return "LOB" in column.type.upper()


def bounded_column(column: Column) -> Any:
    """Return a CASE that fails the statement above the bound: no text of ours is a number."""
    found: Any = sa.column(column.name)
    size = sa.func.octet_length(found)
    told: Any = sa.literal_column(f"'{_MARK} '") + sa.cast(size, sa.String(20)) + sa.literal_column(_text(column.name))
    failing = sa.cast(told, sa.Integer)
    measured = sa.case((size > sa.literal_column(str(MAX_VALUE_BYTES)), failing))
    return sa.case((measured.is_(None), found)).label(column.name)


def _text(name: str) -> str:
    return "' " + name.replace("'", "''") + "'"


def too_large_in(message: str) -> str | None:
    """Return what an error of the server says of a value that was too large; None where it is another error."""
    found = _FOUND.search(message)
    return None if found is None else f"column {found[2]!r} holds a value of {found[1]} bytes"
