"""Incremental run over rows without a key: the rows of one watermark value, a tick, are passed as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.model import Batch, Horizon
from airflow_legacy_events.sources.pages import Page
from airflow_legacy_events.sources.query.incremental import IncrementalRun, RunPlan
from airflow_legacy_events.sources.query.keyless.reader import TickReader
from airflow_legacy_events.sources.share import share

_SECOND, _DAY = 1.0, 86_400.0
_PASSED = "a row that arrives later with a watermark at or below the last one is not seen, since it has no key"
_WAITING = {
    True: "rows of a day are read once it is over",
    False: "rows of a second are read once it is over",
}


def tick_seconds(column: Column) -> float:
    """Return for how many seconds a value of a temporal column may still get rows: a day for dates, else 1 s."""
    return _DAY if column.kind is Kind.DATE else _SECOND


@dataclass
class TickRun(IncrementalRun):
    """Incremental run in whole ticks; the watermark moves only past a whole tick.

    After a crash in the middle of a tick the tick is sent again. Its ids stay equal, since equal rows are numbered
    within their tick.
    """

    def horizon(self, plan: RunPlan) -> Horizon:
        """See `IncrementalRun.horizon`."""
        horizon, first = super().horizon(plan), self.rows.selection.columns[0]
        waiting = [_WAITING[first.kind is Kind.DATE]] if first.kind in TEMPORAL else []
        return horizon._replace(reason="; ".join((horizon.reason, *waiting, _PASSED)))

    def batches(self, plan: RunPlan) -> Iterator[Batch]:
        """Yield the ticks; the last batch is final unless `max_rows` was reached first. A tick may exceed it."""
        if plan.until is None:
            yield from super().batches(plan)
            return
        reader, left = TickReader(self.rows), self.limits.max_rows
        before = self._batch(Page([], plan.start, False, None, reader.rows.selection)).after
        low = plan.start.values[0] if plan.start.values else None
        parts = reader.parts(
            plan.start, lambda at: reader.page(at, plan.until, self._limit(left)), self.limits.page_rows
        )
        at = plan.start
        for part in parts:
            left, at = None if left is None else left - len(part.rows), part.at
            low = low or reader.rows.values(part.rows[0])[0]
            final = not part.split and at.values == plan.until
            done = share(reader.rows.selection.columns[0], low, at.values[0], plan.until[0]) if at.values else None
            batch = self._batch(Page(part.rows, at, final, done, part.selection))
            batch.copies, batch.split = part.copies, part.split
            batch.after = before = before if part.split else batch.after
            yield batch
            if final or (not part.split and left is not None and left <= 0):
                return
        yield self._batch(Page([], at, True, None, reader.rows.selection))

    def _limit(self, left: int | None) -> int:
        return self.limits.page_rows if left is None else max(1, min(self.limits.page_rows, left))
