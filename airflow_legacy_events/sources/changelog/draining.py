"""Draining: the log is read from the position of a stream up to a place."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, LogChunk, LogPosition
from airflow_legacy_events.core.ports import ChangeLog, LogSnapshot
from airflow_legacy_events.sources.changelog.batches import Changes
from airflow_legacy_events.sources.changelog.leg_state import Progress
from airflow_legacy_events.sources.changelog.shapes import MARK
from airflow_legacy_events.sources.changelog.transactions import Transactions

_MARK_SECONDS = 1.0
"""A stretch without a row of ours moves the watermark this often: each time costs a save."""


@dataclass
class Budget:
    """Rows and seconds of a run.

    Attributes:
        limits: of the run.
        clock: monotonic seconds.
        rows: that were read so far.
    """

    limits: Limits
    clock: Callable[[], float] = time.monotonic
    rows: int = 0
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()

    @property
    def page_rows(self) -> int:
        """Rows of the next page or chunk, at least 1."""
        left = self.limits.page_rows if self.limits.max_rows is None else self.limits.max_rows - self.rows
        return max(1, min(self.limits.page_rows, left))

    @property
    def over(self) -> bool:
        """Whether no more rows may be read."""
        rows, seconds = self.limits.max_rows, self.limits.max_seconds
        return (rows is not None and self.rows >= rows) or (
            seconds is not None and self.clock() - self._began >= seconds
        )


@dataclass
class Read:
    """What a run has read of the log, for its report."""

    bytes: int = 0
    transactions: int = 0


@dataclass
class Drain:
    """Reads the log and moves the position of a stream.

    Attributes:
        log: to read.
        changes: turns its chunks into batches.
        transactions: adds beginnings and ends of transactions to them.
        progress: of the stream.
        budget: of the run.
    """

    log: ChangeLog
    changes: Changes
    transactions: Transactions
    progress: Progress
    budget: Budget
    read: Read = field(default_factory=Read)
    _marked_at: float = field(default=float("-inf"), init=False)

    def to(
        self, until: str, snapshot: LogSnapshot | None = None, *, last: bool = False
    ) -> Generator[Batch, None, frozenset[int]]:
        """Yield the changes up to a place, unless the budget is used up before it.

        Args:
            until: where to end.
            snapshot: that is held meanwhile.
            last: whether the run ends there, unless a table is still to be read.

        Returns:
            Numbers of the transactions that were passed without being visible in the snapshot.
        """
        assert self.progress.position is not None, "drained before the log began"  # noqa: S101
        blind = _unseen(snapshot, self.progress.waiting)
        with _closing(self.log.read(self.progress.position, until, self.budget.page_rows)) as chunks:
            for chunk in chunks:
                found = self.changes.of(chunk)
                self.budget.rows += sum(one.count for one in found)
                found += self.transactions.marks(found, chunk.end)
                blind |= self._pass(chunk, snapshot)
                if found or chunk.final or self.budget.clock() - self._marked_at >= _MARK_SECONDS:
                    yield from self._marked(found, final=last and chunk.final)
                    self._marked_at = self.budget.clock()
                if self.budget.over and not chunk.final:
                    break
        return blind

    def mark(self, *, final: bool = False) -> Batch:
        """Return a batch without rows that has the watermark saved."""
        return Batch(MARK, [], 0, self.progress.watermark(), "c", final=final)

    def _marked(self, found: list[Batch], *, final: bool) -> Iterator[Batch]:
        """Yield the batches of a chunk; the last one has its watermark."""
        final = final and not self.progress.left()
        if not found:
            yield self.mark(final=final)
            return
        found[-1].after, found[-1].final = self.progress.watermark(), final
        yield from found

    def _pass(self, chunk: LogChunk, snapshot: LogSnapshot | None) -> frozenset[int]:
        """Move the position behind a chunk; return what of it the snapshot does not see."""
        self.progress.position = chunk.end
        self.progress.facts.update(chunk.facts)
        self.read.bytes += chunk.bytes
        self.read.transactions += chunk.committed
        blind = _unseen(snapshot, chunk.transactions)
        passed = (*self.progress.waiting, *(chunk.transactions if snapshot is None else blind))
        self.progress.waiting = tuple(self.log.unseen(passed)) if passed else ()
        return blind


def _unseen(snapshot: LogSnapshot | None, transactions: Collection[int]) -> frozenset[int]:
    return frozenset() if snapshot is None or not transactions else frozenset(snapshot.unseen(transactions))


@contextlib.contextmanager
def _closing(chunks: Iterator[LogChunk]) -> Iterator[Iterator[LogChunk]]:
    try:
        yield chunks
    finally:
        close: Any = getattr(chunks, "close", None)
        if close is not None:
            close()


def behind(log: ChangeLog, position: LogPosition | None, place: str) -> bool:
    """Whether a place lies behind a position, so that there is something to read."""
    return position is None or log.compare(position.place, place) < 0
