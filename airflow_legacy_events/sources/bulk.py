"""One full load in key order from one snapshot; or the rest of a load that did not finish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Horizon, Watermark
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

    def open(self) -> Horizon:
        """Find out which load this is."""
        facts: Mapping[str, Any] = self.stored.facts if self.stored is not None else {}
        load = facts.get("load") or {"number": 0, "done": True}
        self._number = load["number"] + 1 if load["done"] else load["number"]
        self._at = () if load["done"] or self.stored is None else self.stored.values or ()
        self.rows.refuse_null(Start(self._at))
        completeness, reason = ("bounded", BOUNDED) if self._at else ("exact", EXACT)
        if not self.rows.database.holds_snapshot:
            completeness, reason = "best_effort", WITHOUT_SNAPSHOT
        return Horizon((), completeness, reason, {"load": {"number": self._number, "done": False}})

    def batches(self) -> Iterator[Batch]:
        """Yield the pages of one snapshot; an empty batch at the end closes the load."""
        at = Start(self._at)
        with self.rows.database.snapshot():
            while rows := self.rows.page(at, None, self.limits.page_rows):
                at = self.rows.next_start(rows)
                yield self._batch(rows, Watermark(at.values, None, {}))
        done = {"load": {"number": self._number, "done": True}}
        yield self._batch([], Watermark((), None, done), final=True)

    def _batch(self, rows: list[tuple[Any, ...]], after: Watermark, *, final: bool = False) -> Batch:
        return Batch(self.rows.selection.shape, rows, len(rows), after, "r", self._number, final)
