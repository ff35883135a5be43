"""End of a Kafka topic: what came to it since a moment."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from airflow_legacy_events.brokers.kafka import clients
from airflow_legacy_events.brokers.kafka.clients import END_OF_PARTITION, POLL_SECONDS, UNGROUPED, KafkaClients
from airflow_legacy_events.brokers.kafka.topic_ends import KafkaTopicEnds
from airflow_legacy_events.core.ports import Bounds, Partition, TailMessage

_AT_ONCE = 500
_READING = {
    **UNGROUPED,
    "group.id": "legacy-events-tail",
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 50,
}


class KafkaTopicTail:
    """See `core.ports.TopicTail`; it connects on first use.

    Args:
        config: librdkafka settings of the connection.
        log: of the task; the client's own lines are logged there too.
    """

    def __init__(self, config: Mapping[str, Any], log: logging.Logger) -> None:
        self._clients, self._ends = KafkaClients(config, log), KafkaTopicEnds(config, log)

    def ends(self, topic: str, before: int = 0) -> dict[int, int]:
        """See `core.ports.TopicTail.ends`."""
        found = self._ends.bounds([topic])
        return {one.number: max(bounds.start, bounds.end - before) for one, bounds in found.items()}

    def read(self, topic: str, begins: Mapping[int, int]) -> Sequence[TailMessage]:
        """See `core.ports.TopicTail.read`."""
        bounds = self._ends.bounds([topic])
        spans = {one.number: _span(one, bounds[one], begins) for one in bounds}
        if not (open_ := {number: span for number, span in spans.items() if span.start < span.end}):
            return ()
        consumer = self._clients.consumer(_READING)
        try:
            return self._read(consumer, topic, open_)
        except KafkaException as error:
            raise self._clients.failed(error, "could not be read") from None
        finally:
            consumer.close()

    def close(self) -> None:
        """See `core.ports.TopicTail.close`."""
        self._ends.close()

    def _read(self, consumer: Consumer, topic: str, open_: dict[int, Bounds]) -> list[TailMessage]:
        consumer.assign([TopicPartition(topic, number, span.start) for number, span in open_.items()])
        found, until = list[TailMessage](), time.monotonic() + clients.SECONDS
        while open_:
            if time.monotonic() > until:
                raise self._clients.silent(f"messages of topic {topic!r}", clients.SECONDS)
            for message in consumer.consume(_AT_ONCE, timeout=POLL_SECONDS):
                number, error = int(message.partition() or 0), message.error()
                if error is None:
                    found.append(_message(message))
                elif error.code() != END_OF_PARTITION:
                    raise KafkaException(error)
                behind = error is not None or int(message.offset() or 0) + 1 >= open_.get(number, Bounds(0, 0)).end
                if behind:
                    open_.pop(number, None)
        return found


def _span(one: Partition, bounds: Bounds, begins: Mapping[int, int]) -> Bounds:
    return Bounds(max(bounds.start, begins.get(one.number, 0)), bounds.end)


def _message(message: Any) -> TailMessage:
    return TailMessage(
        int(message.partition() or 0),
        int(message.offset() or 0),
        message.key(),
        message.value(),
        message.timestamp()[1],
    )
