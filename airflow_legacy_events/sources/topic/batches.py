"""Batches of one run: messages between the positions and the ends, with the position behind them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import ConfigurationError, GapError, StoppedError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Watermark
from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.ports.reader import Reader, Reading, ReadPosition, Taken
from airflow_legacy_events.core.ports.topic_ends import Partition
from airflow_legacy_events.sources.topic.picking import none_received
from airflow_legacy_events.sources.topic.positions import name_of, some, value_of
from airflow_legacy_events.sources.topic.truncating import Stand, Truncating
from airflow_legacy_events.sources.topic.waits import Wait
from airflow_legacy_events.sources.topic.windows import TimeWindow

SHAPE = Shape((), (), ())
"""Shape of all batches of messages: what they mean is found by decoding."""

BATCH_BYTES = 8 * 2**20
"""Keys and values of a batch, after which no further message is added."""


@dataclass(kw_only=True)
class TopicBatches:
    """Reads partitions up to their ends.

    Attributes:
        reader: of the topics.
        at: position of each partition, behind the last batch.
        ends: where the run ends.
        limits: budgets of the run.
        facts: returns what each batch records; given whether the run has read everything.
        must_save: whether the positions or facts at the start have to be saved even if nothing is read.
        waits: partitions that are read behind others.
        idle: partitions that stand at a truncate, of topics where nothing has come since.
        truncating: holds partitions at truncates; None: a truncate is a message like all others.
        missed: called with partitions whose truncate will never be complete.
        window: of a replay; None: all messages.
        skip: whether messages that are deleted during the run are passed.
        skipped: number of offsets that were passed so, by partition.
        turn: partition that the last run with `max_rows` read first; then the one of this run.
    """

    reader: Reader
    at: dict[Partition, ReadPosition]
    ends: Mapping[Partition, int]
    limits: Limits
    facts: Callable[[bool], Mapping[str, Any]]
    must_save: bool = False
    waits: list[Wait] = field(default_factory=list)
    idle: frozenset[Partition] = frozenset()
    truncating: Truncating | None = None
    missed: Callable[[list[Partition]], None] = lambda _: None
    window: TimeWindow | None = None
    skip: bool = False
    skipped: dict[Partition, int] = field(default_factory=dict)
    turn: Partition | None = None
    _reading: Reading | None = field(default=None, init=False, repr=False)
    _closed: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        self._texts = {one: value_of(one, self.at[one]) for one in sorted(self.at)}
        self._waiting = {one for wait in self.waits if not wait.over(self.at) for one in wait.partitions}
        self._behind = set[Partition]()
        self._rows = 0
        self._total = sum(max(0, self.ends[one] - self.at[one].offset) for one in self.at)

    @property
    def held(self) -> set[Partition]:
        """Partitions that are not read now."""
        standing = set() if self.truncating is None else set(dict(self.truncating.stands))
        return standing | self._waiting | self.idle | self._behind

    @property
    def left(self) -> bool:
        """Whether something can be read now."""
        if self.truncating is not None and self.truncating.ready(self._topics()):
            return True
        held = self.held
        return any(one not in held and place.offset < self.ends[one] for one, place in self.at.items())

    def __iter__(self) -> Iterator[Batch]:
        if not self.left:
            if self.must_save:
                yield self._batch(none_received())
            return
        reading = self._reading = self.reader.read(dict(self.at), self.ends)
        with contextlib.closing(reading):
            if self._closed:
                raise StoppedError("the reading of the topics was stopped before it began")
            self._take_turns()
            for one in sorted(self._waiting | self.idle | self._behind):
                reading.hold(one, self.at[one])
            yield from self._read(reading)

    def close(self) -> None:
        """Stop reading; may be called from any thread."""
        self._closed = True
        if self._reading is not None:
            self._reading.close()

    def _read(self, reading: Reading) -> Iterator[Batch]:
        budget = self.limits.max_rows
        while self.left and (budget is None or self._rows < budget):
            most = self.limits.page_rows if budget is None else min(self.limits.page_rows, budget - self._rows)
            taken = self._take(reading, most)
            for received in self._parts(reading, taken):
                yield self._batch(received)
            del taken, received  # free memory before the next take
        if self.window is not None and self.truncating is not None and self.truncating.stands and not self.left:
            raise _cut(self.truncating.stands)

    def _take(self, reading: Reading, most: int) -> Taken:
        """Return the next messages; positions are not moved yet. Messages that were deleted meanwhile may be passed."""
        while True:
            try:
                taken = reading.take(most, BATCH_BYTES)
            except GapError as gap:
                if not self.skip:
                    raise
                one = Partition(gap.topic, gap.partition)
                self.skipped[one] = self.skipped.get(one, 0) + gap.start - self.at[one].offset
                self._move(one, ReadPosition(gap.start))
                reading.hold(one, self.at[one])
                reading.release(one)
                continue
            if taken is None:  # all ends are reached; what led there had no message, so its epoch is not known
                held = self.held
                after = {one: ReadPosition(end) for one, end in self.ends.items() if one not in held}
                return Taken(none_received(), {one: at for one, at in after.items() if at.offset > self.at[one].offset})
            if len(taken.received) or any(self.at[one] != place for one, place in taken.after.items()):
                return taken

    def _parts(self, reading: Reading, taken: Taken) -> Iterator[Received]:
        """Move the positions behind the messages and yield these; then likewise truncates that all have reached."""
        received, after = taken.received, dict(taken.after)
        if self.window is not None and len(received):
            received = self.window.within(received)
        if self.truncating is not None and len(received):
            received, stands = self.truncating.cut(received)
            for one, stand in stands.items():
                reading.hold(one, ReadPosition(stand.offset + 1))
                after[one] = ReadPosition(stand.offset)
        for one, place in after.items():
            self._move(one, place)
        self._rows += len(received)
        self._let_waiting(reading)
        yield received
        if self.truncating is not None and self.truncating.stands:
            yield from self._released(reading, self.truncating)

    def _released(self, reading: Reading, truncating: Truncating) -> Iterator[Received]:
        for one in truncating.release(self._topics()):
            for partition in one.partitions:
                self._move(partition, ReadPosition(self.at[partition].offset + 1))
                reading.release(partition)
            self._let_waiting(reading)
            if one.messages is None:
                self.missed(sorted(one.partitions))
            else:
                self._rows += len(one.messages)
            yield none_received() if one.messages is None else one.messages

    def _topics(self) -> dict[str, list[Partition]]:
        topics: dict[str, list[Partition]] = {}
        for one in self.at:
            if one not in self._waiting:
                topics.setdefault(one.topic, []).append(one)
        return topics

    def _let_waiting(self, reading: Reading) -> None:
        """Read partitions once those have come as far that they wait for."""
        turn = self.turn
        if self._behind and turn is not None:
            half = 2 * self._rows >= (self.limits.max_rows or 0)
            if half or turn in self.held or self.at[turn].offset >= self.ends[turn]:
                for one in sorted(self._behind):
                    reading.release(one)
                self._behind = set()
        if not self._waiting:
            return
        waiting = {one for wait in self.waits if not wait.over(self.at) for one in wait.partitions}
        for one in sorted(self._waiting - waiting):
            reading.release(one)
        self._waiting = waiting

    def _take_turns(self) -> None:
        """Let each run with `max_rows` begin with another partition, which gets half of them if it has so many."""
        held, budget = self.held, self.limits.max_rows
        unread = [one for one in sorted(self.at) if one not in held and self.at[one].offset < self.ends[one]]
        if budget is None or self._total <= budget or not unread:
            return
        self.turn = next((one for one in unread if self.turn is not None and one > self.turn), unread[0])
        self._behind = {one for one in unread if one != self.turn}

    def _move(self, one: Partition, place: ReadPosition) -> None:
        self.at[one] = place
        self._texts[one] = value_of(one, place)

    def _batch(self, received: Received) -> Batch:
        final = not self.left
        rows: Any = received
        after = Watermark(tuple(self._texts.values()), None, self.facts(final))
        done = self._total - sum(max(0, self.ends[one] - place.offset) for one, place in self.at.items())
        share = done / self._total if self._total else None
        return Batch(SHAPE, rows, len(received), after, "c", final=final, share=share)


def _cut(stands: Mapping[Partition, Stand]) -> ConfigurationError:
    at = some([f"{name_of(one)} at {stand.offset}" for one, stand in sorted(stands.items())])
    return ConfigurationError(
        f"the window of the replay has a truncate on some partitions of a topic only: {at}. What lies behind it was not"
        " applied.\nMove the bounds of the window so that it lies between them on all, or use on_truncate='skip'"
    )
