"""A change log in memory: chunks with changes of two tables, whose batches share a watermark."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.model import Backlog, Batch, Horizon, MetTopics, Opened, Receipt, Watermark
from tests.support.crashes import Crash, Process, World

CHANGES = 17


def shape(table: str) -> Shape:
    return Shape(
        (Column("id", Kind.INTEGER, "bigint", nullable=False), Column("body", Kind.TEXT, "text")),
        data=(0, 1),
        key=(0,),
        watermark=(0,),
        table=table,
        stream={"topic": f"cdc.{table}"},
    )


SHAPES = (shape("a"), shape("b"))


class LogSource:
    """Changes 1 to `CHANGES`, five to a chunk; an even one is of the first table, an odd one of the second.

    Behind the first chunk comes one without changes.
    """

    def __init__(
        self, bodies: Callable[[int], str] = str, topics: Sequence[str] = (), *, passing: bool = False
    ) -> None:
        self.bodies, self.topics, self.passing = bodies, tuple(topics), passing
        self.compacted: list[str] = []
        self.op = "u"
        self.acknowledged: list[int] = []

    def open(self, at: Watermark | None, window: Any = None) -> Opened:
        after = int(at.values[0]) if at is not None and at.values else 0
        horizon = Horizon(
            *((str(CHANGES),), "exact", "a log", {"source": "log"}),
            topics=self.topics,
            met=self._meet,
        )
        return Opened(horizon, self._batches(after))

    def _meet(self, topics: MetTopics) -> dict[str, Any]:
        self.compacted.extend(topics.compacted)
        return {}

    def _batches(self, after: int) -> Iterator[Batch]:
        for first in range(after + 1, CHANGES + 1, 5):
            numbers = range(first, min(first + 5, CHANGES + 1))
            parts = [[one for one in numbers if one % 2 == odd] for odd in (0, 1)]
            end = Watermark((str(numbers[-1]),), (numbers[-1],), {})
            rows = [[(str(one), self.bodies(one)) for one in part] for part in parts]
            found = [(form, part) for form, part in zip(SHAPES, rows, strict=True) if part]
            for form, part in found:
                last = part is found[-1][1]
                batch = Batch(
                    form, part, len(part), end if last else None, self.op, final=last and numbers[-1] == CHANGES
                )
                batch.passing = self.passing
                yield batch
            if first == after + 1 and numbers[-1] < CHANGES:
                yield Batch(SHAPES[0], [], 0, end, "c")

    def without(self, batch: Batch, rows: AbstractSet[int]) -> None:
        assert batch.after is not None

    def finish(self, lease: Any, over: Any) -> Backlog | None:
        return None

    def acknowledge(self, receipt: Receipt, lease: Any, *, again: bool = False) -> None:
        self.acknowledged.append(receipt[-1])


class LogProcess(Process):
    """A process that reads this log."""

    def __init__(
        self, world: World, source: LogSource, crash: Crash | None = None, clock: Any = itertools.count
    ) -> None:
        super().__init__(world, source, crash, clock=clock().__next__)

    def acknowledge(self, receipt: Any, lease: Any, *, again: bool = False) -> None:
        saved = self.world.store.load(self.relay.stream.name)
        assert saved is not None
        assert saved.receipt == receipt, "acknowledged what no saved watermark says"
        self.step("acknowledge", lambda: self.inner.acknowledge(receipt, lease))
