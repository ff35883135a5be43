"""Incremental run that reads again below the watermark, and sends what was not delivered yet."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_legacy_events.core.model import Batch, Horizon, Pending
from airflow_legacy_events.sources.pages import Page, pages
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.query.horizons.kept import FACT as HORIZON
from airflow_legacy_events.sources.query.incremental import IncrementalRun, RunPlan
from airflow_legacy_events.sources.query.overlapping.final import bound_of
from airflow_legacy_events.sources.query.overlapping.marks import Total
from airflow_legacy_events.sources.query.overlapping.reach import Reach
from airflow_legacy_events.sources.query.overlapping.reasons import with_overlap
from airflow_legacy_events.sources.query.overlapping.reread import Late, Reread
from airflow_legacy_events.sources.query.overlapping.seen import FACT, MOST_VERSIONS, SeenRows

_TOO_MANY = (
    "%s: more than %d rows lie in overlap=%s below the watermark of stream %s, the most that are remembered; if one of"
    " the older ones changes, all of those are sent again, with equal event ids\nGive a shorter overlap="
)


@dataclass
class OverlapRun(IncrementalRun):
    """Sends the undelivered rows of the overlap, then the new ones, each in order.

    Rows that the seen-set could not take are sent again as a whole, after the new ones, if any of them changed.
    `max_rows` does not count these, or the last of them might never be reached.

    Attributes:
        reach: of the overlap.
        log: of the task.
    """

    reach: Reach = field(kw_only=True)
    log: logging.Logger = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        facts: Mapping[str, Any] = {} if self.stored is None else self.stored.facts
        stored, fact = None if self.stored is None else self.stored.values, facts.get(FACT) or {}
        whole = len(stored or ()) == len(self.rows.selection.columns) and not facts.get("included")
        self._watermark: Values | None = stored if whole else None
        self._least: str | None = self.begin if stored is None else fact.get("from")
        self._seen = SeenRows.of(fact if whole else {})
        self._reread = Reread(self.rows, self._seen, self.reach, self.limits, facts)
        self._total, self._counted_from = Total(), 0
        self._warned = self._passed = False

    def plan(self) -> RunPlan:
        """See `IncrementalRun.plan`."""
        plan = super().plan()
        if self._watermark is not None:
            self.rows.refuse_null(self._low(self._watermark))
        if (end := plan.target or self._watermark) is not None:
            self._counted_from = self.reach.second_of(self._next_low(end))
        return plan

    def horizon(self, plan: RunPlan) -> Horizon:
        """See `IncrementalRun.horizon`; the seen-set stays with the watermark until rows are delivered.

        So does the last mark that has drained: beside an open transaction, a later run may read an overlap above it.
        """
        horizon = super().horizon(plan)
        if (drained := plan.drained.kept.fact()) is not None:
            horizon = horizon._replace(facts={**horizon.facts, HORIZON: drained})
        horizon = with_overlap(horizon, self.reach.length, self.lag_seconds or 0, self.reach.column.name)
        fact: Any = None if self._least is None else {"rows": "", "from": self._least}
        if self._watermark is not None and self.stored is not None:
            fact = self.stored.facts.get(FACT)
        return horizon if fact is None else horizon._replace(facts={**horizon.facts, FACT: fact})

    def pending(self, most: int) -> Pending:
        """Count the new rows, then the undelivered ones of the overlap, as far as the seen-set reaches."""
        found = super().pending(most)
        if self._watermark is None or found.rows >= most:
            return found
        late = list(itertools.islice(self._reread.unseen(self._begin(), self._watermark), most - found.rows))
        return Pending(found.rows + len(late), found.target or late[-1]) if late else found

    def batches(self, plan: RunPlan) -> Iterator[Batch]:
        """See `IncrementalRun.batches`."""
        if self._watermark is None:
            yield from super().batches(plan)
        else:
            yield from self._overlapped(plan, self._watermark)

    def _overlapped(self, plan: RunPlan, at: Values) -> Iterator[Batch]:
        """Yield the late rows, the new ones, then those that the seen-set could not take."""
        beyond, left = self._seen.after, self.limits.max_rows
        changed = self._reread.beyond_changed(self._low(at), self._counted_from, self._total)
        done = not changed and not self._reread.reshaped
        for batch in self._late_batches(at, left):
            left, done = None if left is None else left - batch.count, False
            yield batch
        if left == 0:
            return
        self._seen.miss()
        if plan.until is not None:
            for batch in self._new_batches(plan, left, last=not changed):
                at, done = batch.watermark.values or at, batch.final
                yield batch
            if not self._passed:
                return
        if changed and beyond is not None:
            yield from self._again(beyond, at)
        if not done:
            yield self._behind([], at, final=True)

    def _new_batches(self, plan: RunPlan, left: int | None, *, last: bool) -> Iterator[Batch]:
        assert plan.until is not None  # noqa: S101
        for page in pages(self.rows, plan.start, plan.until, replace(self.limits, max_rows=left)):
            self._passed = page.final
            yield self._batch(page._replace(final=page.final and last))

    def _late_batches(self, at: Values, left: int | None) -> Iterator[Batch]:
        """Yield the undelivered rows up to the watermark, at most `left`."""
        for page in self._reread.pages(self._begin(), at):
            if page.rows:
                self._delivered_facts(page._replace(final=False))
            for counter, group in itertools.groupby(self._reread.late(page), key=lambda one: one.counter):
                late = list(group)[:left]
                left = None if left is None else left - len(late)
                yield from self._parts(late, at, counter)
            if left == 0:
                return

    def _parts(self, late: Sequence[Late], at: Values, counter: int) -> Iterator[Batch]:
        for begin in range(0, len(late), self.limits.page_rows):
            part = late[begin : begin + self.limits.page_rows]
            for one in part:
                self._seen.deliver(one.mark)
            yield self._behind([one.row for one in part], at, counter)

    def _again(self, until: Values, at: Values) -> Iterator[Batch]:
        """Yield all rows that the seen-set could not take."""
        assert self._watermark is not None  # noqa: S101
        for page in pages(self.rows, self._low(self._watermark), until, replace(self.limits, max_rows=None)):
            if page.rows:
                yield self._behind(page.rows, at)

    def _behind(self, rows: Sequence[Any], at: Values, counter: int = 0, *, final: bool = False) -> Batch:
        """Return a batch of rows below the watermark `at`, which it does not move."""
        batch = self._batch(Page([], Start(at), final, None, self._reread.selection))
        batch.rows, batch.count, batch.counter = rows, len(rows), counter
        return batch

    def _marking(self, plan: RunPlan) -> Batch:
        """See `IncrementalRun._marking`; the rows that are there already are not late."""
        if self.now and plan.start.values:
            for page in self._reread.pages(self._low(plan.start.values), plan.start.values):
                self._reread.remember(page, self._counted_from)
                self._trim(plan.start.values)
        return super()._marking(plan)

    def _facts_behind(self, page: Page) -> dict[str, Any]:
        facts = super()._facts_behind(page)
        if page.at.values:
            self._reread.remember(page, self.reach.second_of(self._next_low(page.at.values)))
            self._trim(page.at.values)
        least = {} if self._least is None else {"from": self._least}
        if (drained := self._kept.fact()) is not None:
            facts[HORIZON] = drained
        return facts | {FACT: self._seen.fact(self._total if page.final else None) | least}

    def _trim(self, at: Values) -> None:
        """Drop what lies below the overlap of a watermark `at`, and what is too much."""
        low = self.reach.second_of(self._next_low(at))
        if (after := self._seen.trim(low, self._counted_from, self._total)) is not None:
            self._seen.after = self._reread.texts(after)
        if self._seen.after is not None and self.reach.second(self._seen.after[0]) < low:
            self._seen.after = None
        if self._seen.after is not None and not self._warned:
            self._warned = True
            self.log.warning(_TOO_MANY, self.rows.what, MOST_VERSIONS, self.reach.length, self.rows.stream)

    def _low(self, values: Values) -> Start:
        """Return where this run begins to read again below a watermark."""
        return self.reach.low(
            values, self._least, None if self.drain is None else bound_of(self.drain, self.drain.kept)
        )

    def _next_low(self, values: Values) -> Start:
        """Return where the next run begins to read again below a watermark that this one leaves."""
        return self.reach.low(values, self._least, None if self.drain is None else bound_of(self.drain, self._kept))

    def _begin(self) -> Start:
        """Return where the rows begin that are known one by one."""
        assert self._watermark is not None  # noqa: S101
        low, after = self._low(self._watermark), self._seen.after
        if after is None or self.reach.second(after[0]) < self.reach.second_of(low):
            return low
        return Start(after)
