"""Routes: the topics that a run writes to, named at its start or by its messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from airflow_legacy_events.brokers.kafka.checks import beyond_size, without_key, without_partition
from airflow_legacy_events.brokers.kafka.limits import DEFAULT_MAX_MESSAGE_BYTES, TopicLimits
from airflow_legacy_events.brokers.kafka.refusals import Refusal, TopicRefusal
from airflow_legacy_events.brokers.kafka.times import out_of_bounds
from airflow_legacy_events.brokers.kafka.topics import Topics
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Messages, Rejection
from airflow_legacy_events.core.problems import Problems

LISTING_SECONDS = 5.0
"""Refused topics are looked up again after this time, because other messages may name them too."""


class Routes:
    """Cache of each topic's limits, looked up once; unsendable messages are refused before anything is sent.

    Args:
        topics: of the cluster.
        names: of the topics that are named at the start; each must exist.
        partitions: number of partitions with which a missing topic is created; None: it is an error.
        config: settings of a topic that is created.
        clock: monotonic seconds.

    Attributes:
        limits: of every topic found so far.

    Raises:
        ConfigurationError: topics can't be written to; all of them are named.
        DeliveryError: the cluster doesn't answer.
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
        self.limits: dict[str, TopicLimits] = {}
        self._refused: dict[str, Refusal] = {}
        self._named: frozenset[str] = frozenset()
        self._listed = clock()
        self.require(names)

    def require(self, names: Sequence[str]) -> None:
        """Find or create topics; those that are known are not looked up again.

        Raises:
            ConfigurationError: topics can't be written to; all of them are named.
            DeliveryError: the cluster doesn't answer.
        """
        self._named |= frozenset(names)
        new = [name for name in dict.fromkeys(names) if name not in self.limits]
        if not new:
            return
        problems = Problems()
        for refusal in self._learn(new, patient=True).values():
            with problems.collect():
                raise refusal.raised()
        problems.raise_found()

    def partitions(self, name: str) -> int:
        """Return how many partitions a topic has now, 0 for an unknown one."""
        self._list()
        return self._topics.partitions(name)

    @property
    def smallest(self) -> int:
        """Smallest size limit, in bytes, of all topics found so far."""
        return min((one.max_bytes for one in self.limits.values()), default=DEFAULT_MAX_MESSAGE_BYTES)

    def refused(self, messages: Messages, now_ms: int) -> list[Rejection]:
        """Return the messages that must not be sent, in order, with their indexes.

        Args:
            messages: of one batch.
            now_ms: milliseconds since 1970-01-01 UTC.

        Raises:
            ConfigurationError: they all go to one topic that was not named at the start.
            DeliveryError: the cluster doesn't answer.
        """
        limits = self._of(messages)
        # A time that no topic accepts is reported first: the dead letter is sent without that time.
        found = {
            **beyond_size(messages, limits),
            **without_key(messages, limits),
            **self._without_partition(messages, limits),
            **self._without_topic(messages, limits),
            **out_of_bounds(messages, limits, now_ms),
        }
        return [Rejection(at, *found[at]) for at in sorted(found)]

    def _of(self, messages: Messages) -> dict[str, TopicLimits]:
        """Return the limits of those topics of the messages that can be written to."""
        if messages.topics is None:
            if messages.topic not in self.limits:
                raise ConfigurationError(
                    f"topic {messages.topic!r} is not one of the opened topics: {tuple(self.limits)}"
                )
            return {messages.topic: self.limits[messages.topic]}
        names = dict.fromkeys(messages.topics)
        self._meet(names)
        return {name: self.limits[name] for name in names if name in self.limits}

    def _meet(self, names: Collection[str]) -> None:
        """Look up topics that are not known yet; recently created ones are found too."""
        unknown = [name for name in names if name not in self.limits]
        if unknown and self._is_old:
            self._refused = {}
        if any(name not in self._refused and (self._is_old or not self._topics.has(name)) for name in unknown):
            self._list()
        if new := [name for name in names if name not in self.limits and name not in self._refused]:
            self._refused |= {name: one.of_message for name, one in self._learn(new, patient=False).items()}

    def _learn(self, names: Sequence[str], *, patient: bool) -> dict[str, TopicRefusal]:
        """Find topics, or create them; return why some of them can't be written to."""
        refused = self._topics.require(names, self._partitions, self._config, patient=patient)
        there = [name for name in names if name not in refused]
        if there:
            limits, without_replicas = self._topics.limits(there)
            refused |= without_replicas
            self.limits |= {name: one for name, one in limits.items() if name not in refused}
        return refused

    @property
    def _is_old(self) -> bool:
        return self._clock() - self._listed >= LISTING_SECONDS

    def _list(self) -> None:
        """List topics again; one that a message named may have been deleted."""
        self._topics.refresh()
        self._listed = self._clock()
        self.limits = {name: one for name, one in self.limits.items() if name in self._named or self._topics.has(name)}

    def _without_topic(self, messages: Messages, limits: Mapping[str, TopicLimits]) -> dict[int, Refusal]:
        refused = {name: self._refused[name] for name in dict.fromkeys(messages.topics or ()) if name not in limits}
        if not refused:
            return {}
        return {at: refused[name] for at, name in enumerate(messages.topics or ()) if name in refused}

    def _without_partition(self, messages: Messages, limits: Mapping[str, TopicLimits]) -> dict[int, Refusal]:
        if messages.partitions is None:
            return {}
        found = without_partition(messages, {name: self._topics.partitions(name) for name in limits})
        if found and self._is_old:  # partitions may have been added
            self._list()
            found = without_partition(messages, {name: self._topics.partitions(name) for name in limits})
        return found
