"""Reader of the topics of a broker in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from airflow_legacy_events.brokers.memory.broker import MemoryBroker
from airflow_legacy_events.brokers.memory.reading import MemoryReading
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Extent, FoundTopic, Partition, ReadPosition

_DAY = 24 * 60 * 60 * 1000


class MemoryReader:
    """See `core.ports.Reader`.

    Args:
        broker: whose topics are read.
        tombstone_ms: how long compacted topics keep tombstones, in milliseconds; None: the user may not see it.

    Attributes:
        bootstrap: see `core.ports.Reader`.
        groups: offsets that were noted, by group.
    """

    bootstrap = "memory"

    def __init__(self, broker: MemoryBroker, tombstone_ms: int | None = _DAY) -> None:
        self._broker, self._tombstone_ms = broker, tombstone_ms
        self._ids: dict[str, str | None] = {}
        self.groups: dict[str, dict[Partition, ReadPosition]] = {}

    def cluster_id(self) -> str | None:
        """See `core.ports.Reader.cluster_id`."""
        return self._broker.cluster_id

    def find(self, topics: Sequence[str], *, settled: bool = True) -> Mapping[str, FoundTopic]:  # noqa: ARG002
        """See `core.ports.Reader.find`."""
        if missing := [name for name in topics if not self._broker.logs(name)]:
            raise ConfigurationError(f"there is no topic {', '.join(map(repr, missing))}. Nothing was read")
        found = {name: self._found(name) for name in topics}
        self._ids.update({name: one.id for name, one in found.items()})
        return found

    def offsets_at(self, partitions: Collection[Partition], moment: int) -> Mapping[Partition, int | None]:
        """See `core.ports.Reader.offsets_at`."""
        return {one: self._first(one, moment) for one in partitions}

    def moments(self, at: Mapping[Partition, int]) -> Mapping[Partition, int | None]:
        """See `core.ports.Reader.moments`."""
        logs = {one: self._broker.log(*one) for one in at}
        records = {one: logs[one].records[offset] for one, offset in at.items() if offset < logs[one].high}
        return {one: None if (kept := records.get(one)) is None else kept.timestamp for one in at}

    def read(self, at: Mapping[Partition, ReadPosition], ends: Mapping[Partition, int]) -> MemoryReading:
        """See `core.ports.Reader.read`."""
        return MemoryReading(self._broker, at, ends, dict(self._ids))

    def noted(self, group: str, at: Mapping[Partition, ReadPosition]) -> None:
        """See `core.ports.Reader.noted`."""
        self.groups.setdefault(group, {}).update(at)

    def close(self) -> None:
        """See `core.ports.Reader.close`."""

    def _found(self, name: str) -> FoundTopic:
        logs = self._broker.logs(name)
        extents = {number: Extent(log.start, log.end, log.high) for number, log in logs.items()}
        compacted = bool(self._broker.compacted([name]))
        return FoundTopic(self._broker.present_id(name), extents, compacted, self._tombstone_ms if compacted else None)

    def _first(self, one: Partition, moment: int) -> int | None:
        log = self._broker.log(*one)
        return next(
            (
                at
                for at in range(log.start, log.end)
                if (kept := log.records[at]) is not None and (kept.timestamp or 0) >= moment
            ),
            None,
        )
