"""Drain: a mark is taken, and a run reads up to it once every transaction that may commit below has ended.

A set of transactions is fixed with its mark. Later ones only write above it, so the wait is finite however busy the
database is.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.ports import Blocker, RowWriters
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.query.horizons.holes import before_first_hole, has_no_room
from airflow_legacy_events.sources.query.horizons.kept import KeptHorizon, Mark, Waiting
from airflow_legacy_events.sources.query.horizons.ticks import bound_text, reached
from airflow_legacy_events.sources.rows import Rows

DRAIN_SECONDS = 2.0
"""How long a run waits for open transactions; a later run looks for them again."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.2


class Drained(NamedTuple):
    """How far a run may read.

    Attributes:
        target: the last position; None if nothing may be read.
        kept: for later runs.
        waits: whether a transaction is waited for.
        blockers: the transactions that are waited for, or whose begin holds the bound of a time column back.
        seconds: how far the bound lies behind the database's clock; None if it is at the highest position.
    """

    target: Values | None
    kept: KeptHorizon = KeptHorizon()
    waits: bool = False
    blockers: tuple[Blocker, ...] = ()
    seconds: float | None = None


@dataclass
class Looks:
    """What a probe keeps between two looks, since it saves no watermark.

    Attributes:
        kept: of the last look.
    """

    kept: KeptHorizon = field(default_factory=KeptHorizon)


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
        kept = self.kept if self.looks.kept.waiting is None else self.looks.kept
        found = replace(self, kept=kept, seconds=0.0).find(start, highest, ceiling)
        self.looks.kept = found.kept
        return found

    def find(self, start: Start, highest: Values | None, ceiling: Any) -> Drained:
        """Return how far a run may read.

        Args:
            start: of the run.
            highest: position at or below `ceiling`, read before; None: there is none, and nothing is looked for.
            ceiling: further condition of the rows; None if there is none.

        Raises:
            WatermarkError: the server does not know the transactions that an earlier run waits for.
        """
        if highest is None:
            return Drained(None, self.kept)
        kept, seconds = self.kept, DRAIN_SECONDS if self.seconds is None else self.seconds
        until = time.monotonic() + seconds
        if kept.waiting is not None:
            if left := self._remaining(kept.waiting, until):
                return self._held(start, highest, ceiling, kept, left)
            kept = KeptHorizon(None, kept.waiting.mark)
        look = self.writers.look()
        waiting = Waiting(look.before or highest, tuple(look.open), look.server, look.now)
        left = look.open and self._remaining(waiting, until)
        if left:
            return self._held(start, highest, ceiling, KeptHorizon(waiting, kept.drained), left)
        target = highest if look.before is None else self._highest(start, waiting.mark, ceiling)
        behind = None if look.before is None else (look.now - look.before - self.overlap).total_seconds()
        blockers = () if look.blocker is None else (look.blocker,)
        return Drained(target, KeptHorizon(None, waiting.mark), bool(blockers), blockers, behind)

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
        return Drained(target, kept, True, tuple(left.values()), (now - bound).total_seconds())

    def _remaining(self, waiting: Waiting, until: float) -> Mapping[str, Blocker]:
        """Return the transactions that are open still, once the time is over."""
        pause = _FIRST_PAUSE
        while left := self.writers.remaining(waiting.open, waiting.server):
            if (over := until - time.monotonic()) <= 0:
                break
            time.sleep(min(pause, over))
            pause = min(2 * pause, _LONGEST_PAUSE)
        return left

    def _highest(self, start: Start, mark: Mark, ceiling: Any) -> Values | None:
        """Return the highest position above `start` and below the mark."""
        if isinstance(mark, tuple):
            below = self.rows.up_to(mark)
        else:
            text = bound_text(
                reached(mark, self.overlap, self.writers.tick),
                self.rows.selection.columns[0],
                self.rows.timezone,
                self.writers.tick,
            )
            below = self.rows.below(text)
        return self.rows.highest(start, below if ceiling is None else sa.and_(below, ceiling))
