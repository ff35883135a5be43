"""Reading again: pages below the watermark, compared with the seen-set row by row."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.sources.pages import Page, pages
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.query.overlapping.compared import (
    Row,
    Version,
    earlier_version_of,
    version_of,
)
from airflow_legacy_events.sources.query.overlapping.marks import Mark, Total, mark_of
from airflow_legacy_events.sources.query.overlapping.reach import Reach
from airflow_legacy_events.sources.query.overlapping.seen import FACT, SeenRows
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.selection import Selection


class Late(NamedTuple):
    """A row whose version was not delivered.

    Attributes:
        row: as read.
        mark: of it.
        counter: how often an equal version was sent before another one followed it.
    """

    row: Row
    mark: Mark
    counter: int


class Reread:
    """Reads rows again and keeps the seen-set up to date with them.

    Args:
        rows: of the run.
        seen: of the watermark; changed by what is read.
        reach: of the overlap.
        limits: of the run, of which only the size of a batch applies.
        facts: of the watermark.

    Attributes:
        selection: columns of the last page.
        reshaped: whether other columns are read than those that the seen-set was made of.
    """

    def __init__(self, rows: Rows, seen: SeenRows, reach: Reach, limits: Limits, facts: Mapping[str, Any]) -> None:
        self._rows, self._seen, self._reach = rows, seen, reach
        self._limits = replace(limits, max_rows=None, rows_per_second=None)
        self.selection = rows.selection
        self._version, self._earlier = version_of(self.selection), earlier_version_of(self.selection, facts)
        before = {(name, type_) for name, type_, _ in facts.get("shape") or ()}
        self._latest: tuple[Any, int] = (None, 0)
        self.reshaped = FACT in facts and before != {(one.name, one.type) for one in self.selection.shape.columns}

    def pages(self, start: Start, until: Values) -> Iterator[Page]:
        """Yield the pages between two positions."""
        for page in pages(self._rows, start, until, self._limits):
            self._take(page.selection)
            yield page

    def late(self, page: Page) -> Iterator[Late]:
        """Yield the rows of a page that the seen-set lacks; the caller notes what it delivers."""
        for row in page.rows:
            known = self._known(row)
            if (counter := self._seen.meet(known)) is not None:
                yield Late(row, self._mark(row), counter)
            elif self.reshaped:
                self._seen.renew(self._mark(row))

    def unseen(self, start: Start, until: Values) -> Iterator[Values]:
        """Yield the positions of the rows that the seen-set lacks."""
        for page in self.pages(start, until):
            yield from (self.texts(one.mark.at) for one in self.late(page))

    def beyond_changed(self, low: Start, counted_from: int, total: Total) -> bool:
        """Return whether the rows beyond the seen-set differ from those of the last run.

        Args:
            low: begin of the overlap.
            counted_from: second from which they are added to `total`.
            total: of the rows beyond the seen-set, for the next run.
        """
        if self._seen.after is None:
            return False
        found = Total()
        for page in self.pages(low, self._seen.after):
            for row in page.rows:
                known = self._known(row)
                found.add(known.row, known.version)
                if known.second >= counted_from:
                    mark = self._mark(row) if self.reshaped else known
                    total.add(mark.row, mark.version)
        return self._earlier is None or found != self._seen.beyond

    def remember(self, page: Page, second: int) -> None:
        """Note the rows of a page from a second on as delivered."""
        self._take(page.selection)
        begin = bisect.bisect_left(page.rows, second, key=self._second)
        for row in page.rows[begin:]:
            mark = self._mark(row)
            if self._seen.meet(mark) is not None:
                self._seen.deliver(mark)

    def _take(self, selection: Selection) -> None:
        """Note the columns of a page. If they changed while the run reads, nothing can be compared any more."""
        if selection.shape.columns is not self.selection.shape.columns:
            self._seen.forget()
            self._version = self._earlier = version_of(selection)
        self.selection = selection

    def texts(self, at: tuple[Any, ...]) -> Values:
        """Return a position, as read, as the texts of a watermark."""
        return tuple(map(self._rows.database.text, at, self.selection.columns))

    def _known(self, row: Row) -> Mark:
        """Return the mark of a row as an earlier run made it."""
        return self._marked(row, self._earlier or self._version)

    def _mark(self, row: Row) -> Mark:
        return self._marked(row, self._version)

    def _marked(self, row: Row, version: Version) -> Mark:
        at = tuple([row[place] for place in self.selection.position])
        return mark_of(self._second(row), at, version(row))

    def _second(self, row: Row) -> int:
        """Return the second of a row's time; neighbours often share it."""
        time = row[self.selection.position[0]]
        if time != self._latest[0]:
            self._latest = time, self._reach.second(self._rows.database.text(time, self._reach.column))
        return self._latest[1]
