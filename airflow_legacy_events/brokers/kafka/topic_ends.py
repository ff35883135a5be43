"""Ends of Kafka topics, and whether anything but control records lies before them."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from airflow_legacy_events.brokers.kafka.callbacks import UNREACHABLE, callbacks
from airflow_legacy_events.brokers.kafka.config import client_settings, refusal
from airflow_legacy_events.brokers.kafka.secrets import ClientLog
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError, LegacyEventsError
from airflow_legacy_events.core.ports import Bounds, Partition

_SECONDS = 15.0
_POLL_SECONDS = 0.2
_QUIET = 2
_AT_ONCE = 500
_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001  confluent-kafka's public name of it
_DENIED = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED})
_READING = {
    "group.id": "legacy-events-ends",  # demanded, never joined: partitions are assigned, offsets not committed
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
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
        self._settings = client_settings(config)
        calls, self._errors = callbacks(self._settings, log)
        self._options = {"log_level": _QUIET, **self._settings, **calls}
        self._logger = ClientLog(log, self._errors.hide)
        self._admin: AdminClient | None = None

    def cluster_id(self) -> str | None:
        """See `core.ports.TopicEnds.cluster_id`."""
        found: str | None = self._metadata().cluster_id
        return found

    def topics(self) -> Collection[str]:
        """See `core.ports.TopicEnds.topics`."""
        return frozenset(self._metadata().topics)

    def bounds(self, topics: Collection[str]) -> dict[Partition, Bounds]:
        """See `core.ports.TopicEnds.bounds`."""
        known = self._metadata().topics
        wanted = [Partition(name, number) for name in topics if name in known for number in known[name].partitions]
        starts = self._offsets(wanted, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        ends = self._offsets(wanted, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return {one: Bounds(starts[one], ends[one]) for one in wanted}

    def unread(self, spans: Mapping[Partition, Bounds]) -> frozenset[Partition]:
        """See `core.ports.TopicEnds.unread`."""
        open_ = {one: span for one, span in spans.items() if span.start < span.end}
        if not open_:
            return frozenset()
        try:
            consumer = Consumer({**self._options, **_READING}, logger=self._logger)
        except (KafkaException, TypeError, ValueError) as error:
            raise refusal(error, self._settings) from None
        try:
            return self._found(consumer, open_)
        except KafkaException as error:
            raise self._failed(error) from None
        finally:
            consumer.close()

    def close(self) -> None:
        """See `core.ports.TopicEnds.close`."""
        self._admin = None

    def _found(self, consumer: Consumer, open_: dict[Partition, Bounds]) -> frozenset[Partition]:
        consumer.assign([TopicPartition(one.topic, one.number, span.start) for one, span in open_.items()])
        found, until = set(), time.monotonic() + _SECONDS
        while open_:
            if time.monotonic() > until:
                raise self._silent()
            for message in consumer.consume(_AT_ONCE, timeout=_POLL_SECONDS):
                error = message.error()
                if error is not None and error.code() != _EOF:
                    raise KafkaException(error)
                at = Partition(str(message.topic()), int(message.partition() or 0))
                if (span := open_.pop(at, None)) is None:
                    continue
                # A record, or the end of what is committed: behind it lie records of an open transaction.
                if int(message.offset() or 0) < span.end:
                    found.add(at)
                consumer.incremental_unassign([TopicPartition(at.topic, at.number)])
        return frozenset(found)

    def _offsets(self, wanted: Collection[Partition], at: Any) -> dict[Partition, int]:
        if not wanted:
            return {}
        query = {TopicPartition(one.topic, one.number): at for one in wanted}
        try:
            answers = self._client().list_offsets(query, request_timeout=_SECONDS)
            return {Partition(part.topic, part.partition): one.result(_SECONDS).offset for part, one in answers.items()}
        except (KafkaException, TimeoutError) as error:
            raise self._failed(error) from None

    def _metadata(self) -> Any:
        """List all topics: a lookup by name would create a missing one on brokers that allow it."""
        try:
            return self._client().list_topics(timeout=_SECONDS)
        except KafkaException as error:
            raise self._failed(error) from None

    def _client(self) -> AdminClient:
        if self._admin is None:
            try:
                self._admin = AdminClient(self._options, logger=self._logger)
            except (KafkaException, TypeError, ValueError) as error:
                raise refusal(error, self._settings) from None
        return self._admin

    def _failed(self, error: Exception) -> LegacyEventsError:
        found = error.args[0] if error.args else None
        said = self._errors.said(error)
        if isinstance(found, KafkaError) and found.code() in _DENIED:
            return ConfigurationError(
                f"the Kafka user may not read the topics: grant READ and DESCRIBE on them. {said}"
            )
        beside = self._errors.beside(said, self._admin)
        return DeliveryError(
            f"the cluster at {self._settings['bootstrap.servers']!r} did not say what is on the topics:"
            f" {beside}.{UNREACHABLE}"
        )

    def _silent(self) -> DeliveryError:
        return DeliveryError(
            f"the cluster at {self._settings['bootstrap.servers']!r} sent no records within {_SECONDS:g} s"
            f"{self._errors.text and f': {self._errors.text}'}.{UNREACHABLE}"
        )
