"""Incremental run over the rows above a watermark, up to a target fixed at its start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import LEFT_ROWS, Batch, Ceiling, HeldBack, Horizon, Opened, Pending, Watermark
from airflow_legacy_events.sources.pages import Page, pages
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.query import last_rows
from airflow_legacy_events.sources.query.checks import refuse_endless
from airflow_legacy_events.sources.query.held_back import find_held_back, find_top
from airflow_legacy_events.sources.query.horizons.drain import Drain
from airflow_legacy_events.sources.query.horizons.drained import Drained
from airflow_legacy_events.sources.query.horizons.kept import FACT, KeptHorizon
from airflow_legacy_events.sources.query.resets import generation_of
from airflow_legacy_events.sources.query.standing import (
    AS_EXPECTED,
    IdsReturnedError,
    Standing,
    TableResetError,
    Verdict,
)
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.server import REACHED


class RunPlan(NamedTuple):
    """Range that a run reads.

    Attributes:
        first: whether the stream has delivered nothing yet.
        start: where the range begins.
        until: the last position that is read; None if nothing is read.
        target: the highest position that may be read, whether it is read or only marked.
        ceiling: upper bound of the search for the target.
        verdict: on the rows below the watermark.
        held_back: rows above the target; None if there are none.
        drained: how far the rows are final.
    """

    first: bool
    start: Start
    until: Values | None
    target: Values | None
    ceiling: Ceiling
    verdict: Verdict = AS_EXPECTED
    held_back: HeldBack | None = None
    drained: Drained = Drained(None)

    @property
    def unbegun(self) -> bool:
        """Whether this is a first run that can't begin, since it does not know yet where the final rows end."""
        return self.first and self.drained.kept.waiting is not None and self.target is None


