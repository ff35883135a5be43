"""Partitions assigned to a consumer, where each stands, and which have reached their ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from airflow_legacy_events.brokers.kafka.clients import END_OF_PARTITION, POLL_SECONDS
from airflow_legacy_events.brokers.kafka.reading.places import behind, partition_of, placed
from airflow_legacy_events.core.ports import Partition, ReadPosition


class Assigned:
    """Fetches messages below the ends. The consumer is made when there is something to read.

    A leader epoch is that of the record before a position, which may be a control record: librdkafka's positions have
    it. An epoch that is lower than that record's would look like a log that was cut.

    Args:
        make: the consumer.
        at: where each partition begins.
        ends: where each partition ends.

    Attributes:
        where: each partition stands, behind everything that was fetched.
        failed: errors of partitions that were met; they are read no further.
        heard: when the broker sent something last, on the monotonic clock.
    """

    def __init__(
        self, make: Callable[[], Consumer], at: Mapping[Partition, ReadPosition], ends: Mapping[Partition, int]
    ) -> None:
        self._make, self._ends = make, dict(ends)
        self._consumer: Consumer | None = None
        self._held: set[Partition] = set()
        self._active: dict[Partition, TopicPartition] = {}
        self.where = dict(at)
        self.failed: dict[Partition, KafkaError] = {}
        self.heard = time.monotonic()
        for one in at:
            self._begin(one)

    @property
    def active(self) -> bool:
        """Whether any partition is being read."""
        return bool(self._active)

    def fetch(self, most: int) -> Sequence[Message]:
        """Return the next messages; none if there are none yet, or only gaps or ends were met."""
        consumer = self._started()
        # What is there already: with a timeout, messages would be collected beyond the limits of the client's queue.
        lump = consumer.consume(most, timeout=0) or consumer.consume(1, timeout=POLL_SECONDS)
        events = [one for one in lump if one.error() is not None]
        if lump:
            self.heard = time.monotonic()
        if events:
            lump = [one for one in lump if one.error() is None]
        kept = self._within(consumer, lump)
        for event in events:
            self._met(event)
        return kept

    def hold(self, one: Partition, at: ReadPosition) -> None:
        """See `core.ports.Reading.hold`."""
        self._end(one)
        self._held.add(one)
        self.where[one] = at

    def release(self, one: Partition) -> None:
        """See `core.ports.Reading.release`."""
        if one in self._held:
            self._held.remove(one)
            self._begin(one)

    def again(self, one: Partition) -> None:
        """Read a partition again from where it stands."""
        self._end(one)
        self._begin(one)

    def close(self) -> None:
        """End the consumer; may be called again."""
        consumer, self._consumer = self._consumer, None
        self._active.clear()
        if consumer is not None:
            consumer.close()

    def _started(self) -> Consumer:
        if self._consumer is None:
            self._consumer = self._make()
            self._consumer.assign(list(self._active.values()))
        return self._consumer

    def _begin(self, one: Partition) -> None:
        if self.where[one].offset == self._ends[one]:
            return
        self._active[one] = placed(one, self.where[one])
        if self._consumer is not None:
            self._consumer.incremental_assign([self._active[one]])

    def _end(self, *ended: Partition) -> None:
        parts = [part for one in ended if (part := self._active.pop(one, None)) is not None]
        for one in ended:
            self.failed.pop(one, None)
        if self._consumer is not None and parts:
            self._consumer.incremental_unassign(parts)

    def _within(self, consumer: Consumer, lump: Sequence[Message]) -> Sequence[Message]:
        """Return the messages below the ends, and move the positions."""
        found = {one: at for one, at in _positions(consumer, self._active.values()) if at != self.where[one]}
        if passed := [one for one, at in found.items() if at.offset > self._ends[one]]:
            lump = [m for m in lump if (m.offset() or 0) < self._ends[partition_of(m)]]
            found |= {one: self._last(one, found[one], lump) for one in passed}
        if found:
            self.heard = time.monotonic()
        self.where |= found
        self._end(*passed, *(one for one, at in found.items() if at.offset == self._ends[one]))
        return lump

    def _last(self, one: Partition, at: ReadPosition, kept: Sequence[Message]) -> ReadPosition:
        """Return the position of a partition whose end lies before what was fetched.

        Its epoch is None if that of the record before the end is unknown: it may be that of a gap.
        """
        last = next((behind(m) for m in reversed(kept) if partition_of(m) == one), self.where[one])
        if last.offset < self._ends[one]:
            return ReadPosition(self._ends[one], at.epoch if last.epoch == at.epoch else None)
        return last

    def _met(self, event: Message) -> None:
        """Note the end of a partition, or its failure; other errors are those of connections, which are retried."""
        one, error = partition_of(event), event.error()
        if error is None or one not in self._active:
            return
        if error.code() != END_OF_PARTITION:
            self.failed[one] = error
        elif (event.offset() or 0) >= self._ends[one]:
            if self.where[one].offset < self._ends[one]:  # gaps without a control record: their epoch is unknown
                self.where[one] = ReadPosition(self._ends[one])
            self._end(one)


def _positions(consumer: Consumer, parts: Iterable[TopicPartition]) -> list[tuple[Partition, ReadPosition]]:
    """Return where partitions stand that something was fetched of."""
    found = consumer.position([TopicPartition(part.topic, part.partition) for part in parts])
    return [
        (Partition(part.topic, part.partition), ReadPosition(part.offset, part.leader_epoch))
        for part in found
        if part.offset >= 0
    ]
