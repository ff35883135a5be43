"""Full load in key order from one snapshot, or the rest of a load that did not finish."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Horizon, Opened, Watermark
from airflow_legacy_events.sources.place import Start
from airflow_legacy_events.sources.proof import whole
from airflow_legacy_events.sources.query.storage import Storage
from airflow_legacy_events.sources.rows import Rows

EXACT = "one snapshot of the whole table; a row deleted since the last load is not told"
BOUNDED = (
    "the rest of a load that was interrupted, from a second snapshot: rows changed since the load began arrive"
    " with the next load"
)
WITHOUT_SNAPSHOT = (
    "this database holds no snapshot that is known here: rows changed while the load reads are seen as of before or"
    " after, and one whose key changes may be missed"
)
BEGINNINGS = 3
"""A table that is exchanged more often while one run loads it is exchanged by something that will go on doing so."""


@dataclass
class BulkRun:
    """A load has a number, counted from 1; it is kept until the load is finished, by whichever run comes next.

    Attributes:
        rows: what is read; its position is the key.
        stored: the loaded watermark, None on a first run.
        limits: budgets; `max_rows` does not apply.
        log: of the task.
    """

    rows: Rows
    stored: Watermark | None
    limits: Limits
    log: logging.Logger

    def open(self) -> Opened:
        """Find out which load this is."""
        facts: Mapping[str, Any] = self.stored.facts if self.stored is not None else {}
        load = facts.get("load") or {"number": 0, "done": True}
        number = load["number"] + 1 if load["done"] else load["number"]
        at = self._beginning(load)
        self.rows.refuse_null(at)
        completeness, reason = self._completeness(rest=bool(at.values))
        horizon = Horizon((), completeness, reason, {"load": {"number": number, "done": False}})
        return Opened(horizon, self._batches(number, at))

    def _beginning(self, load: Mapping[str, Any]) -> Start:
        return Start(() if load["done"] or self.stored is None else self.stored.values or ())

    def _completeness(self, *, rest: bool) -> tuple[str, str]:
        state = self.rows.state
        completeness, reason = ("bounded", BOUNDED) if rest else ("exact", EXACT)
        if not self.rows.database.holds_snapshot:
            completeness, reason = "best_effort", WITHOUT_SNAPSHOT
        elif state.unheld is not None:
            completeness, reason = "best_effort", state.unheld
        return "best_effort" if self.rows.unknown else completeness, reason

    def _batches(self, number: int, at: Start) -> Iterator[Batch]:
        """Yield the pages of one snapshot; an empty batch at the end closes the load.

        Where the table was exchanged under the snapshot, or its columns were, the load begins again, with an empty
        batch that says so to the watermark.
        """
        for _ in range(BEGINNINGS):
            changed = yield from self._pages(number, at)
            if changed is None:
                done = Watermark((), None, {"load": {"number": number, "done": True}})
                yield Batch(self.rows.selection.shape, [], 0, done, "r", number, final=True)
                return
            self.log.warning("%s; the load begins again", changed)
            at = Start(())
            yield Batch(self.rows.selection.shape, [], 0, Watermark((), None, {}), "r", number)
        raise SourceError(
            f"{self.rows.what} was exchanged or its columns were changed {BEGINNINGS} times while one run loaded it, so"
            f" no snapshot of all its rows could be read; last: {changed}. Load it when nothing truncates, rewrites or"
            " alters it, or name watermark_columns="
        )

    def _pages(self, number: int, at: Start) -> Generator[Batch, None, str | None]:
        """Yield the pages above `at` of a snapshot; return what changed under it, None where nothing did."""
        storage = Storage(self.rows)  # before the snapshot: an exchange between both is none that it would miss
        try:
            with self.rows.database.snapshot():
                while page := self._page(at):
                    if (changed := storage.exchanged()) is not None:
                        break
                    at = self.rows.next_start(page)
                    yield Batch(self.rows.selection.shape, page, len(page), Watermark(at.values, None, {}), "r", number)
                else:
                    changed = storage.exchanged()  # the rows behind the last page may be those that are missing
        except SourceError as error:
            changed = self._renewed(error)
        else:
            if changed is not None and self.rows.renewal is not None:
                self.rows = self.rows.renewal.again(self.rows)
        return changed

    def _page(self, at: Start) -> list[tuple[Any, ...]]:
        rows = self.rows
        return whole(rows, lambda: rows.page(at, None, self.limits.page_rows), held=True)

    def _renewed(self, error: SourceError) -> str:
        if self.rows.renewal is None:
            raise error
        self.rows = self.rows.renewal.after(error, self.rows)
        return f"the columns of {self.rows.what} changed while a snapshot of its rows was read"
