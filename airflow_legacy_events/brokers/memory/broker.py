"""In-memory broker for tests and examples; nothing survives the process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from airflow_legacy_events.brokers.memory.log import Kept, MemoryLog
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Messages, Rejection
from airflow_legacy_events.core.ports import Position


class MemoryBroker:
    """Keeps confirmed messages by topic, in order.

    A published message is on its topic only once it is confirmed; a rejected one never is.

    Args:
        limits: by topic, the largest value accepted, in bytes.
        topics: those that exist; None: all topics exist.
        compacted: those that refuse messages without a key.
        partitions: number of partitions by topic, else one; a message that names none goes to the first.

    Attributes:
        cluster_id: see `core.ports.BrokerClient`.
        bootstrap: see `core.ports.BrokerClient`.
    """

    cluster_id = "memory"
    bootstrap = "memory"

    def __init__(
        self,
        limits: Mapping[str, int] | None = None,
        topics: Collection[str] | None = None,
        compacted: Collection[str] = (),
        partitions: Mapping[str, int] | None = None,
    ) -> None:
        self._limits, self._existing, self._compacted = dict(limits or {}), topics, compacted
        self._partitions: Mapping[str, int] = {} if partitions is None else partitions
        self._topics: dict[str, list[tuple[Kept, int]]] = {}
        self._logs: dict[str, dict[int, MemoryLog]] = {}
        self._published: list[tuple[Messages, frozenset[int]]] = []
        self._made: Counter[str] = Counter()
        self._met: dict[str, str] = {}
        self._written: set[str] = set()

    def topic(self, name: str, partition: int | None = None) -> list[Kept]:
        """The confirmed messages of a topic, or of one partition of it."""
        return [kept for kept, number in self._topics.get(name, []) if partition in (None, number)]

    def log(self, name: str, partition: int = 0) -> MemoryLog:
        """Return the log of a partition, as readers see it."""
        return self._logs.setdefault(name, {}).setdefault(partition, MemoryLog())

    def logs(self, name: str) -> Mapping[int, MemoryLog]:
        """Return the logs of a topic's partitions, by number; empty if there is no such topic."""
        numbers = {*range(self.partitions(name)), *self._logs.get(name, {})}
        return {number: self.log(name, number) for number in sorted(numbers)} if self._exists(name) else {}

    def present_id(self, topic: str) -> str:
        """Return the identity that a topic has now."""
        return f"{topic}.{self._made[topic]}"

    def remake(self, name: str) -> None:
        """Delete a topic with its messages, and create it again."""
        self._topics.pop(name, None)
        self._logs.pop(name, None)
        self._made[name] += 1

    def open(self) -> None:
        """Forget the topic identities seen so far; there is nothing to connect to."""
        self._met.clear()
        self._written.clear()

    def require(self, topics: Sequence[str]) -> None:
        """See `core.ports.Broker.require`."""
        if missing := [name for name in topics if not self._exists(name)]:
            raise ConfigurationError(f"there is no topic {', '.join(map(repr, missing))}. Nothing was read")

    def partitions(self, topic: str) -> int:
        """See `core.ports.Broker.partitions`."""
        return self._partitions.get(topic, 1) if self._exists(topic) else 0

    def topic_id(self, topic: str) -> str:
        """See `core.ports.Broker.topic_id`."""
        return self._met.setdefault(topic, self.present_id(topic))

    def compacted(self, topics: Sequence[str]) -> Sequence[str]:
        """See `core.ports.Broker.compacted`."""
        return [name for name in topics if name in self._compacted]

    def remade(self) -> Sequence[str]:
        """See `core.ports.Broker.remade`."""
        return [name for name in sorted(self._written) if self.present_id(name) != self._met[name]]

    def refused(self, messages: Messages) -> Sequence[Rejection]:
        """See `core.ports.Broker.refused`."""
        return [found for at in range(len(messages.values)) if (found := self._refusal(messages, at)) is not None]

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        """See `core.ports.Broker.publish`."""
        self._published.append((messages, frozenset(left_out)))
        for name in dict.fromkeys(messages.topics or (messages.topic,)):
            self._met.setdefault(name, self.present_id(name))
            self._written.add(name)

    def confirm(self) -> Sequence[Rejection]:
        """See `core.ports.Broker.confirm`."""
        published, self._published = self._published, []
        rejections: list[Rejection] = []
        first = 0
        for messages, left_out in published:
            rejections += self._keep(messages, left_out, first)
            first += len(messages.values)
        return rejections

    def latest(self, topic: str) -> Position | None:
        """See `core.ports.BrokerClient.latest`."""
        kept = self._topics.get(topic)
        return Position(0, len(kept) - 1) if kept else None

    def close(self) -> None:
        """Drop unconfirmed messages."""
        self._published.clear()

    def _exists(self, topic: str) -> bool:
        return self._existing is None or topic in self._existing

    def _refusal(self, messages: Messages, at: int) -> Rejection | None:
        topic, value = messages.topic_of(at), messages.values[at]
        if not self._exists(topic):
            return Rejection(at, "UNKNOWN_TOPIC_OR_PART", f"there is no topic {topic!r}")
        if messages.keys[at] is None and topic in self._compacted:
            return Rejection(at, "INVALID_RECORD", f"it has no key, and topic {topic!r} is compacted")
        limit = self._limits.get(topic)
        size = len(value.encode() if isinstance(value, str) else value or b"")
        if limit is None or size <= limit:
            return None
        return Rejection(at, "MSG_SIZE_TOO_LARGE", f"{size} bytes, the topic allows {limit}")

    def _keep(self, messages: Messages, left_out: AbstractSet[int], first: int) -> Iterator[Rejection]:
        for at, (key, value) in enumerate(zip(messages.keys, messages.values, strict=True)):
            if at in left_out:
                continue
            if (refused := self._refusal(messages, at)) is not None:
                yield replace(refused, index=first + at)
                continue
            kept = Kept(key, value, messages.headers_of(at), messages.timestamp_of(at))
            topic, number = messages.topic_of(at), messages.partition_of(at) or 0
            self._topics.setdefault(topic, []).append((kept, number))
            self.log(topic, number).append(kept)
