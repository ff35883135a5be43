"""Barrier at the topics of a sink: all that was on them before it was taken has been taken in."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.config import entries
from airflow_legacy_events.connect.positions import sink_offsets
from airflow_legacy_events.connect.steps import Steps
from airflow_legacy_events.connect.target import Target, by_topic
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Bounds, Partition, TopicEnds

UsingBroker: TypeAlias = Callable[[Callable[[TopicEnds], Any]], Any]
"""Calls a function with the ends of the broker's topics."""

_TOPICS, _REGEX, _DEAD = "topics", "topics.regex", "errors.deadletterqueue.topic.name"
_OVERRIDE = "consumer.override.bootstrap.servers"
_INTERNAL = ("__consumer_offsets", "__transaction_state", "__share_group_state")
_LISTED = 5


class SinkBarrier:
    """See `Barrier`; its offsets are read by REST alone, its topics at the broker.

    Args:
        name: of the connector.
        conn_id: of the broker, for messages.
        broker: calls a function with the ends of its topics.
    """

    def __init__(self, name: str, conn_id: str, broker: UsingBroker) -> None:
        self._name, self._conn_id, self._broker = name, conn_id, broker

    def check(self, config: Mapping[str, str]) -> None:
        """See `Barrier.check`."""
        if not config.get(_TOPICS) and not config.get(_REGEX):
            raise ConfigurationError(
                f"connector {self._name!r} is a sink without {_TOPICS} and {_REGEX}: name its topics"
            )

    def take(self, config: Mapping[str, str]) -> Steps[Target]:
        """See `Barrier.take`."""
        began, dead = time.time(), config.get(_DEAD, "").strip()
        worker = yield calls.worker()

        def look(ends: TopicEnds) -> tuple[dict[Partition, Bounds], int | None]:
            if _OVERRIDE not in config:
                self._refuse_other(worker.get("kafka_cluster_id"), ends.cluster_id())
            found = ends.bounds(self._topics(config, ends.topics()))
            return found, sum(one.end for one in ends.bounds([dead]).values()) if dead else None

        found, letters = yield lambda: self._broker(look)
        return Target(began, ends={at: bounds.end for at, bounds in found.items()}, dead_letters=letters)

    def push(self, config: Mapping[str, str], target: Target) -> Steps[bool]:  # noqa: ARG002  a port
        """See `Barrier.push`: topics need none."""
        yield from ()
        return False

    def reached(self, config: Mapping[str, str], target: Target) -> Steps[tuple[Any, str]]:  # noqa: ARG002  a port
        """See `Barrier.reached`: the offsets of its partitions."""
        offsets = sink_offsets((yield calls.offsets(self._name)))

        def look(ends: TopicEnds) -> tuple[dict[Partition, Bounds], frozenset[Partition]]:
            bounds = ends.bounds({at.topic for at in target.ends})
            self._refuse_above(offsets, bounds)
            spans = {
                at: Bounds(max(offsets.get(at, 0), bounds[at].start), end)
                for at, end in target.ends.items()
                if at in bounds and max(offsets.get(at, 0), bounds[at].start) < end
            }
            return bounds, ends.unread(spans)

        bounds, unread = yield lambda: self._broker(look)
        if gone := sorted({at.topic for at in target.ends} - {at.topic for at in bounds}):
            raise ConfigurationError(
                f"topic {gone[0]!r} of connector {self._name!r} was deleted while the task waited: run it again"
            )
        if unread:
            some = [f"{at.topic}-{at.number} at {offsets.get(at, 'no offset')}" for at in sorted(unread)[:_LISTED]]
            return None, f"{len(unread)} partitions have records that it did not take in: {', '.join(some)}"
        return by_topic({at: offsets.get(at, end) for at, end in target.ends.items()}), ""

    def dead_letters(self, config: Mapping[str, str], target: Target) -> Steps[int | None]:
        """Return how many messages came to the sink's dead letter topic since; None without such a topic."""
        dead = config.get(_DEAD, "").strip()
        if not dead or target.dead_letters is None:
            return None
        now = yield lambda: self._broker(lambda ends: sum(one.end for one in ends.bounds([dead]).values()))
        return int(now) - target.dead_letters

    def _topics(self, config: Mapping[str, str], there: Collection[str]) -> list[str]:
        named = entries(config.get(_TOPICS))
        if not named:
            try:
                pattern = re.compile(config[_REGEX])
            except re.error as error:
                raise ConfigurationError(
                    f"{_REGEX} of connector {self._name!r} can't be read here ({error}): name its topics in {_TOPICS}"
                ) from None
            named = [one for one in there if pattern.fullmatch(one) and one not in _INTERNAL]
        found = [one for one in named if one in there]
        if not found:
            raise ConfigurationError(
                f"broker_conn_id={self._conn_id!r} leads to a broker without a topic of connector {self._name!r}: give"
                f" the connection of its Kafka cluster, which shows this user {config.get(_TOPICS) or config[_REGEX]!r}"
            )
        return found

    def _refuse_other(self, of_worker: str | None, of_broker: str | None) -> None:
        if of_worker is not None and of_broker is not None and of_worker != of_broker:
            raise ConfigurationError(
                f"broker_conn_id={self._conn_id!r} leads to Kafka cluster {of_broker!r}, but connector {self._name!r}"
                f" reads {of_worker!r}: give the connection of that cluster"
            )

    def _refuse_above(self, offsets: Mapping[Partition, int], bounds: Mapping[Partition, Bounds]) -> None:
        for at, offset in sorted(offsets.items()):
            if at in bounds and offset > bounds[at].end:
                raise ConfigurationError(
                    f"offset {offset} of connector {self._name!r} lies above the end of {at.topic!r}, partition"
                    f" {at.number}, which is {bounds[at].end}: reset its offsets, or give broker_conn_id= of its Kafka"
                    " cluster. It would take in nothing until then"
                )
