"""The topics that a run writes to: those named at its start, and those that its messages name on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from airflow_legacy_events.brokers.kafka.config import MAX_MESSAGE_BYTES
from airflow_legacy_events.brokers.kafka.sizes import record_batch_bytes, too_large
from airflow_legacy_events.brokers.kafka.topics import Topics
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Messages, Rejection

LISTING_SECONDS = 5.0
"""A topic that was missing is looked for again after so long: other messages may name it too."""

_TOO_LARGE = "MSG_SIZE_TOO_LARGE"


class Routes:
    """What is known of each topic, looked up once; what can't be sent is refused before anything is sent.

    Args:
        topics: of the cluster.
        names: of the topics that are named at the start; each must be there.
        partitions: creates a missing topic with so many partitions; None: it is missing.
        config: settings of a topic that is created.
        clock: seconds that only grow.

    Raises:
        ConfigurationError, DeliveryError: as `Topics.require` and `Topics.limits` do.
    """

    def __init__(
        self,
        topics: Topics,
        names: Sequence[str],
        partitions: int | None,
        config: Mapping[str, str] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topics, self._partitions, self._config, self._clock = topics, partitions, config, clock
        self.limits: dict[str, int] = {}
        self.largest = MAX_MESSAGE_BYTES
        if names:
            self._require(names)
        self._missing: dict[str, str] = {}
        self._listed = clock()

    def refused(self, messages: Messages) -> Iterator[Rejection]:
        """Yield the messages that must not be sent, in order and by their place.

        Raises:
            ConfigurationError: they all go to one topic, and that was not named at the start.
        """
        if messages.topics is None and messages.partitions is None:
            limit = self._named(messages.topic)
            for at, size in too_large(messages, limit):
                yield Rejection(at, _TOO_LARGE, _size(size, limit))
            return
        for at in range(len(messages.values)):
            found = self._refusal(messages, at)
            if found is not None:
                yield Rejection(at, *found)

    def _named(self, topic: str) -> int:
        if topic not in self.limits:
            raise ConfigurationError(f"topic {topic!r} is none of those that were opened: {tuple(self.limits)}")
        return min(self.limits[topic], self.largest)

    def _refusal(self, messages: Messages, at: int) -> tuple[str, str] | None:
        topic, partition = messages.topic_of(at), messages.partition_of(at)
        if missing := self._look_up(topic):
            return "UNKNOWN_TOPIC_OR_PART", missing
        count = len(self._topics.metadata.topics[topic].partitions)
        if partition is not None and not 0 <= partition < count:
            return "UNKNOWN_TOPIC_OR_PART", f"partition {partition} of topic {topic!r}, which has {count}"
        limit, size = self._named(topic), record_batch_bytes(messages, at)
        return (_TOO_LARGE, _size(size, limit)) if size > limit else None

    def _require(self, names: Sequence[str]) -> None:
        self._topics.require(names, self._partitions, self._config)
        self.limits |= self._topics.limits(names)

    def _look_up(self, topic: str) -> str:
        """Return why a topic can't be written to, empty where it can."""
        if topic in self.limits:
            return ""
        now = self._clock()
        if now - self._listed >= LISTING_SECONDS:
            self._topics.refresh()
            self._missing, self._listed = {}, now
        if topic not in self._missing:
            self._missing[topic] = self._meet(topic)
        return self._missing[topic]

    def _meet(self, topic: str) -> str:
        if topic not in self._topics.metadata.topics and self._partitions is None:
            return f"the cluster shows this user no topic {topic!r}"
        try:
            self._require([topic])
        except ConfigurationError as error:
            return str(error)
        return ""


def _size(size: int, limit: int) -> str:
    return f"{size} bytes as a record batch of its own, the topic takes {limit}"
