"""An outbox in memory: a source whose rows must be acknowledged, and whose ids become visible out of order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.model import (
    PENDING_ROWS,
    Backlog,
    Batch,
    Horizon,
    Opened,
    Pending,
    Receipt,
    Span,
    Watermark,
    Window,
)

SHAPE = Shape(
    (
        Column("id", Kind.INTEGER, "bigint", nullable=False),
        Column("key", Kind.TEXT, "text"),
        Column("body", Kind.TEXT, "text"),
    ),
    data=(0, 1, 2),
    key=(1,),
    watermark=(0,),
    group=(1,),
    roles={"id": 0},
)


class Entry(NamedTuple):
    id: int
    key: str
    body: str


@dataclass
class Outbox:
    """The table: entries that were committed and not acknowledged yet, and what was acknowledged."""

    entries: dict[int, Entry] = field(default_factory=dict)
    acknowledged: list[int] = field(default_factory=list)
    told: list[Receipt] = field(default_factory=list)

    def commit(self, *entries: Entry) -> None:
        self.entries |= {entry.id: entry for entry in entries}

    def delete(self, ids: Iterable[int]) -> None:
        for one in ids:
            if self.entries.pop(one, None) is not None:
                self.acknowledged.append(one)


class OutboxSource:
    """Reads one pass in id order below the highest id that was visible at open; never filters by a position."""

    def __init__(self, outbox: Outbox, batch_rows: int = 3, max_rows: int | None = None) -> None:
        self.outbox, self.batch_rows, self.max_rows = outbox, batch_rows, max_rows
        self.before_page: Callable[[], None] = lambda: None

    def check(self, window: Window | Span | None = None) -> None:
        """There is nothing to be wrong."""

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Opened:
        target = max(self.outbox.entries, default=None)
        text = None if target is None else (str(target),)
        horizon = Horizon(text, "exact", "what was not read stays in the table", {"source": "outbox"})
        return Opened(horizon, self._pages(at, target))

    def _pages(self, at: Watermark | None, target: int | None) -> Iterator[Batch]:
        """An empty page leaves the position where it was: the rows up to the target may be acknowledged by then."""
        last, left = 0, self.max_rows
        position = None if at is None else at.values
        while target is not None and (left is None or left > 0):
            self.before_page()
            limit = self.batch_rows if left is None else min(left, self.batch_rows)
            ahead = sorted(one for one in list(self.outbox.entries) if last < one <= target)
            page = [self.outbox.entries[one] for one in ahead[:limit]]
            last = page[-1].id if page else last
            position = (str(last),) if page else position
            final = len(ahead) <= limit
            receipt = ranges([entry.id for entry in page]) or None
            rows = [(str(entry.id), entry.key, entry.body) for entry in page]
            yield Batch(SHAPE, rows, len(rows), Watermark(position, receipt, {}), "c", final=final)
            if final:
                return
            left = None if left is None else left - len(page)

    def pending(self, at: Watermark | None, most: int = PENDING_ROWS) -> Pending:
        target = max(self.outbox.entries, default=None)
        rows = min(len(self.outbox.entries), most)
        return Pending(rows, None if target is None else (str(target),))

    def without(self, batch: Batch, rows: AbstractSet[int]) -> Watermark:
        kept = [int(row[0]) for at, row in enumerate(batch.rows) if at not in rows]
        return batch.after._replace(receipt=ranges(kept) or None)

    def overtaken(self, batch: Batch) -> Iterator[Batch]:
        return iter(())

    def finish(self, lease: Any, over: Any) -> Backlog:
        return Backlog(len(self.outbox.entries), None, None)

    def acknowledge(self, receipt: Receipt, lease: Any, *, again: bool = False) -> None:
        self.outbox.told.append(receipt)
        self.outbox.delete(ids(receipt))


def ranges(numbers: list[int]) -> Receipt:
    """Consecutive numbers as `[first, last]`."""
    runs = itertools.groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    lists = [[number for _, number in run] for _, run in runs]
    return tuple([run[0], run[-1]] for run in lists)


def ids(receipt: Receipt) -> list[int]:
    return [one for first, last in receipt for one in range(first, last + 1)]
