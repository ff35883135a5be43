"""Size guard: the server refuses to send a row that is too large for a message, since the driver buffers whole rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import MySQLdb
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.chunks import CHUNK_BYTES
from airflow_legacy_events.databases.conditions import bound
from airflow_legacy_events.databases.mysql.session import Session, code_of

MEDIUM_BYTES = 2**24 - 1
"""Reported length of computed values, regardless of their contents."""

LARGE_BYTES = 2**20
"""Maximum declared bytes of a small column."""

_ROWS = 128
_SHORT_BYTES = 1_024
_MORE_THAN_ONE_ROW = 1242
_VARIABLE = "@legacy_events_too_large"
_LONGEST_REPORT = 99
_REPORT = re.compile(r"([0-9]{1,18}) (.*)", re.DOTALL)


def bounded_column(column: Column, most: int) -> Any:
    """Return a CASE that fails the statement if the column is larger than `most` bytes.

    MariaDB and MySQL have no common function that fails with a given message. A scalar subquery of two rows fails, and
    a session variable keeps the column and the size.
    """
    found: Any = sa.column(column.name)
    size = sa.func.octet_length(found)
    return _failing(found, size, most, _report(size, column.name))


def bounded_together(columns: Sequence[Any], names: Collection[str], most: int) -> list[Any]:
    """Return a page's columns; the first one fails the statement if all of `names` together are too large.

    It reports the column that alone is too large, or none.
    """
    bare: dict[str, Any] = {name: sa.column(name) for name in names}
    sizes: dict[str, Any] = {name: sa.func.octet_length(one) for name, one in bare.items()}
    zero: Any = sa.literal_column("0")
    total: Any = sum((sa.func.coalesce(size, zero) for size in sizes.values()), start=zero)
    alone = ((size > _number(most), _report(size, name)) for name, size in sizes.items())
    first = next(iter(bare))
    guarded = bare | {first: _failing(bare[first], total, most, sa.case(*alone, else_=_report(total, "")))}
    return [guarded.get(one.name, one) for one in columns]


def _failing(found: Any, size: Any, most: int, report: Any) -> Any:
    kept: Any = sa.literal_column(_VARIABLE).op(":=")(report)
    failing = sa.union_all(sa.select(kept), sa.select(size)).scalar_subquery()
    measured = sa.case((size > _number(most), failing))
    return sa.case((measured.is_(None), found)).label(found.name)


def _report(size: Any, name: str) -> Any:
    return sa.func.concat(size, " ", bound(name))


def _number(value: int) -> Any:
    return sa.literal_column(str(value))


def singly(result: Any) -> Iterator[list[tuple[Any, ...]]]:
    """Yield chunks of rows fetched one by one. Memory holds at most about `CHUNK_BYTES` plus one row at a time.

    Args:
        result: the driver's; it converts all rows of a fetch before any of them can be checked.
    """
    long = [at for at, field in enumerate(result.describe()) if field[3] % 2**32 > _SHORT_BYTES]  # the driver signs it
    chunk: list[tuple[Any, ...]] = []
    size, fetch = 0, result.fetch_row
    while one := fetch():
        chunk += one
        for at in long:
            size += len(one[0][at] or "")
        if size >= CHUNK_BYTES or len(chunk) == _ROWS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def too_large_in(
    session: Session, error: Exception, conn_id: str, most: int, names: Collection[str], key: Sequence[str] = ()
) -> EnvelopeError | None:
    """Return this package's error for a value or row above the limit; None for any other error.

    Args:
        session: the one whose statement failed.
        error: of the driver.
        conn_id: Airflow's name of the connection.
        most: the limit in bytes.
        names: of the measured columns; the session variable may have been written by anything else.
        key: names of the key columns.
    """
    if not isinstance(error, MySQLdb.Error) or code_of(error) != _MORE_THAN_ONE_ROW:
        return None
    [(report,)] = session.rows(f"SELECT LEFT(CONVERT({_VARIABLE} USING utf8mb4), {_LONGEST_REPORT})")
    session.rows(f"SET {_VARIABLE} = NULL")
    found = _REPORT.fullmatch(report or "")
    if found is None or found[2] not in ("", *names):
        return None
    if not found[2]:
        return errors.row_too_large(conn_id, int(found[1]), most, key)
    return errors.too_large(conn_id, f"column {found[2]!r} holds a value of {found[1]} bytes", most)
