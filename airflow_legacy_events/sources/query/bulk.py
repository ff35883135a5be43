"""Full load in key order from one snapshot, or the rest of a load that did not finish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Horizon, Opened, Watermark
from airflow_legacy_events.sources.rows import Rows, Start

EXACT = "one snapshot of the whole table; a row deleted since the last load is not told"
BOUNDED = (
    "the rest of a load that was interrupted, from a second snapshot: rows changed since the load began arrive"
    " with the next load"
)
WITHOUT_SNAPSHOT = (
    "this database holds no snapshot that is known here: rows changed while the load reads are seen as of before or"
    " after, and one whose key changes may be missed"
)


@dataclass
class BulkRun:
    """A load has a number, counted from 1; it is kept until the load is finished, by whichever run comes next.

    Attributes:
        rows: what is read; its position is the key.
        stored: the loaded watermark, None on a first run.
        limits: budgets; `max_rows` does not apply.
    """

    rows: Rows
    stored: Watermark | None
    limits: Limits

    def open(self) -> Opened:
        """Find out which load this is."""
        facts: Mapping[str, Any] = self.stored.facts if self.stored is not None else {}
        load = facts.get("load") or {"number": 0, "done": True}
        number = load["number"] + 1 if load["done"] else load["number"]
        at = Start(() if load["done"] or self.stored is None else self.stored.values or ())
        self.rows.refuse_null(at)
        completeness, reason = ("bounded", BOUNDED) if at.values else ("exact", EXACT)
        if not self.rows.database.holds_snapshot:
            completeness, reason = "best_effort", WITHOUT_SNAPSHOT
        horizon = Horizon((), completeness, reason, {"load": {"number": number, "done": False}})
        return Opened(horizon, self._batches(number, at))

    def _batches(self, number: int, at: Start) -> Iterator[Batch]:
        """Yield the pages of one snapshot; an empty batch at the end closes the load."""
        shape = self.rows.selection.shape
        with self.rows.database.snapshot():
            while rows := self.rows.page(at, None, self.limits.page_rows):
                at = self.rows.next_start(rows)
                yield Batch(shape, rows, len(rows), Watermark(at.values, None, {}), "r", number)
        done = Watermark((), None, {"load": {"number": number, "done": True}})
        yield Batch(shape, [], 0, done, "r", number, final=True)
