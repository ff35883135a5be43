"""Incremental run over the rows above a watermark, up to a target fixed at its start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Ceiling, Horizon, Opened, Pending, Watermark
from airflow_legacy_events.sources.pages import Page, pages
from airflow_legacy_events.sources.query.checks import refuse_endless
from airflow_legacy_events.sources.rows import Rows, Start, Values


class RunPlan(NamedTuple):
    """Range of a run: from where to where it reads.

    Attributes:
        first: whether the stream has delivered nothing yet.
        start: where it begins.
        until: the last position that is read; None where nothing is.
        target: the highest position that was found, read or only marked.
        ceiling: below which it was looked for.
    """

    first: bool
    start: Start
    until: Values | None
    target: Values | None
    ceiling: Ceiling


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

    def open(self) -> Opened:
        """Find the target; nothing is read for delivery before the first batch is taken."""
        plan = self.plan()
        return Opened(self.horizon(plan), self.batches(plan))

    def plan(self) -> RunPlan:
        """Return the range that this run reads."""
        first = self.stored is None or self.stored.values is None
        start = self._beginning()
        self.rows.refuse_null(start)
        ceiling = self.rows.ceiling(self.lag_seconds)
        target = self._highest(start, ceiling)
        begin, until = (Start(target or ()), None) if first and self.now else (start, target)
        return RunPlan(first, begin, until, target, ceiling)

    def horizon(self, plan: RunPlan) -> Horizon:
        """Return where the run ends, and how complete that is."""
        return Horizon(plan.target, plan.ceiling.completeness, plan.ceiling.reason, {})

    def pending(self, most: int) -> Pending:
        """Find the target, and count the rows up to it, at most `most`."""
        start = self._beginning()
        target = self._highest(start, self.rows.ceiling(self.lag_seconds))
        return Pending(0 if target is None else self.rows.count(start, most, target), target)

    def _beginning(self) -> Start:
        if self.stored is not None and self.stored.values is not None:
            return Start(self.stored.values, included=bool(self.stored.facts.get("included")))
        return Start(() if self.begin is None else (self.begin,), included=True)

    def _highest(self, start: Start, ceiling: Ceiling) -> Values | None:
        found = self.rows.highest(start, ceiling.condition)
        if found is not None:
            refuse_endless(self.rows.what, self.rows.selection.columns[0], found[0])
        return found

    def batches(self, plan: RunPlan) -> Iterator[Batch]:
        """Yield the pages; the last one is final unless `max_rows` came first."""
        if plan.until is None:
            if plan.first:  # a first run always leaves a watermark
                yield _batch(Page([], plan.start, True, None, self.rows.selection))
            return
        for page in pages(self.rows, plan.start, plan.until, self.limits):
            yield _batch(page)


def _batch(page: Page) -> Batch:
    selection, after = page.selection, position_of(page.at, len(page.selection.columns))
    return Batch(selection.shape, page.rows, len(page.rows), after, selection.op, final=page.final, share=page.share)


def position_of(at: Start, columns: int) -> Watermark:
    """Return the watermark of a run that came to `at`, a place in so many columns; a part of one is included."""
    included = at.values and (at.included or len(at.values) < columns)
    return Watermark(at.values, None, {"included": True} if included else {})
