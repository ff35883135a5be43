"""Reader of Kafka topics."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, IsolationLevel
from confluent_kafka.admin import OffsetSpec

from airflow_legacy_events.brokers.kafka.addresses import first_broker
from airflow_legacy_events.brokers.kafka.clients import KafkaClients
from airflow_legacy_events.brokers.kafka.reading.assigned import Assigned
from airflow_legacy_events.brokers.kafka.reading.faults import Faults
from airflow_legacy_events.brokers.kafka.reading.groups import Groups
from airflow_legacy_events.brokers.kafka.reading.moments import moments
from airflow_legacy_events.brokers.kafka.reading.reading import KafkaReading
from airflow_legacy_events.brokers.kafka.reading.settings import reader_settings
from airflow_legacy_events.brokers.kafka.reading.topics import ReadTopics
from airflow_legacy_events.core.ports import FoundTopic, Partition, ReadPosition


class KafkaReader:
    """See `core.ports.Reader`.

    Args:
        config: librdkafka settings of the connection.
        log: of the task; the clients' own lines are logged there too.

    Raises:
        ConfigurationError: no bootstrap servers.
    """

    def __init__(self, config: Mapping[str, Any], log: logging.Logger) -> None:
        self._clients, self._config, self._log = KafkaClients(config, log), config, log
        self._closed = threading.Event()
        self._topics = ReadTopics(self._clients, self._closed, log)
        self._groups = Groups(self._clients, log)
        self._settings: dict[str, Any] | None = None

    @property
    def bootstrap(self) -> str:
        """See `core.ports.Reader.bootstrap`."""
        return first_broker(self._clients.bootstrap)

    def cluster_id(self) -> str | None:
        """See `core.ports.Reader.cluster_id`."""
        return self._clients.metadata().cluster_id

    def find(self, topics: Sequence[str], *, settled: bool = True) -> Mapping[str, FoundTopic]:
        """See `core.ports.Reader.find`."""
        return self._topics.find(topics, settled=settled)

    def offsets_at(self, partitions: Collection[Partition], moment: int) -> Mapping[Partition, int | None]:
        """See `core.ports.Reader.offsets_at`."""
        spec = OffsetSpec.for_timestamp(moment)
        found = self._clients.offsets(partitions, spec, isolation_level=IsolationLevel.READ_COMMITTED)
        return {one: offset if offset >= 0 else None for one, offset in found.items()}

    def moments(self, at: Mapping[Partition, int]) -> Mapping[Partition, int | None]:
        """See `core.ports.Reader.moments`."""
        return moments(self._clients, at)

    def read(self, at: Mapping[Partition, ReadPosition], ends: Mapping[Partition, int]) -> KafkaReading:
        """See `core.ports.Reader.read`."""
        check = self._topics.check
        return KafkaReading(Assigned(self._consumer, at, ends), check, Faults(self._clients, check))

    def noted(self, group: str, at: Mapping[Partition, ReadPosition]) -> None:
        """See `core.ports.Reader.noted`."""
        self._groups.commit(group, at)

    def close(self) -> None:
        """See `core.ports.Reader.close`; readings are closed by themselves."""
        self._closed.set()
        self._groups.close()
        self._clients.close()

    def _consumer(self) -> Consumer:
        if self._settings is None:
            self._settings = reader_settings(self._config, self._log)
        return self._clients.consumer(self._settings)
