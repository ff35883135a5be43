"""Completeness of a page: verifies that it holds every row between its ends, if the catalog does not prove it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Horizon
from airflow_legacy_events.sources.place import Found, Start
from airflow_legacy_events.sources.rows import Rows

_TRIES = 3
"""A condition of the user's query may read the clock in each statement, so the second may match one more row; a page
that is read again then holds it."""

_TAIL = 16
"""Number of rows at the end of a page that are compared one by one."""

_LONG = frozenset({Kind.TEXT, Kind.BYTES, Kind.JSON, Kind.ARRAY, Kind.ANY})
"""Kinds whose values a database may sort by a prefix, or by another order than its comparisons."""


def as_proved(horizon: Horizon, rows: Rows) -> Horizon:
    """Return the horizon of a run over `rows`, with lower completeness if its pages can't be proved complete."""
    if _is_proved(rows) or rows.database.holds_snapshot:
        return horizon
    why = (
        f"that no two rows are equal in {_names(rows)} is not verified, since this database has no known snapshot in"
        " which a page could be counted: a row that is sorted differently than it is compared may be skipped"
    )
    return horizon._replace(completeness="best_effort", reason=f"{horizon.reason}; {why}")


def whole(rows: Rows, read: Callable[[], Found], *, held: bool = False) -> list[tuple[Any, ...]]:
    """Return the page from `read`, after verifying that it holds all rows between its ends.

    Nothing is verified if the catalog is proof. Otherwise the number of rows between its ends is read in the page's
    snapshot. If the sort order may differ from that of comparisons, the positions of the last rows are read too.
    Without a snapshot only rows equal to the last one are counted.

    Args:
        rows: to read.
        read: reads the page.
        held: whether a snapshot is held already.

    Raises:
        ConfigurationError: rows would be skipped.
    """
    if _is_proved(rows):
        return read().rows
    if not rows.database.holds_snapshot:
        found = read()
        if found.rows and _tied(rows, found.rows):
            raise _ties(rows)
        return found.rows
    for _ in range(_TRIES):
        with nullcontext() if held else rows.database.snapshot():
            found = read()
            if not found.rows or _holds_all(rows, found):
                return _told_apart(rows, found.rows)
            tied = _tied(rows, found.rows)
    raise _ties(rows) if tied else _unordered(rows)


def _is_proved(rows: Rows) -> bool:
    """Whether the catalog proves that a page holds all rows between its ends."""
    return rows.selection.distinct and rows.state.unsorted.isdisjoint(one.name for one in rows.selection.columns)


def _holds_all(rows: Rows, found: Found) -> bool:
    """Whether further statements find no row between the ends of a page that is missing from it.

    The number alone is no proof if the sort order differs from that of comparisons: as many rows as are missing may lie
    beyond the last one. In that case the rows directly before the last one differ too.
    """
    page, start = found
    last = rows.values(page[-1])
    if rows.count(start, len(page) + 1, last) > len(page):
        return False
    if not any(column.kind in _LONG for column in rows.selection.columns):
        return True
    if len(page) > _TAIL:
        start = Start(rows.values(page[-_TAIL - 1]), tied=start.tied)
    between = Counter(rows.positions(start, _TAIL + 1, last))
    return not between - Counter(_positions(rows, page[-_TAIL:]))


def _told_apart(rows: Rows, page: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the page; unless the user named the key, positions must be unique, or rows would share an event id."""
    if rows.selection.named_key or len(set(_positions(rows, page))) == len(page):
        return page
    raise _ties(rows)


def _positions(rows: Rows, page: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    position = rows.selection.position
    return [tuple(row[at] for at in position) for row in page]


def _tied(rows: Rows, page: list[tuple[Any, ...]]) -> bool:
    """Whether rows with the position of the last one are missing from the page."""
    last = rows.values(page[-1])
    here = sum(1 for _ in itertools.takewhile(lambda row: rows.values(row) == last, reversed(page)))
    return rows.count_at(last, here + 1) > here


def _names(rows: Rows) -> str:
    return ", ".join(repr(column.name) for column in rows.selection.columns)


def _ties(rows: Rows) -> ConfigurationError:
    return ConfigurationError(
        f"several rows of {rows.what} are equal in {_names(rows)}, and a page that ends among them would skip the rest;"
        " no row of that page was sent. Name key_columns= that together identify a row"
    )


def _unordered(rows: Rows) -> ConfigurationError:
    return ConfigurationError(
        f"a page of {rows.what} does not hold all rows between its first and its last one in {_names(rows)}: the"
        " database sorts these columns differently than it compares them, so pages would skip rows; no row of that page"
        " was sent. The cause is an index whose collation is out of date (REINDEX), a value longer than the server"
        " sorts by (max_sort_length), or a query that returns other rows each time. Name numbers or times as"
        " watermark_columns= and key_columns=, or an expression of the query whose order is that of its comparisons"
    )
