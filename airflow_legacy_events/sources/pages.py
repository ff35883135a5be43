"""Keyset pages of a run up to a target; each is prefetched while the previous one is being published."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.renewal import Reader
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.selection import Selection
from airflow_legacy_events.sources.share import share


class Page(NamedTuple):
    """One page.

    Attributes:
        rows: in order; empty if nothing is left up to the target.
        at: where the next page begins.
        final: whether it reaches the target.
        share: fraction of the range that is done after it, 0 to 1; None if unknown.
        selection: the columns of its rows.
    """

    rows: list[tuple[Any, ...]]
    at: Start
    final: bool
    share: float | None
    selection: Selection


def pages(rows: Rows, start: Start, target: Values, limits: Limits) -> Iterator[Page]:
    """Yield the pages from `start` to `target`; the last one is final unless `max_rows` was reached."""
    at, left, reader = start, limits.max_rows, Reader(rows)
    low: str | None = at.values[0] if at.values else None
    query = reader.rows.query(at, target, _limit(limits, left))
    while left is None or left > 0:
        found = reader.page(at, target, _limit(limits, left), query)
        rows = reader.rows
        if found:
            at = rows.next_start(found)
            low = low or rows.values(found[0])[0]
        final = not found or at.values == target
        left = None if left is None else left - len(found)
        if not final and left != 0:
            query = rows.query(at, target, _limit(limits, left))
            if limits.rows_per_second is None and rows.selection.distinct:
                rows.database.prefetch(query)
        part = share(rows.selection.columns[0], low, at.values[0], target[0]) if low and at.values else None
        yield Page(found, at, final, part, rows.selection)
        if final:
            return


def _limit(limits: Limits, left: int | None) -> int:
    return limits.page_rows if left is None else min(limits.page_rows, left)
