"""Offsets of a consumer group, committed for people's pages of lag."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException

from airflow_legacy_events.brokers.kafka.clients import KafkaClients
from airflow_legacy_events.brokers.kafka.reading.places import placed
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.ports import Partition, ReadPosition

_SECONDS = 3.0


class Groups:
    """Commits offsets without a member in the group, and without waiting; the first failure is logged, none is raised.

    A consumer's own commit would wait for minutes, when it is closed, for a coordinator that is away.

    Args:
        clients: of the connection.
        log: gets the failure.
    """

    def __init__(self, clients: KafkaClients, log: logging.Logger) -> None:
        self._clients, self._log = clients, log
        self._sent: Future[Any] | None = None
        self._next: dict[str, dict[Partition, ReadPosition]] = {}
        self._logged = False

    def commit(self, group: str, at: Mapping[Partition, ReadPosition]) -> None:
        """See `core.ports.Reader.noted`; while an answer is missing, only the newest offsets are kept."""
        self._next.setdefault(group, {}).update(at)
        if self._sent is None or self._sent.done():
            self._send()

    def close(self) -> None:
        """Commit what is left, and wait for the answer for up to 3 s; may be called again."""
        self._answered()
        while self._next and not self._logged:
            self._send()
            self._answered()

    def _send(self) -> None:
        self._answered()
        group, at = self._next.popitem()
        request = [ConsumerGroupTopicPartitions(group, [placed(one, place) for one, place in at.items()])]
        try:
            answers = self._clients.admin().alter_consumer_group_offsets(request, request_timeout=_SECONDS)
            self._sent = answers[group]
        except (LegacyEventsError, KafkaException, ValueError) as error:
            self._failed(error)

    def _answered(self) -> None:
        sent, self._sent = self._sent, None
        if sent is None:
            return
        try:
            found = [part.error for part in sent.result(_SECONDS).topic_partitions if part.error is not None]
        except (KafkaException, TimeoutError) as error:
            self._failed(error)
        else:
            if found:
                self._failed(KafkaException(found[0]))

    def _failed(self, error: Exception) -> None:
        if not self._logged:
            self._logged = True
            self._log.info(
                "offsets for the consumer group's page of lag can't be committed (%s); nothing depends on them. To"
                " see the lag there, grant READ on the group",
                self._clients.errors.said(error),
            )
