"""Holes in a sequence of ids: below the first one, no row can appear any more."""

from __future__ import annotations

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.rows import Rows

_FIRST, _MOST = 1_000, 1_000_000
"""Rows that one statement counts; each counts four times as many as the one before."""


def has_no_room(rows: Rows) -> bool:
    """Whether the position is one unique integer column: between two neighbouring ids no row can appear."""
    columns = rows.selection.columns
    return len(columns) == 1 and columns[0].kind is Kind.INTEGER and rows.selection.distinct


def before_first_hole(rows: Rows, above: Values, high: Values) -> Values:
    """Return the highest id up to which every id above `above` is there; `above` if the next one is missing.

    Args:
        rows: whose position is one unique integer column.
        above: an id; no row at or below it can appear any more.
        high: where the search ends.
    """
    low, end, step = int(above[0]), int(high[0]), _FIRST
    while low < end:
        next_end = min(low + step, end)
        if not _is_whole(rows, low, next_end):
            return (str(_bisect(rows, low, next_end)),)
        low, step = next_end, min(4 * step, _MOST)
    return (str(low),)


def _bisect(rows: Rows, whole: int, holed: int) -> int:
    low = whole
    while holed - whole > 1:
        middle = (whole + holed) // 2
        if _is_whole(rows, low, middle):
            whole = middle
        else:
            holed = middle
    return whole


def _is_whole(rows: Rows, low: int, high: int) -> bool:
    return rows.count(Start((str(low),)), high - low, (str(high),)) == high - low
