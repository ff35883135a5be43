"""Offsets of consumer groups, committed for people's pages of lag."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from airflow_legacy_events.brokers.kafka.clients import UNGROUPED, KafkaClients
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Partition, ReadPosition

_LAST_SECONDS = 3.0


class Groups:
    """Commits offsets without waiting; no group is joined. The first failure is logged, none is raised.

    Args:
        clients: of the connection.
        log: gets the failure.
    """

    def __init__(self, clients: KafkaClients, log: logging.Logger) -> None:
        self._clients, self._log = clients, log
        self._consumers: dict[str, Consumer] = {}
        self._open = 0
        self._logged = False

    def commit(self, group: str, at: Mapping[Partition, ReadPosition]) -> None:
        """See `core.ports.Reader.noted`."""
        parts = [
            TopicPartition(one.topic, one.number, offset, leader_epoch=-1 if epoch is None else epoch)
            for one, (offset, epoch) in at.items()
        ]
        try:
            if group not in self._consumers:
                more = {**UNGROUPED, "group.id": group, "on_commit": self._answered}
                self._consumers[group] = self._clients.consumer(more)
            consumer = self._consumers[group]
            consumer.poll(0)
            consumer.commit(offsets=parts, asynchronous=True)
            self._open += 1
        except (ConfigurationError, KafkaException) as error:
            self._failed(error)

    def close(self) -> None:
        """Wait for answers for up to 3 s; may be called again."""
        consumers, self._consumers = self._consumers, {}
        until = time.monotonic() + _LAST_SECONDS
        for consumer in consumers.values():
            while self._open and time.monotonic() < until:
                consumer.poll(0.05)
            consumer.close()

    def _answered(self, error: Any, parts: list[Any]) -> None:
        self._open -= 1
        found = error or next((part.error for part in parts if part.error is not None), None)
        if found is not None:
            self._failed(KafkaException(found))

    def _failed(self, error: Exception) -> None:
        if not self._logged:
            self._logged = True
            self._log.info(
                "offsets for the consumer group's page of lag can't be committed (%s); nothing depends on them. To"
                " see the lag there, grant READ on the group",
                self._clients.errors.said(error),
            )
