"""Full load in key order from one snapshot, or the rest of an unfinished load."""

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

EXACT = "one snapshot of the whole table; a row deleted since the last load is not reported"
BOUNDED = (
    "the rest of a load that was interrupted, from a second snapshot: rows changed since the load began arrive"
    " with the next load"
)
WITHOUT_SNAPSHOT = (
    "this database has no known snapshot: rows changed while the load reads are seen as before or after the change, and"
    " a row whose key changes may be missed"
)
BEGINNINGS = 3
"""Starts of one load: a table that is exchanged this often during one run will go on being exchanged."""


@dataclass
class BulkRun:
    """Full load; loads are numbered from 1, and a later run that finishes a load keeps its number.

    Attributes:
        rows: what is read; its position is the key.
        stored: the loaded watermark; None on a first run.
        limits: budgets; `max_rows` does not apply.
        log: of the task.
    """

    rows: Rows
    stored: Watermark | None
    limits: Limits
    log: logging.Logger

    def open(self) -> Opened:
        """Find the number of this load and where it begins."""
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

        If the table or its columns were exchanged under the snapshot, the load begins again. An empty batch then sets
        the watermark back to the beginning.
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
        """Yield the pages above `at` of a snapshot; return what changed under it, None if nothing did."""
        storage = Storage(self.rows)  # before the snapshot, so that an exchange between the two is noticed
        try:
            with self.rows.database.snapshot():
                while page := self._page(at):
                    if (changed := storage.exchanged()) is not None:
                        break
                    at = self.rows.next_start(page)
                    yield Batch(self.rows.selection.shape, page, len(page), Watermark(at.values, None, {}), "r", number)
                else:
                    changed = storage.exchanged()  # an exchange after the last page may hide rows behind it
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
