"""Drain: a mark is taken, and a run reads up to it once every transaction that may commit below has ended.

A set of transactions is fixed with its mark. Later ones only write above it, so the wait is finite however busy the
database is.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.ports import Blocker, RowWriters
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.query.clock import refuse_future_mark
from airflow_legacy_events.sources.query.horizons.drained import Drained, Looks, seen
from airflow_legacy_events.sources.query.horizons.holes import before_first_hole, has_no_room
from airflow_legacy_events.sources.query.horizons.kept import KeptHorizon, Mark, Waiting
from airflow_legacy_events.sources.query.horizons.ticks import bound_text, reached, seconds_behind
from airflow_legacy_events.sources.rows import Rows

DRAIN_SECONDS = 2.0
"""How long a run waits for open transactions; a later run looks for them again."""

_DAY = dt.timedelta(days=1)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.2


@dataclass(frozen=True)
class Drain:
    """Finds how far the rows of one run are final.

    Attributes:
        rows: of the run.
        writers: of these rows.
        kept: with the watermark.
        looks: those before this one, of a probe.
        seconds: to wait for open transactions; None: `DRAIN_SECONDS`.
        overlap: how far below its watermark each run reads again, and so how far above a mark it may read.
    """

    rows: Rows
    writers: RowWriters
    kept: KeptHorizon
    looks: Looks
    seconds: float | None = None
    overlap: dt.timedelta = dt.timedelta(0)

    def peek(self, start: Start, highest: Values | None, ceiling: Any) -> Drained:
        """Return the same as `find`, without a wait; what was found is kept for the next look."""
        once, before = replace(self, seconds=0.0), self.looks.kept
        try:
            found = replace(once, kept=before if before.is_set else self.kept).find(start, highest, ceiling)
        except WatermarkError:  # of the probe's own looks no person need know
            if not before.is_set:
                raise
            self.looks.kept = KeptHorizon()
            found = once.find(start, highest, ceiling)
        self.looks.kept = found.kept
        self.looks.waits = found.target != highest and self.writers.tick < _DAY
        return found

    def settle(self, start: Start, highest: Values | None, ceiling: Any) -> Drained:
        """Return where the table ended when the first try looked; nothing, and the mark of that try, until it is known.

        Arguments as in `find`.
        """
        waiting = self.kept.waiting
        if highest is None or waiting is None:
            found = self.find(start, highest, ceiling)
            if not found.waits or found.kept.waiting is not None:
                return found
            now = self.rows.database.now()
            return found._replace(target=None, kept=KeptHorizon(Waiting(now, (), {}, now)))
        self._refuse_future(start)
        if left := self._remaining(waiting, self._until):
            return self._held(start, highest, ceiling, self.kept, left)
        if isinstance(waiting.mark, dt.datetime):
            found = replace(self, kept=KeptHorizon()).find(start, highest, ceiling)
            if found.kept.mark < waiting.mark:
                return found._replace(target=None, kept=self.kept)
        return Drained(self._highest(start, waiting.mark, ceiling))

    def find(self, start: Start, highest: Values | None, ceiling: Any) -> Drained:
        """Return how far a run may read.

        Args:
            start: of the run.
            highest: position at or below `ceiling`, read before; None: there is none, and nothing is looked for.
            ceiling: further condition of the rows; None if there is none.

        Raises:
            WatermarkError: the server does not know the transactions that an earlier run waits for, or its clock is
                behind their mark.
        """
        if highest is None:
            return Drained(None, self.kept)
        self._refuse_future(start)
        kept, until = self.kept, self._until
        if kept.waiting is not None:
            if left := self._remaining(kept.waiting, until):
                return self._held(start, highest, ceiling, kept, left)
            kept = KeptHorizon(None, kept.waiting.mark)
        look = self.writers.look()
        waiting = Waiting(look.before or highest, tuple(look.open), look.server, look.now)
        if left := self._remaining(waiting, until):
            return self._held(start, highest, ceiling, KeptHorizon(waiting, kept.below(waiting.mark)), left)
        if look.before is None:
            return Drained(highest, KeptHorizon(None, highest))
        target = self._highest(start, look.before, ceiling)
        behind = seconds_behind(self.rows, self._text(look.before), self._reached(look.before), look.now)
        return Drained(target, KeptHorizon(None, look.before), look.blocker is not None, seen(look.blocker), behind)

    def _held(
        self, start: Start, highest: Values, ceiling: Any, kept: KeptHorizon, left: Mapping[str, Blocker]
    ) -> Drained:
        """Return how far a run may read while the transactions `left` are open: to the last drained mark, or a hole."""
        assert kept.waiting is not None  # noqa: S101
        target = None if kept.drained is None else self._highest(start, kept.drained, ceiling)
        final = kept.drained if target is not None else start.values if not start.included else ()
        if has_no_room(self.rows) and isinstance(final, tuple) and final:
            found = before_first_hole(self.rows, final, highest)
            target = target if found == final else found
        now = self.rows.database.now()
        bound = kept.waiting.since if kept.drained is None or isinstance(kept.drained, tuple) else kept.drained
        if isinstance(kept.drained, dt.datetime):
            bound += self.overlap
        oldest = min(left.values(), key=lambda one: (one.query_start is None, one.query_start or ""))
        return Drained(target, kept, True, seen(oldest), (now - bound).total_seconds())

    @property
    def _until(self) -> float:
        return time.monotonic() + (DRAIN_SECONDS if self.seconds is None else self.seconds)

    def _remaining(self, waiting: Waiting, until: float) -> Mapping[str, Blocker]:
        """Return the transactions that are open still, once the time is over."""
        pause = _FIRST_PAUSE
        while left := waiting.open and self.writers.remaining(waiting.open, waiting.server):
            if (over := until - time.monotonic()) <= 0:
                break
            time.sleep(min(pause, over))
            pause = min(2 * pause, _LONGEST_PAUSE)
        return left or {}

    def _highest(self, start: Start, mark: Mark, ceiling: Any) -> Values | None:
        """Return the highest position above `start` and below the mark."""
        below = self.rows.up_to(mark) if isinstance(mark, tuple) else self.rows.below(self._text(mark))
        return self.rows.highest(start, below if ceiling is None else sa.and_(below, ceiling))

    def _text(self, mark: dt.datetime) -> str:
        column, tick = self.rows.selection.columns[0], self.writers.tick
        return bound_text(self._reached(mark), column, self.rows.timezone, tick)

    def _reached(self, mark: dt.datetime) -> dt.datetime:
        return reached(mark, self.overlap, self.writers.tick)

    def _refuse_future(self, start: Start) -> None:
        """Check that no kept mark lies ahead of the database's clock."""
        waiting = None if self.kept.waiting is None else self.kept.waiting.mark
        if marks := [one for one in (waiting, self.kept.drained) if isinstance(one, dt.datetime)]:
            refuse_future_mark(self.rows, max(marks), begun=bool(start.values))
