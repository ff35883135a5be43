"""End of a Kafka topic: what came to it since a moment."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from airflow_legacy_events.brokers.kafka.callbacks import UNREACHABLE, callbacks
from airflow_legacy_events.brokers.kafka.config import client_settings, refusal
from airflow_legacy_events.brokers.kafka.secrets import ClientLog
from airflow_legacy_events.brokers.kafka.topic_ends import KafkaTopicEnds
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError, LegacyEventsError
from airflow_legacy_events.core.ports import Bounds, Partition, TailMessage

_SECONDS = 15.0
_POLL_SECONDS = 0.2
_QUIET = 2
_AT_ONCE = 500
_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001  confluent-kafka's public name of it
_DENIED = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED})
_READING = {
    "group.id": "legacy-events-tail",  # demanded, never joined: partitions are assigned, offsets not committed
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
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
        self._settings = client_settings(config)
        calls, self._errors = callbacks(self._settings, log)
        self._options = {"log_level": _QUIET, **self._settings, **calls}
        self._logger = ClientLog(log, self._errors.hide)
        self._ends = KafkaTopicEnds(config, log)

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
        try:
            consumer = Consumer({**self._options, **_READING}, logger=self._logger)
        except (KafkaException, TypeError, ValueError) as error:
            raise refusal(error, self._settings) from None
        try:
            return self._read(consumer, topic, open_)
        except KafkaException as error:
            raise self._failed(error) from None
        finally:
            consumer.close()

    def close(self) -> None:
        """See `core.ports.TopicTail.close`."""
        self._ends.close()

    def _read(self, consumer: Consumer, topic: str, open_: dict[int, Bounds]) -> list[TailMessage]:
        consumer.assign([TopicPartition(topic, number, span.start) for number, span in open_.items()])
        found, until = list[TailMessage](), time.monotonic() + _SECONDS
        while open_:
            if time.monotonic() > until:
                raise DeliveryError(
                    f"the cluster at {self._settings['bootstrap.servers']!r} sent no messages of topic {topic!r} within"
                    f" {_SECONDS:g} s{self._errors.text and f': {self._errors.text}'}.{UNREACHABLE}"
                )
            for message in consumer.consume(_AT_ONCE, timeout=_POLL_SECONDS):
                number, error = int(message.partition() or 0), message.error()
                if error is None:
                    found.append(_message(message))
                elif error.code() != _EOF:
                    raise KafkaException(error)
                behind = error is not None or int(message.offset() or 0) + 1 >= open_.get(number, Bounds(0, 0)).end
                if behind:
                    open_.pop(number, None)
        return found

    def _failed(self, error: Exception) -> LegacyEventsError:
        found = error.args[0] if error.args else None
        said = self._errors.said(error)
        if isinstance(found, KafkaError) and found.code() in _DENIED:
            return ConfigurationError(f"the Kafka user may not read the topic: grant READ and DESCRIBE on it. {said}")
        return DeliveryError(
            f"the cluster at {self._settings['bootstrap.servers']!r} could not be read: {said}.{UNREACHABLE}"
        )


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
