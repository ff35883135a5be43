"""Topics that are read on and on, as a consumer of the real broker sees them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from confluent_kafka import Consumer, TopicPartition

from tests.support.topic_ends import committed_ends
from tests.support.topics import Message, message_of


class TopicReader:
    """Reads each message once, as it comes; those of one key in their order.

    Args:
        bootstrap: of the broker.
        topics: that are there already.
    """

    def __init__(self, bootstrap: str, topics: Sequence[str]) -> None:
        settings = {"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False}
        self._consumer = Consumer(
            {**settings, "isolation.level": "read_committed", "fetch.wait.max.ms": 10, "log_level": 0}
        )
        self._bootstrap = bootstrap
        known = self._consumer.list_topics(timeout=30).topics
        self._partitions = [TopicPartition(name, number, 0) for name in topics for number in known[name].partitions]
        self._consumer.assign(self._partitions)

    def read_on(self) -> list[tuple[str, Message]]:
        """Return topics and messages that came since the last call, up to the end that each partition has now."""
        ends = committed_ends(self._bootstrap, self._partitions)
        found: list[tuple[str, Message]] = []
        while any(max(0, one.offset) < ends[one.topic, one.partition] for one in self._positions()):
            messages = self._consumer.consume(1_000, timeout=0.1)
            found += [(one.topic(), message_of(one)) for one in messages if one.error() is None]
        return found

    def close(self) -> None:
        self._consumer.close()

    def _positions(self) -> list[TopicPartition]:
        """Where it stands; below 0 before the first message."""
        return self._consumer.position(self._partitions)
