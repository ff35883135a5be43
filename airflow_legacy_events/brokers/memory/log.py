"""Log of a partition in memory: records, gaps, an open transaction, leader epochs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from airflow_legacy_events.core.model import AnyHeaders


class Kept(NamedTuple):
    """A message on a topic in memory."""

    key: str | bytes | None
    value: str | bytes | None
    headers: AnyHeaders
    timestamp: int | None = None


class MemoryLog:
    """Records of one partition, in order. A gap is an offset without a message, such as a control record.

    Attributes:
        start: offset of the first record that was not deleted.
        records: from offset 0 on; None for a gap.
        epochs: leader epoch of each.
        epoch: leader epoch of those to come.
    """

    def __init__(self) -> None:
        self.start = self.epoch = 0
        self.records: list[Kept | None] = []
        self.epochs: list[int] = []
        self._open: int | None = None

    @property
    def high(self) -> int:
        """Offset behind the last record."""
        return len(self.records)

    @property
    def end(self) -> int:
        """Last stable offset: that of an open transaction's first record, else `high`."""
        return self.high if self._open is None else self._open

    def append(self, *kept: Kept | None) -> None:
        """Add records, or gaps."""
        self.records += kept
        self.epochs += [self.epoch] * len(kept)

    def begin(self) -> None:
        """Open a transaction; what is added from now on belongs to it."""
        self._open = self.high

    def decide(self, *, commit: bool) -> None:
        """End the transaction by a control record; records of an aborted one become gaps."""
        first, self._open = self.end, None
        if not commit:
            self.remove(range(first, self.high))
        self.append(None)

    def remove(self, offsets: Sequence[int]) -> None:
        """Make records gaps, as compaction does."""
        for at in offsets:
            self.records[at] = None

    def trim(self, start: int) -> None:
        """Delete all records below an offset, as retention does."""
        self.start = start

    def cut(self, high: int) -> None:
        """Lose the records from an offset on; the next ones have a higher epoch."""
        del self.records[high:], self.epochs[high:]
        self.epoch += 1

    def end_of(self, epoch: int) -> int:
        """Return the offset behind the last record of an epoch or an earlier one."""
        return bisect_right(self.epochs, epoch)
