"""Latest offset: position of a topic's newest message."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from airflow_legacy_events.brokers.kafka.callbacks import callbacks
from airflow_legacy_events.brokers.kafka.config import refusal
from airflow_legacy_events.brokers.kafka.secrets import ClientLog
from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.ports import Position

_SECONDS = 3.0
_QUIET = 2


def latest(settings: Mapping[str, Any], topic: str, log: logging.Logger) -> Position | None:
    """Return the position of the message with the highest timestamp, None for a topic without messages.

    Raises:
        DeliveryError: the cluster did not answer within 3 s; brokers before 3.0 can't.
        ConfigurationError: a setting of the connection is refused.
    """
    calls, errors = callbacks(settings, log)
    try:
        admin = AdminClient({"log_level": _QUIET, **settings, **calls}, logger=ClientLog(log, errors.hide))
    except (KafkaException, TypeError, ValueError) as error:
        raise refusal(error, settings) from None
    try:
        partitions = admin.list_topics(topic, timeout=_SECONDS).topics[topic].partitions
        newest = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]
        offsets = {TopicPartition(topic, number): newest for number in partitions}
        answers = admin.list_offsets(offsets, request_timeout=_SECONDS)
        found = [(answer.result(_SECONDS), part.partition) for part, answer in answers.items()]
    except (KafkaException, TimeoutError) as error:
        failed = (
            f"{settings['bootstrap.servers']}: the newest message of {topic!r} could not be determined:"
            f" {errors.said(error)}"
        )
        raise DeliveryError(errors.beside(failed, admin)) from None
    known = [(one.timestamp, number, one.offset) for one, number in found if one.offset >= 0]
    return Position(*max(known)[1:]) if known else None
