"""Reading of partitions in memory, up to their ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.brokers.lost import beyond, differs, passed, remade
from airflow_legacy_events.brokers.memory.broker import MemoryBroker
from airflow_legacy_events.brokers.memory.log import Kept, MemoryLog
from airflow_legacy_events.core.errors import ConfigurationError, StoppedError
from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.ports import Partition, ReadPosition, Taken


class MemoryReading:
    """See `core.ports.Reading`; each take begins with another partition.

    Args:
        broker: whose logs are read.
        at: where each partition begins.
        ends: where each partition ends.
        ids: of the topics, as they were found.
    """

    def __init__(
        self,
        broker: MemoryBroker,
        at: Mapping[Partition, ReadPosition],
        ends: Mapping[Partition, int],
        ids: Mapping[str, str | None],
    ) -> None:
        self._broker, self._at, self._ends, self._ids = broker, dict(at), dict(ends), ids
        self._order = sorted(at)
        self._held: set[Partition] = set()
        self._closed = False

    def take(self, most: int, most_bytes: int) -> Taken | None:
        """See `core.ports.Reading.take`."""
        if self._closed:
            raise StoppedError("the reading was closed")
        left = [one for one in self._order if one not in self._held and self._is_open(one)]
        if not left:
            return None
        received = Received([], [], [], [], [], [], [])
        after: dict[Partition, ReadPosition] = {}
        for one in left:
            if len(received) >= most or most_bytes <= 0:
                break
            most_bytes -= self._pass(one, received, after, most, most_bytes)
        self._at.update(after)
        self._order.append(self._order.pop(0))
        return Taken(received, after)

    def hold(self, partition: Partition, at: ReadPosition) -> None:
        """See `core.ports.Reading.hold`."""
        self._held.add(partition)
        self._at[partition] = at

    def release(self, partition: Partition) -> None:
        """See `core.ports.Reading.release`."""
        self._held.discard(partition)

    def close(self) -> None:
        """See `core.ports.Reading.close`."""
        self._closed = True

    def _is_open(self, one: Partition) -> bool:
        if self._at[one].offset > self._ends[one]:
            self._checked(one)
        return self._at[one].offset < self._ends[one]

    def _pass(
        self, one: Partition, received: Received, after: dict[Partition, ReadPosition], most: int, most_bytes: int
    ) -> int:
        """Add messages of a partition; return their bytes."""
        log, (offset, epoch), size = self._checked(one), self._at[one], 0
        while offset < self._ends[one] and len(received) < most and size < most_bytes:
            if (kept := log.records[offset]) is not None:
                size += _add(received, one, offset, kept)
            offset, epoch = offset + 1, log.epochs[offset]
        after[one] = ReadPosition(offset, epoch)
        return size

    def _checked(self, one: Partition) -> MemoryLog:
        logs, at = self._broker.logs(one.topic), self._at[one]
        if one.number not in logs:
            raise ConfigurationError(f"topic {one.topic!r} was deleted while it was read")
        if self._ids.get(one.topic, present := self._broker.present_id(one.topic)) != present:
            raise remade(one.topic)
        log = logs[one.number]
        if at.offset < log.start:
            raise passed(one, at, log.start)
        if at.offset > log.high:
            raise beyond(one, at, log.high)
        if at.epoch is not None and (first := log.end_of(at.epoch)) < at.offset:
            raise differs(one, at, first)
        return log


def _add(received: Received, one: Partition, offset: int, kept: Kept) -> int:
    key, value = _encoded(kept.key), _encoded(kept.value)
    columns: tuple[Any, ...] = (
        received.topics,
        received.partitions,
        received.offsets,
        received.keys,
        received.values,
        received.headers,
        received.timestamps,
    )
    headers = [(name, _encoded(text)) for name, text in kept.headers]
    for column, part in zip(columns, (*one, offset, key, value, headers, kept.timestamp), strict=True):
        column.append(part)
    return len(key or b"") + len(value or b"")


def _encoded(part: str | bytes | None) -> bytes | None:
    return part.encode() if isinstance(part, str) else part
