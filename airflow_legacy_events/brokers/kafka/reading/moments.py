"""When single records were written, even those of open transactions."""

from __future__ import annotations

import time
from collections.abc import Mapping

from confluent_kafka import KafkaException, TopicPartition

from airflow_legacy_events.brokers.kafka.clients import POLL_SECONDS, KafkaClients
from airflow_legacy_events.brokers.kafka.reading.places import partition_of
from airflow_legacy_events.brokers.kafka.reading.settings import OURS
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.ports import Partition

_SECONDS = 3.0
_READING = {**OURS, "isolation.level": "read_uncommitted", "fetch.wait.max.ms": 50, "fetch.message.max.bytes": 65_536}


def moments(clients: KafkaClients, at: Mapping[Partition, int]) -> Mapping[Partition, int | None]:
    """See `core.ports.Reader.moments`; takes at most 3 s."""
    found: dict[Partition, int | None] = dict.fromkeys(at)
    left, until = dict(at), time.monotonic() + _SECONDS
    try:
        consumer = clients.consumer(_READING)
    except LegacyEventsError:
        return found
    try:
        consumer.assign([TopicPartition(one.topic, one.number, offset) for one, offset in at.items()])
        while left and time.monotonic() < until:
            for message in consumer.consume(len(left), timeout=POLL_SECONDS):
                one = partition_of(message)
                if (offset := left.pop(one, None)) is None:
                    continue
                kind, moment = message.timestamp()
                if message.error() is None and message.offset() == offset and kind:
                    found[one] = moment
                consumer.incremental_unassign([TopicPartition(*one)])
    except KafkaException:
        pass
    finally:
        consumer.close()
    return found