@dataclass
class IncrementalRun:
    """Pages from the watermark to the target.

    Attributes:
        rows: what is read.
        stored: the loaded watermark, None on a first run.
        begin: value of the first watermark column, as text, where a first run begins; None: with any.
        now: whether a first run only marks where the table ends.
        lag_seconds: how far below the database's now the target lies; None for columns that hold no time.
        limits: budgets.
        standing: judges the stored watermark; None if it needs no judging.
        delivered: checksums of the rows that were delivered last, newest first.
        drain: finds how far the rows are final; None if no writer can be seen.
        waits: whether `pending` found rows that a later look may find final.
    """

    rows: Rows
    stored: Watermark | None
    begin: str | None
    now: bool
    lag_seconds: float | None
    limits: Limits
    standing: Standing | None = None
    delivered: tuple[str, ...] = ()
    drain: Drain | None = None

    def __post_init__(self) -> None:
        self._last, self._read = list(self.delivered), self.rows.selection.shape.columns
        self._kept, self.waits = KeptHorizon(), False

    def open(self) -> Opened:
        """Find the target; rows are read only when the first batch is taken."""
        plan = self.plan()
        return Opened(self.horizon(plan), self.batches(plan))

    def plan(self) -> RunPlan:
        """Return the range that this run reads.

        Raises:
            TableResetError, IdsReturnedError: see `Standing.judge`.
        """
        first = self.stored is None or self.stored.values is None
        start = self._beginning()
        self.rows.refuse_null(start)
        ceiling = self.rows.ceiling(self.lag_seconds)
        highest, above = self._look(start, ceiling)
        highest, verdict = self._judged(start, highest, above=bool(above))
        marks = first and self.now
        drained = self._drained(start, highest, ceiling, marks=marks)
        target = drained.target
        # Rows above a mark that is only noted do not wait: the next run begins there.
        of_writers = highest if drained.waits or not marks else target
        held_back = find_held_back(self.rows, above, self.lag_seconds or 0, start, of_writers, drained)
        begin, until = (Start(target or ()), None) if marks else (start, target)
        return RunPlan(first, begin, until, target, ceiling, verdict, held_back, drained)

    def horizon(self, plan: RunPlan) -> Horizon:
        """Return where the run ends, and how complete that is."""
        known = plan.ceiling if self.drain is None else self.drain.writers
        reason = "; ".join(filter(None, (known.reason, plan.verdict.note)))
        facts: dict[str, Any] = {} if plan.verdict.fact is None else {plan.verdict.fact: True}
        if plan.drained.kept.waiting is not None:
            facts[FACT] = plan.drained.kept.fact()
        left = None if plan.until is None else partial(self._left, plan.until)
        blocker = plan.drained.blocker if plan.held_back is not None else None
        ends = None if blocker is None else self.rows.database.ending(blocker)
        horizon = Horizon(plan.target, known.completeness, reason, facts, held_back=plan.held_back, left=left)
        return horizon._replace(below=self.drain is not None, ends=ends)

    def _left(self, until: Values, values: Sequence[str]) -> int:
        return self.rows.count(Start(tuple(values)), LEFT_ROWS, until)

    def pending(self, most: int) -> Pending:
        """Find the target and count the rows up to it, at most `most`.

        If the table was set back below the watermark, one row is reported as pending, so that a run starts and decides.
        """
        start, ceiling = self._beginning(), self.rows.ceiling(self.lag_seconds)
        try:
            highest = self._highest(start, ceiling)
            highest, _ = self._judged(start, highest, above=False if ceiling.condition is None else None)
            target = self._drained(start, highest, ceiling, once=True).target
        except (TableResetError, IdsReturnedError):
            return Pending(1, start.values)
        self.waits = self.drain is not None and self.drain.looks.waits
        return Pending(0 if target is None else self.rows.count(start, most, target), target)

    def _beginning(self) -> Start:
        if self.stored is not None and self.stored.values is not None:
            return Start(self.stored.values, included=bool(self.stored.facts.get("included")))
        return Start(() if self.begin is None else (self.begin,), included=True)

    def _look(self, start: Start, ceiling: Ceiling) -> tuple[Values | None, Sequence[Any]]:
        """Return the highest position at or below the ceiling, and the first values of those above it."""
        if ceiling.condition is None:
            return self._highest(start, ceiling), ()
        top = find_top(self.rows, self._looked_from(start), ceiling)
        return top.highest if top.complete else self._highest(start, ceiling), top.above

    def _highest(self, start: Start, ceiling: Ceiling) -> Values | None:
        found = self.rows.highest(self._looked_from(start), ceiling.condition)
        if found is not None:
            refuse_endless(self.rows.what, self.rows.selection.columns[0], found[0])
        return found

    def _looked_from(self, start: Start) -> Start:
        """Return where the search begins; a watermark to judge includes its own row, at no further cost."""
        return start if self.standing is None else start._replace(included=True)

    def _judged(self, start: Start, highest: Values | None, *, above: bool | None) -> tuple[Values | None, Verdict]:
        """Return the highest position above `start`, None if there is none, and the verdict on the rows below it."""
        if self.standing is None:
            return highest, AS_EXPECTED
        verdict = self.standing.judge(highest, above=above)
        if verdict.note and self.drain is not None:  # the table may be another one, with transactions of its own
            self.drain = replace(self.drain, kept=self.drain.kept._replace(drained=None))
        return (None if highest == start.values else highest), verdict

    def _drained(
        self, start: Start, highest: Values | None, ceiling: Ceiling, *, once: bool = False, marks: bool = False
    ) -> Drained:
        """Return how far the rows are final; as far as they are there, if no writer can be seen.

        Args:
            start: of the run.
            highest: position at or below the ceiling.
            ceiling: of the run.
            once: whether nothing is waited for.
            marks: whether the run only marks where the table ended when its first try began.
        """
        if self.drain is None:
            return Drained(highest)
        find = self.drain.peek if once else self.drain.settle if marks else self.drain.find
        found = find(start, highest, ceiling.condition)
        self._kept = found.kept
        return found

    def batches(self, plan: RunPlan) -> Iterator[Batch]:
        """Yield the pages; the last one is final unless `max_rows` was reached first."""
        if plan.until is None:
            if plan.first and not plan.unbegun:  # a first run always leaves a watermark
                yield self._marking(plan)
            return
        for page in pages(self.rows, plan.start, plan.until, self.limits):
            yield self._batch(page)

    def _marking(self, plan: RunPlan) -> Batch:
        """Return an empty batch that marks where the table ends, with the checksums that identify its last rows."""
        marking = self._batch(Page([], plan.start, True, None, self.rows.selection))
        if self.now and plan.start.values:
            passed = self.rows.newest(plan.start.values, last_rows.KEPT_ROWS)
            marking.after = marking.watermark._replace(
                facts={**marking.watermark.facts, "last": [last_rows.checksum(row) for row in passed]}
            )
        return marking

    def _batch(self, page: Page) -> Batch:
        selection, generation = page.selection, 0 if self.stored is None else generation_of(self.stored.facts)
        after = position_of(page.at, len(selection.columns))
        after = after._replace(facts={**after.facts, **self._facts_behind(page)})
        return Batch(
            selection.shape,
            page.rows,
            len(page.rows),
            after,
            selection.op,
            final=page.final,
            share=page.share,
            generation=generation,
        )

    def _facts_behind(self, page: Page) -> dict[str, Any]:
        """Return the facts that later identify the rows of a page and the server that returned them.

        Before the last page, also how far the rows are final: a run that continues there need not wait again.
        """
        unfinished = self._kept.drained is not None and not page.final
        horizon = {FACT: self._kept.fact()} if unfinished else {}
        return horizon | self._delivered_facts(page)

    def _delivered_facts(self, page: Page) -> dict[str, Any]:
        if not page.rows:  # behind rows that were deleted while the run read, or that were never there
            return {"last": self._last} if self._last else {}
        if page.selection.shape.columns is not self._read:  # checksums of other columns can't be compared
            self._last, self._read = [], page.selection.shape.columns
        self._last = last_rows.joined(last_rows.checksums(page.rows), self._last)
        reached = self.rows.database.position() if page.final else None
        return {"last": self._last} if reached is None else {"last": self._last, REACHED: reached}


def position_of(at: Start, columns: int) -> Watermark:
    """Return the watermark of a run that reached `at`; a place in fewer than `columns` columns includes itself."""
    included = at.values and (at.included or len(at.values) < columns)
    return Watermark(at.values, None, {"included": True} if included else {})
