"""Runs of a topic source whose batches are saved together with their positions, as a sink's transaction does."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Horizon, Watermark
from airflow_legacy_events.sources.topic.source import TopicSource

BROKERS = ["memory", "kafka"]

ON_BOTH = pytest.mark.parametrize("world", BROKERS, indirect=True)


@dataclass
class Sink:
    """A stream that keeps what it got, and its watermark.

    Attributes:
        reader: of the topics.
        topics: their names.
        arguments: further ones of the source.
        mark: as it is stored.
        got: topic, partition, offset and value of each message, in order.
        batches: of the last run.
        horizon: of the last run.
        source: of the last run.
    """

    reader: Any
    topics: list[str]
    arguments: dict[str, Any] = field(default_factory=dict)
    mark: Watermark | None = None
    got: list[tuple[str, int, int, bytes | None]] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    horizon: Horizon | None = None
    source: TopicSource | None = None

    def make(self, **changed: Any) -> TopicSource:
        given = {"stream": "s", **self.arguments, **changed}
        limits = {name: given.pop(name) for name in ("batch_rows", "max_rows") if name in given}
        return TopicSource(reader=self.reader, topics=self.topics, limits=Limits(**limits), **given)

    def run(self, *, batches: int | None = None, window: Any = None, **changed: Any) -> list[bytes | None]:
        """Open and read, with a kill after so many batches; returns the values of this run in order."""
        self.source = source = self.make(**changed)
        opened = source.open(self.mark, window)
        self.horizon, before, self.batches = opened.horizon, len(self.got), []
        facts: Mapping[str, Any] = {"run": "1", **opened.horizon.facts}
        if self.mark is None:
            self.mark = Watermark(None, None, facts)
        with closing(opened.batches) as taken:
            for batch in itertools.islice(taken, batches):
                self._save(batch, facts)
        if batches is None:
            source.finish(None, lambda: False)
        return [value for *_, value in self.got[before:]]

    @property
    def values(self) -> list[str] | None:
        return None if self.mark is None or self.mark.values is None else list(self.mark.values)

    @property
    def final(self) -> bool:
        """Whether the last run reached its target; a run without batches did."""
        return not self.batches or self.batches[-1].final

    def pending(self, **changed: Any) -> int:
        return self.make(**changed).pending(self.mark).rows

    def _save(self, batch: Batch, facts: Mapping[str, Any]) -> None:
        self.batches.append(batch)
        received: Any = batch.rows
        assert batch.count == len(received)
        self.got += zip(received.topics, received.partitions, received.offsets, received.values, strict=True)
        self.mark = batch.watermark._replace(facts={**facts, **batch.watermark.facts})


def texts(*numbers):
    return [str(one).encode() for one in numbers]


def send(world, topic, *numbers, partition=0, timestamp=None):
    world.send(topic, *((f"k{one}", str(one)) for one in numbers), partition=partition, timestamp=timestamp)


def without_epochs(values):
    return [one.partition("@")[0] for one in values]


def moved(sink, *values):
    """As `watermark set` does it."""
    sink.mark = Watermark(values, None, {} if sink.mark is None else sink.mark.facts)


def ages(later):
    """A clock that is ahead by the number of seconds in `later`."""
    return lambda: time.time() + later.get("seconds", 0)
