"""Pages of rows without a key: a page ends between two values of the position, never among rows that share one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.copies import Copies, CopiesByMark, CopiesOfTick
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.sources.place import Found, Start, Values
from airflow_legacy_events.sources.renewal import Reader
from airflow_legacy_events.sources.rows import BATCH_BYTES, Rows
from airflow_legacy_events.sources.selection import Selection

Row = tuple[Any, ...]

_WRITTEN_ALIKE = frozenset({Kind.INTEGER, Kind.DATE, Kind.TIMESTAMP, Kind.UUID})
"""Kinds whose values are equal only if their texts are equal."""


class Part(NamedTuple):
    """Rows that are sent together.

    Attributes:
        rows: whole ticks (a tick is the rows of one value of the position), or part of one large tick.
        at: where the next part begins; within a split tick, the beginning of that tick.
        split: whether more rows of the last tick follow.
        copies: numbers equal rows.
        selection: the columns of the rows.
    """

    rows: list[Row]
    at: Start
    split: bool
    copies: Copies
    selection: Selection


class TickReader(Reader):
    """Reads pages of whole ticks.

    Attributes:
        torn: the tick that did not fit into the last page; None if the page holds whole ticks.
    """

    torn: Values | None = None

    def page(self, after: Start, until: Values | None, limit: int, query: Any = None) -> list[Row]:  # noqa: ARG002
        """Return the next whole ticks above `after`; no rows if the first tick does not fit."""
        return self._whole(lambda rows: partial(rows.page, after, until, limit))

    def page_below(self, after: Start, high: str, limit: int) -> list[Row]:
        """Return the next whole ticks above `after` and below `high`; no rows if the first tick does not fit."""
        return self._whole(lambda rows: partial(rows.page_below, after, high, limit))

    def parts(self, start: Start, read: Callable[[Start], list[Row]], limit: int) -> Iterator[Part]:
        """Yield the rows above `start`: pages of whole ticks; a tick that does not fit into a page comes in parts.

        Args:
            start: where they begin.
            read: reads a page by this reader.
            limit: rows of a part, at most.
        """
        at = start
        while True:
            rows = read(at)
            if self.torn is not None:
                yield from self._parts_of(self.torn, at, limit)
                at = Start(self.torn)
            elif rows:
                at = self.rows.next_start(rows)
                yield Part(rows, at, split=False, copies=CopiesByMark(), selection=self.rows.selection)
            else:
                return

    def _whole(self, read_of: Callable[[Rows], Callable[[], Found]]) -> list[Row]:
        def read(rows: Rows) -> list[Row]:
            page, self.torn = _whole_ticks(rows, read_of(rows))
            return page

        return self._read(read)

    def _parts_of(self, tick: Values, before: Start, limit: int) -> Iterator[Part]:
        """Yield the rows of one tick from one statement; only the last part moves the position past it."""
        pages = self._opened(tick, limit)
        selection = self.rows.selection
        of_tick = selection.position == selection.shape.watermark
        copies: Copies = CopiesOfTick() if of_tick else CopiesByMark()
        page = next(pages, [])
        while page:
            following = next(pages, [])
            yield Part(page, before if following else Start(tick), bool(following), copies, selection)
            page = following

    def _opened(self, tick: Values, limit: int) -> Iterator[list[Row]]:
        """Yield the pages of one tick; if columns changed before the first page, they are looked up again."""
        while True:
            begun = False
            try:
                with self.rows.database.stream(self.rows.at(tick), limit, BATCH_BYTES) as pages:
                    for page in pages:
                        begun = True
                        yield page
            except SourceError as error:
                if begun or self.rows.renewal is None:
                    raise
                self.rows = self.rows.renewal.after(error, self.rows)
            else:
                return


def _whole_ticks(rows: Rows, read: Callable[[], Found]) -> tuple[list[Row], Values | None]:
    """Return the whole ticks of a page; if even the first is larger than the page, return that tick instead.

    The page's own snapshot is used to count whether the last tick is whole and where it begins.
    """
    with rows.database.snapshot() if rows.database.holds_snapshot else nullcontext():
        found = read()
        if not found.rows:
            return [], None
        last = rows.values(found.rows[-1])
        if rows.count(found.start, len(found.rows) + 1, last) <= len(found.rows):
            return found.rows, None
        head = _head(rows, found, last)
    return found.rows[:head], None if head else last


def _head(rows: Rows, found: Found, last: Values) -> int:
    """Return how many rows of a page come before those at `last`.

    The database may treat differently written values as equal, such as 'a' and 'A', or 1 and 1.0.
    """
    tail = itertools.takewhile(lambda row: rows.values(row) == last, reversed(found.rows))
    head = len(found.rows) - sum(1 for _ in tail)
    if head == 0 or all(column.kind in _WRITTEN_ALIKE for column in rows.selection.columns):
        return head
    return min(head, rows.count_below(found.start, last, len(found.rows)))
