"""Kafka connections of Airflow's provider as our broker; imported only when such a connection is used."""

from __future__ import annotations

import logging
from typing import Any, Unpack

from airflow.providers.apache.kafka.hooks.base import KafkaBaseHook
from airflow.sdk.exceptions import AirflowException

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.brokers.kafka.reading import KafkaReader
from airflow_legacy_events.brokers.kafka.topic_ends import KafkaTopicEnds
from airflow_legacy_events.brokers.kafka.topic_tail import KafkaTopicTail
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import BrokerClient, Reader, TopicEnds, TopicTail
from airflow_legacy_events.hooks.broker import BrokerOptions


class _Settings(KafkaBaseHook):
    """Airflow's Kafka hook up to the point where it would make its client."""

    def _get_client(self, config: dict[str, Any]) -> dict[str, Any]:
        return config


def kafka_broker(conn_id: str, **options: Unpack[BrokerOptions]) -> BrokerClient:
    """Return the broker of a connection; nothing is connected yet.

    Raises:
        ConfigurationError: the provider refuses the connection, or it names no broker.
    """
    return KafkaBroker(_settings(conn_id), **options)


def kafka_topic_ends(conn_id: str, log: logging.Logger) -> TopicEnds:
    """Return the ends of a connection's topics; nothing is connected yet.

    Raises:
        ConfigurationError: the provider refuses the connection, or it names no broker.
    """
    return KafkaTopicEnds(_settings(conn_id), log)


def kafka_topic_tail(conn_id: str, log: logging.Logger) -> TopicTail:
    """Return the end of a connection's topics; nothing is connected yet.

    Raises:
        ConfigurationError: the provider refuses the connection, or it names no broker.
    """
    return KafkaTopicTail(_settings(conn_id), log)


def kafka_reader(conn_id: str, log: logging.Logger) -> Reader:
    """Return the reader of a connection's topics; nothing is connected yet.

    Raises:
        ConfigurationError: the provider refuses the connection, or it names no broker.
    """
    return KafkaReader(_settings(conn_id), log)


def _settings(conn_id: str) -> dict[str, Any]:
    """Return the connection's librdkafka settings, with the provider's additions: callbacks, cloud tokens."""
    make: Any = _Settings
    try:
        return dict(make(kafka_config_id=conn_id).get_conn)
    except (ValueError, ImportError, AirflowException) as error:
        raise ConfigurationError(
            f"connection {conn_id!r} can't be used for Kafka: {error}. Its extra must hold librdkafka's"
            ' settings as JSON, such as {"bootstrap.servers": "kafka:9092"}'
        ) from error
