"""One run over the rows above a watermark, up to a target fixed at its start."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Horizon, Watermark
from airflow_legacy_events.sources.position import share
from airflow_legacy_events.sources.rows import Rows, Values

BEST_EFFORT = (
    "no horizon: a row that commits below the watermark after it was passed is not seen, nor an UPDATE that does"
    " not move the watermark columns, nor a DELETE"
)


@dataclass
class IncrementalRun:
    """Pages from the watermark to the target.

    Attributes:
        rows: what is read.
        start: the stored values; None on a first run.
        first_run: `all`, `now`, or the text of a value of the first watermark column.
        lag_seconds: how far below the database's now the target lies; None for columns that are no time.
        limits: budgets.
    """

    rows: Rows
    start: Values | None
    first_run: str
    lag_seconds: float | None
    limits: Limits

    def open(self) -> Horizon:
        """Find the target; nothing is read for delivery."""
        at = self._begin()
        self.rows.refuse_null(at)
        target = self.rows.highest(at, self.lag_seconds or 0.0, temporal=self.lag_seconds is not None)
        self._at, self._target = at, target
        if self.start is None and self.first_run == "now":
            self._at, self._target = target or (), None
        return Horizon(target, "best_effort", BEST_EFFORT, {})

    def _begin(self) -> Values:
        if self.start is not None:
            return self.start
        return () if self.first_run in ("all", "now") else (self.first_run,)

    def batches(self) -> Iterator[Batch]:
        """Yield the pages; the last one is final unless `max_rows` came first."""
        at, target, left = self._at, self._target, self.limits.max_rows
        if target is None:
            if self.start is None:  # a first run always leaves a watermark
                yield self._batch([], at, final=True, share=None)
            return
        low: str | None = at[0] if at else None
        while left is None or left > 0:
            limit = self.limits.page_rows if left is None else min(self.limits.page_rows, left)
            rows = self.rows.page(at, target, limit)
            if rows:
                at = self.rows.values(rows[-1])
                low = low or self.rows.values(rows[0])[0]
            final = not rows or at == target
            yield self._batch(rows, at, final=final, share=self._share(low, at, target))
            if final:
                return
            left = None if left is None else left - len(rows)

    def _batch(self, rows: list[tuple[Any, ...]], at: Values, *, final: bool, share: float | None) -> Batch:
        selection = self.rows.selection
        return Batch(selection.shape, rows, len(rows), Watermark(at, None, {}), selection.op, final=final, share=share)

    def _share(self, low: str | None, at: Values, target: Values) -> float | None:
        return share(self.rows.selection.columns[0], low, at[0], target[0]) if low and at else None


def lag_of(lag: dt.timedelta, *, temporal: bool) -> float | None:
    """Seconds below now, None where the first watermark column is no time."""
    return lag.total_seconds() if temporal else None
