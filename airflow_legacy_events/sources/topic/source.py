"""Topic source: reads topics from the stored positions to the ends fixed at the start, without a consumer group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import (
    LEFT_ROWS,
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
from airflow_legacy_events.core.ports import Lease
from airflow_legacy_events.core.ports.reader import ReadPosition
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.sources.topic import held_back
from airflow_legacy_events.sources.topic.arguments import ALL, NOW, TopicArguments
from airflow_legacy_events.sources.topic.batches import SHAPE, TopicBatches
from airflow_legacy_events.sources.topic.facts import FIRST
from airflow_legacy_events.sources.topic.opening import Opening, opened
from airflow_legacy_events.sources.topic.parts import extents_of
from airflow_legacy_events.sources.topic.positions import places_of, values_of
from airflow_legacy_events.sources.topic.record import Record
from airflow_legacy_events.sources.topic.replaying import open_replay
from airflow_legacy_events.sources.topic.truncating import Truncating
from airflow_legacy_events.sources.topic.waits import unread
from airflow_legacy_events.sources.topic.windows import time_window


@dataclass(kw_only=True)
class TopicSource(TopicArguments):
    """Reads what was committed to topics; the watermark holds the position in each partition.

    It implements `core.ports.LogSource` too.

    Attributes:
        stored: facts of the watermark that the last `open` was given.
    """

    stored: Mapping[str, Any] = field(default_factory=dict, init=False, repr=False)
    _batches: TopicBatches | None = field(default=None, init=False, repr=False)
    _record: Record | None = field(default=None, init=False, repr=False)
    _closed: bool = field(default=False, init=False, repr=False)

    def check(self, window: Window | Span | None = None) -> None:
        """See `core.ports.Source.check`."""
        problems = Problems()
        with problems.collect():
            self.check_arguments()
        with problems.collect():
            self._check_window(window)
        if not problems.found:
            extents_of(self.reader.find(self.topics, settled=False), self.partitions)
        problems.raise_found()

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Opened:
        """See `core.ports.Source.open`."""
        self.check_arguments()
        self._check_window(window)
        now = self._now()
        self.stored = {} if at is None else at.facts
        if isinstance(window, Window):
            horizon, self._batches = open_replay(self, window, at)
            return Opened(horizon, iter(self._batches))
        found = opened(self, at, self.reader.find(self.topics), now, settled=True)
        self._record = record = Record(found, self.met, self._now, self.log, self.stream)
        self._batches = batches = self._run(found, record)
        record.announce()
        if self._closed:
            batches.close()
        return Opened(self._horizon(found, record, batches), iter(batches))

    def pending(self, at: Watermark | None, most: int = PENDING_ROWS) -> Pending:
        """See `core.ports.Source.pending`; offsets are counted, some of which may be control records.

        Before a first run that marks the ends, all that is there is pending, so that this run takes place.
        """
        self.check_arguments()
        found = opened(self, at, self.reader.find(self.topics, settled=False), self._now(), settled=False)
        begin = found.start.at
        if self.first_run == NOW and found.begins and FIRST not in found.stored:
            begin = {one: ReadPosition(extent.start) for one, extent in found.extents.items()}
        count = min(most, unread(begin, found.ends, found.waits, found.idle))
        return Pending(count, found.target if count else None)

    def without(self, batch: Batch, rows: AbstractSet[int]) -> None:
        """Return None: no later run reads below its positions."""

    def overtaken(self, batch: Batch) -> Iterator[Batch]:  # noqa: ARG002
        """See `core.ports.Source.overtaken`; messages never change."""
        return iter(())

    def acknowledge(self, receipt: Receipt, lease: Lease, *, again: bool = False) -> None:
        """A topic leaves nothing to acknowledge: messages stay on it."""

    def finish(self, lease: Lease, over: Callable[[], bool]) -> Backlog | None:  # noqa: ARG002
        """See `core.ports.Source.finish`; warns of partitions that wait for others."""
        if self._record is not None and self._batches is not None:
            self._record.warn_of_waiting(self._batches)
        return None

    def report(self) -> Mapping[str, Any]:
        """See `core.ports.LogSource.report`.

        `deleted_unread` offsets that retention deleted before they were read, by partition · `waiting` partitions that
        came later, and are read behind the older ones · `standing` offsets of truncates that other partitions have not
        reached yet.
        """
        if self._record is None or self._batches is None:
            return {}
        return self._record.shown(self._batches)

    def lowered(self) -> tuple[str, str] | None:
        """See `core.ports.LogSource.lowered`."""
        return None if self._record is None else self._record.lowered()

    def close(self) -> None:
        """Stop reading at once; may be called from any thread. The reader is left open."""
        self._closed = True
        if self._batches is not None:
            self._batches.close()

    def _check_window(self, window: Window | Span | None) -> None:
        if isinstance(window, Span):
            raise ConfigurationError(
                "a topic has no span to send again; nothing was read. Rewind the stream with `airflow legacy-events"
                " watermark rewind`, or replay a window of time"
            )
        if window is not None:
            time_window(window)

    def _now(self) -> int:
        return int(self.clock() * 1_000)

    def _run(self, found: Opening, record: Record) -> TopicBatches:
        truncating = None if self.truncates is None else Truncating(self.truncates, record.truncated())
        batches = TopicBatches(
            reader=self.reader,
            at=dict(found.start.at),
            ends=found.ends,
            limits=self.limits,
            facts=lambda final: record.facts(batches, final=final),
            must_save=found.must_save,
            waits=found.waits,
            idle=found.idle,
            truncating=truncating,
            missed=record.warn_of_missed,
            skip=self.on_gap == "skip",
            skipped=dict(found.start.skipped),
            turn=found.turn,
        )
        return batches

    def _horizon(self, found: Opening, record: Record, batches: TopicBatches) -> Horizon:
        open_ones = held_back.open_ones(self.reader, found.extents, found.now)
        held_back.warn(self.log, self.stream, self.reader.bootstrap, open_ones)
        completeness, reason = record.judged()
        facts = record.at_start(batches)
        if self.first_run != ALL and found.begins:
            facts[FIRST] = list(values_of(found.start.at))
        return Horizon(
            found.target if batches.left else None,
            completeness,
            reason,
            facts,
            shape=SHAPE,
            held_back=held_back.held_back(open_ones, found.extents),
            below=True,
            ends=held_back.statement(self.reader.bootstrap, open_ones[0].partition) if open_ones else None,
            left=lambda values: self._left(values, found),
        )

    def _left(self, values: Sequence[str], found: Opening) -> int:
        """Count the offsets between positions and ends."""
        places = places_of(self.stream, values)
        at = {one: place.at for one, place in places.items() if place.at is not None}
        return min(LEFT_ROWS, unread(at, found.ends))
