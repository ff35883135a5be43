"""One run over the rows above a watermark, up to a target fixed at its start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import PENDING_ROWS, Batch, Horizon, Pending, Watermark
from airflow_legacy_events.sources.checks import refuse_endless
from airflow_legacy_events.sources.position import share
from airflow_legacy_events.sources.rows import Rows, Start, Values

BEST_EFFORT = (
    "no horizon: a row that commits below the watermark after it was passed is not seen, nor an UPDATE that does"
    " not move the watermark columns, nor a DELETE"
)


@dataclass
class IncrementalRun:
    """Pages from the watermark to the target.

    Attributes:
        rows: what is read.
        stored: the loaded watermark, None on a first run.
        begin: text of the value of the first watermark column that a first run begins with; None: with any.
        now: whether a first run only marks where the table ends.
        lag_seconds: how far below the database's now the target lies; None for columns that are no time.
        limits: budgets.
    """

    rows: Rows
    stored: Watermark | None
    begin: str | None
    now: bool
    lag_seconds: float | None
    limits: Limits

    def open(self) -> Horizon:
        """Find the target; nothing is read for delivery."""
        self._first = self.stored is None or self.stored.values is None
        start = self._beginning()
        self.rows.refuse_null(start)
        target = self._highest(start)
        self._start, self._target = start, target
        if self._first and self.now:
            self._start, self._target = Start(target or ()), None
        return Horizon(target, "best_effort", BEST_EFFORT, {})

    @property
    def at(self) -> Watermark:
        """Where the run begins, once it is open."""
        return self._after(self._start)

    def pending(self) -> Pending:
        """Find the target, and count the rows up to it."""
        start = self._beginning()
        target = self._highest(start)
        return Pending(0 if target is None else self.rows.count(start, PENDING_ROWS, target), target)

    def _beginning(self) -> Start:
        if self.stored is not None and self.stored.values is not None:
            return Start(self.stored.values, included=bool(self.stored.facts.get("included")))
        return Start(() if self.begin is None else (self.begin,), included=True)

    def _highest(self, start: Start) -> Values | None:
        found = self.rows.highest(start, self.lag_seconds or 0.0, temporal=self.lag_seconds is not None)
        if found is not None:
            refuse_endless(self.rows.what, self.rows.selection.columns[0], found[0])
        return found

    def batches(self) -> Iterator[Batch]:
        """Yield the pages; the last one is final unless `max_rows` came first."""
        at, target, left = self._start, self._target, self.limits.max_rows
        if target is None:
            if self._first:  # a first run always leaves a watermark
                yield self._batch([], at, final=True, share=None)
            return
        low: str | None = at.values[0] if at.values else None
        query = self.rows.query(at, target, self._limit(left))
        while left is None or left > 0:
            rows = self.rows.page(at, target, self._limit(left), query)
            if rows:
                at = self.rows.next_start(rows)
                low = low or self.rows.values(rows[0])[0]
            final = not rows or at.values == target
            left = None if left is None else left - len(rows)
            if not final and left != 0:
                query = self.rows.query(at, target, self._limit(left))
                if self.limits.rows_per_second is None:
                    self.rows.database.ahead(query)
            yield self._batch(rows, at, final=final, share=self._share(low, at.values, target))
            if final:
                return

    def _limit(self, left: int | None) -> int:
        return self.limits.page_rows if left is None else min(self.limits.page_rows, left)

    def _batch(self, rows: list[tuple[Any, ...]], at: Start, *, final: bool, share: float | None) -> Batch:
        selection = self.rows.selection
        return Batch(selection.shape, rows, len(rows), self._after(at), selection.op, final=final, share=share)

    @staticmethod
    def _after(at: Start) -> Watermark:
        return Watermark(at.values, None, {"included": True} if at.included and at.values else {})

    def _share(self, low: str | None, at: Values, target: Values) -> float | None:
        return share(self.rows.selection.columns[0], low, at[0], target[0]) if low and at else None
