"""Kafka broker: message sizes are checked before sending, rejections are judged one message at a time afterwards."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from airflow_legacy_events.brokers.kafka.addresses import first_broker
from airflow_legacy_events.brokers.kafka.config import (
    client_settings,
    normalised,
    producer_settings,
)
from airflow_legacy_events.brokers.kafka.latest import latest
from airflow_legacy_events.brokers.kafka.limits import TopicLimits
from airflow_legacy_events.brokers.kafka.producer import IdempotentProducer
from airflow_legacy_events.brokers.kafka.resend import to_resend
from airflow_legacy_events.brokers.kafka.routes import Routes
from airflow_legacy_events.brokers.kafka.times import past_retention
from airflow_legacy_events.brokers.kafka.topics import Topics
from airflow_legacy_events.brokers.kafka.verdicts import Failure
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Messages, Rejection
from airflow_legacy_events.core.ports import Position
from airflow_legacy_events.core.stop import Stop

_REACH_SECONDS = 30.0


class KafkaBroker:
    """An idempotent producer with `acks=all`.

    Args:
        config: librdkafka settings of the connection.
        stop: ends every wait once the run is stopped and its grace is over; None: the run is never stopped.
        delivery_timeout: an unacknowledged message fails the run after this time.
        topics: every topic that the run may write to.
        topic_partitions: number of partitions with which missing topics are created; None: a missing topic is an error.
        topic_config: settings of topics that are created, including `replication.factor`.
        log: of the task; librdkafka's own lines are logged there too.

    Attributes:
        cluster_id: of the cluster, after `open`.
        bootstrap: the first configured address, without its protocol.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        stop: Stop | None = None,
        delivery_timeout: dt.timedelta,
        topics: Sequence[str],
        topic_partitions: int | None = None,
        topic_config: Mapping[str, str] | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self._config, self._stop, self._topics = normalised(config), stop or Stop(), tuple(topics)
        self._timeout = delivery_timeout
        self._partitions, self._topic_config = topic_partitions, topic_config
        self._log = log or logging.getLogger(__name__)
        self.bootstrap = first_broker(self._config["bootstrap.servers"])
        self.cluster_id: str | None = None
        self._found: Topics | None = None
        self._routes: Routes | None = None
        self._producer: IdempotentProducer | None = None
        self._published: list[Messages] = []
        self._written: set[str] = set()
        self._count = 0
        self._refused: list[Rejection] = []
        self._not_sent: set[int] = set()
        self._judged: tuple[Messages, list[Rejection]] | None = None

    def open(self) -> None:
        """See `core.ports.BrokerClient.open`; also reads the topics' limits."""
        seconds = self._timeout.total_seconds()
        found = Topics(
            client_settings(self._config), seconds=min(_REACH_SECONDS, seconds), stop=self._stop, log=self._log
        )
        routes = Routes(found, self._topics, self._partitions, self._topic_config)
        settings = producer_settings(
            self._config, timeout_ms=int(seconds * 1000), smallest=routes.smallest, log=self._log
        )
        self._found, self._routes = found, routes
        self._producer = IdempotentProducer(settings, stop=self._stop, timeout=self._timeout, log=self._log)
        self.cluster_id = found.metadata.cluster_id

    def require(self, topics: Sequence[str]) -> None:
        """See `core.ports.Broker.require`; topics that are known already cost nothing."""
        self._open[1].require(topics)

    def partitions(self, topic: str) -> int:
        """See `core.ports.Broker.partitions`; lists the cluster's topics again, as partitions may have been added."""
        return self._open[1].partitions(topic)

    def refused(self, messages: Messages) -> Sequence[Rejection]:
        """See `core.ports.Broker.refused`; the result is kept for the `publish` of the same messages."""
        if self._judged is None or self._judged[0] is not messages:
            self._judged = messages, self._open[1].refused(messages, _now_ms())
        return self._judged[1]

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        """See `core.ports.Broker.publish`; warns of messages that their topic deletes at once."""
        producer, routes = self._open
        refused = [one for one in self.refused(messages) if one.index not in left_out]
        not_sent = {*left_out, *(one.index for one in refused)}
        self._refused += [replace(one, index=self._count + one.index) for one in refused]
        self._not_sent |= {self._count + at for at in not_sent}
        self._published.append(messages)
        self._written.update(messages.topics or (messages.topic,))
        self._count += len(messages.values)
        self._judged = None
        self._warn_of_old(messages, not_sent, routes.limits)
        producer.narrow(routes.smallest)
        producer.send(messages, not_sent)

    def confirm(self) -> Sequence[Rejection]:
        """See `core.ports.Broker.confirm`."""
        if not self._published:
            return []
        rejected = [*self._refused]
        failures = self._open[0].flush()
        if failures:
            rejected += self._one_by_one(failures)
        self._published, self._refused, self._count, self._not_sent = [], [], 0, set()
        return sorted(rejected, key=lambda rejection: rejection.index)

    def topic_id(self, topic: str) -> str | None:
        """See `core.ports.Broker.topic_id`; brokers before 2.8 report none."""
        return None if self._found is None else self._found.ids.get(topic)

    def compacted(self, topics: Sequence[str]) -> Sequence[str]:
        """See `core.ports.Broker.compacted`; a topic whose configuration can't be read is left out."""
        limits = self._open[1].limits
        return [name for name in topics if name in limits and limits[name].compacted]

    def remade(self) -> Sequence[str]:
        """See `core.ports.Broker.remade`."""
        if self._found is None:
            return []
        known = {*self._found.ids, *self._open[1].limits}
        return self._found.remade(sorted(self._written & known))

    def latest(self, topic: str) -> Position | None:
        """See `core.ports.BrokerClient.latest`; brokers before 3.0 can't answer."""
        return latest(client_settings(self._config), topic, self._log)

    def close(self) -> None:
        """See `core.ports.BrokerClient.close`."""
        if self._producer is not None:
            self._producer.close()

    @property
    def _open(self) -> tuple[IdempotentProducer, Routes]:
        if self._producer is None or self._routes is None:
            raise ConfigurationError("the Kafka broker was not opened: call open() first")
        return self._producer, self._routes

    def _warn_of_old(self, messages: Messages, not_sent: AbstractSet[int], limits: Mapping[str, TopicLimits]) -> None:
        if messages.timestamps is None:
            return
        for topic, count in past_retention(messages, limits, _now_ms(), not_sent).items():
            self._log.warning(
                "%d messages of this batch are older than the retention of topic %s (retention.ms=%d): the broker will"
                " confirm them and delete them soon after. To send them with the time of sending, name no timestamp"
                ' column: columns={"timestamp": None} for an outbox, no timestamp_column= for a query',
                count,
                topic,
                limits[topic].retention_ms,
            )

    def _one_by_one(self, failures: Sequence[Failure]) -> list[Rejection]:
        resent = to_resend(self._published, failures, self._not_sent)
        self._log.warning(
            "the broker refused record batches with %d messages (%s); sending %d messages again, one by one",
            len(failures),
            failures[0].name,
            len(resent),
        )
        return [
            Rejection(message.index, failure.name, failure.reason)
            for message in resent
            for failure in self._open[0].send_one(message.messages, message.at)
        ]


def _now_ms() -> int:
    return int(time.time() * 1000)
