"""A column whose value the server refuses to send when no message could hold it: a row is taken whole by the driver."""

from __future__ import annotations

from typing import Any

import MySQLdb
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.databases.base import MAX_VALUE_BYTES, bound
from airflow_legacy_events.databases.mysql.session import Session, code_of

MEDIUM_BYTES = 2**24 - 1
"""What a result says to hold no more is small; the lengths of computed values are told as 16 MiB, whatever comes."""
_MORE_THAN_ONE_ROW = 1242
_FOUND = "@legacy_events_too_large"


def bounded_column(column: Column) -> Any:
    """Return a CASE that fails the statement above the bound.

    No function of both servers fails with a text of ours: a subquery of two rows does, and a variable of the session
    keeps what it was about.
    """
    found: Any = sa.column(column.name)
    size = sa.func.octet_length(found)
    told: Any = sa.func.concat(size, " ", bound(column.name))
    kept: Any = sa.literal_column(_FOUND).op(":=")(told)
    failing = sa.union_all(sa.select(kept), sa.select(size)).scalar_subquery()
    measured = sa.case((size > sa.literal_column(str(MAX_VALUE_BYTES)), failing))
    return sa.case((measured.is_(None), found)).label(column.name)


def too_large_in(session: Session, error: MySQLdb.Error) -> str | None:
    """Return what the session keeps of a value that was too large; None where it was another error."""
    if code_of(error) != _MORE_THAN_ONE_ROW:
        return None
    [(told,)] = session.rows(f"SELECT CONVERT({_FOUND} USING utf8mb4)")
    session.rows(f"SET {_FOUND} = NULL")
    size, _, name = (told or "").partition(" ")
    return f"column {name!r} holds a value of {size} bytes" if name else None
