"""Reading of partitions of Kafka up to their ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from itertools import chain

from confluent_kafka import KafkaException, Message

from airflow_legacy_events.brokers.kafka.reading.assigned import Assigned
from airflow_legacy_events.brokers.kafka.reading.columns import Columns
from airflow_legacy_events.brokers.kafka.reading.faults import Faults
from airflow_legacy_events.brokers.kafka.reading.places import behind, partition_of
from airflow_legacy_events.core.errors import StoppedError
from airflow_legacy_events.core.ports import Partition, ReadPosition, Taken

SILENT_SECONDS = 30.0
"""Time after which a broker that sends nothing is an error."""

_LOOK_SECONDS = 5.0
_PATIENCE_SECONDS = 1.0


class KafkaReading:
    """See `core.ports.Reading`; it connects at the first `take` that has something to read.

    Args:
        assigned: the partitions.
        check: looks whether topics are still the same; raises if they aren't.
        faults: words what failed.
    """

    def __init__(self, assigned: Assigned, check: Callable[[Collection[str]], None], faults: Faults) -> None:
        self._assigned, self._check, self._faults = assigned, check, faults
        topics = {one.topic for one in assigned.where}
        self._topic = topics.pop() if len(topics) == 1 else None
        self._rest: Sequence[Message] = ()
        self._given = dict(assigned.where)
        self._size = 1_000.0
        self._lock, self._closed = threading.Lock(), threading.Event()

    def take(self, most: int, most_bytes: int) -> Taken | None:
        """See `core.ports.Reading.take`."""
        with self._lock:
            self._checked_open()
            try:
                columns = self._filled(most, most_bytes)
            except KafkaException as error:
                raise self._faults.other(error) from None
            after = self._after(columns)
            if not after:
                return None
            # Behind the reading: a topic that was made again is read on at the same offset without a word.
            self._check({one.topic for one in after})
            return Taken(columns.received, after)

    def hold(self, partition: Partition, at: ReadPosition) -> None:
        """See `core.ports.Reading.hold`."""
        with self._lock:
            self._rest = [m for m in self._rest if partition_of(m) != partition]
            self._assigned.hold(partition, at)
            self._given[partition] = at

    def release(self, partition: Partition) -> None:
        """See `core.ports.Reading.release`."""
        with self._lock:
            self._assigned.release(partition)

    def close(self) -> None:
        """See `core.ports.Reading.close`; a `take` notices it within 0.2 s, or with the answer to a request."""
        self._closed.set()
        with self._lock:
            self._assigned.close()

    def _filled(self, most: int, most_bytes: int) -> Columns:
        columns = Columns(self._topic)
        self._assigned.heard = looked = time.monotonic()
        while columns.count < most and columns.bytes < most_bytes and (self._rest or self._assigned.active):
            self._checked_open()
            if self._assigned.failed and not self._rest and self._ends(columns):
                break
            if lump := self._lump(most - columns.count, most_bytes - columns.bytes):
                self._rest = [*columns.add(lump, most_bytes), *self._rest]
                self._size = max(1.0, columns.bytes / columns.count)
                continue
            silent = time.monotonic() - self._assigned.heard
            if silent > _PATIENCE_SECONDS and columns.count:
                break
            if silent > SILENT_SECONDS:
                raise self._faults.silent(SILENT_SECONDS)
            if silent > _LOOK_SECONDS < time.monotonic() - looked:
                self._check({one.topic for one in self._assigned.where})
                looked = time.monotonic()
        return columns

    def _lump(self, most: int, most_bytes: int) -> Sequence[Message]:
        count = min(most, int(most_bytes / self._size) + 1)
        if not self._rest:
            return self._assigned.fetch(count)
        lump, self._rest = self._rest[:count], self._rest[count:]
        return lump

    def _ends(self, columns: Columns) -> bool:
        """Return whether a failure ends the take; without messages before it, it is raised."""
        for one, error in [*self._assigned.failed.items()]:
            if (found := self._faults.of(one, self._assigned.where[one], error)) is None:
                self._assigned.again(one)
            elif not columns.count:
                raise found
        return bool(self._assigned.failed)

    def _after(self, columns: Columns) -> dict[Partition, ReadPosition]:
        """Return where partitions continue behind what is handed out; the rest was fetched, but is not."""
        left = set(map(partition_of, self._rest))
        now = {one: at for one, at in self._assigned.where.items() if one not in left}
        for m in chain.from_iterable(map(reversed, reversed(columns.lumps)) if left else ()):
            if (one := partition_of(m)) in left:
                left.remove(one)
                now[one] = behind(m)
            if not left:
                break
        after = {one: at for one, at in now.items() if at != self._given[one]}
        self._given |= after
        return after

    def _checked_open(self) -> None:
        if self._closed.is_set():
            raise StoppedError("the reading was closed")
