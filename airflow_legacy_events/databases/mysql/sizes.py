"""Size limits: the server refuses to send a value that no message could hold, since the driver takes rows whole."""

from __future__ import annotations

from typing import Any

import MySQLdb
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.databases.conditions import bound
from airflow_legacy_events.databases.mysql.session import Session, code_of

MEDIUM_BYTES = 2**24 - 1
"""Columns declared up to 16 MiB are small; the servers report computed values as 16 MiB, whatever they hold."""
_MORE_THAN_ONE_ROW = 1242
_VARIABLE = "@legacy_events_too_large"


def bounded_column(column: Column, most: int) -> Any:
    """Return a CASE that fails the statement above the limit.

    MariaDB and MySQL have no function in common that fails with a given text. A scalar subquery of two rows fails, and
    a variable of the session keeps the column and the size.
    """
    found: Any = sa.column(column.name)
    size = sa.func.octet_length(found)
    report: Any = sa.func.concat(size, " ", bound(column.name))
    kept: Any = sa.literal_column(_VARIABLE).op(":=")(report)
    failing = sa.union_all(sa.select(kept), sa.select(size)).scalar_subquery()
    measured = sa.case((size > sa.literal_column(str(most)), failing))
    return sa.case((measured.is_(None), found)).label(column.name)


def too_large_in(session: Session, error: MySQLdb.Error) -> str | None:
    """Return what the session keeps of a value above the limit; None for any other error."""
    if code_of(error) != _MORE_THAN_ONE_ROW:
        return None
    [(report,)] = session.rows(f"SELECT CONVERT({_VARIABLE} USING utf8mb4)")
    session.rows(f"SET {_VARIABLE} = NULL")
    size, _, name = (report or "").partition(" ")
    return f"column {name!r} holds a value of {size} bytes" if name else None
