"""Ends of Kafka topics, and whether anything but control records lies before them."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from airflow_legacy_events.brokers.kafka import clients
from airflow_legacy_events.brokers.kafka.clients import END_OF_PARTITION, POLL_SECONDS, UNGROUPED, KafkaClients
from airflow_legacy_events.core.ports import Bounds, Partition

_AT_ONCE = 500
_READING = {
    **UNGROUPED,
    "group.id": "legacy-events-ends",
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 50,
    "fetch.message.max.bytes": 65_536,
}


class KafkaTopicEnds:
    """See `core.ports.TopicEnds`; it connects on first use.

    Args:
        config: librdkafka settings of the connection.
        log: of the task; the client's own lines are logged there too.
    """

    def __init__(self, config: Mapping[str, Any], log: logging.Logger) -> None:
        self._clients = KafkaClients(config, log)

    def cluster_id(self) -> str | None:
        """See `core.ports.TopicEnds.cluster_id`."""
        return self._clients.metadata().cluster_id

    def topics(self) -> Collection[str]:
        """See `core.ports.TopicEnds.topics`."""
        return frozenset(self._clients.metadata().topics)

    def bounds(self, topics: Collection[str]) -> dict[Partition, Bounds]:
        """See `core.ports.TopicEnds.bounds`."""
        known = self._clients.metadata().topics
        wanted = [Partition(name, number) for name in topics if name in known for number in known[name].partitions]
        starts = self._clients.request_offsets(wanted, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        ends = self._clients.offsets(wanted, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        first = starts()
        return {one: Bounds(first[one], ends[one]) for one in wanted}

    def unread(self, spans: Mapping[Partition, Bounds]) -> frozenset[Partition]:
        """See `core.ports.TopicEnds.unread`."""
        open_ = {one: span for one, span in spans.items() if span.start < span.end}
        if not open_:
            return frozenset()
        consumer = self._clients.consumer(_READING)
        try:
            return self._found(consumer, open_)
        except KafkaException as error:
            raise self._clients.failed(error, "did not say what is on the topics") from None
        finally:
            consumer.close()

    def close(self) -> None:
        """See `core.ports.TopicEnds.close`."""
        self._clients.close()

    def _found(self, consumer: Consumer, open_: dict[Partition, Bounds]) -> frozenset[Partition]:
        consumer.assign([TopicPartition(one.topic, one.number, span.start) for one, span in open_.items()])
        found, until = set(), time.monotonic() + clients.SECONDS
        while open_:
            if time.monotonic() > until:
                raise self._clients.silent("records", clients.SECONDS)
            for message in consumer.consume(_AT_ONCE, timeout=POLL_SECONDS):
                error = message.error()
                if error is not None and error.code() != END_OF_PARTITION:
                    raise KafkaException(error)
                at = Partition(str(message.topic()), int(message.partition() or 0))
                if (span := open_.pop(at, None)) is None:
                    continue
                # A record, or the end of what is committed: behind it lie records of an open transaction.
                if int(message.offset() or 0) < span.end:
                    found.add(at)
                consumer.incremental_unassign([TopicPartition(at.topic, at.number)])
        return frozenset(found)
