"""Broker hook: opens a broker from an Airflow connection."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from airflow.sdk import BaseHook

from airflow_legacy_events.core.ports import BrokerClient, Reader, TopicEnds, TopicTail
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.hooks.connections import find_connection
from airflow_legacy_events.hooks.registry import BROKERS, READERS, TOPIC_ENDS, TOPIC_TAILS, find, resolve


class BrokerOptions(TypedDict):
    """Options of a run for its broker; `EventBrokerHook.get_broker` describes each."""

    topics: Sequence[str]
    topic_partitions: int | None
    topic_config: Mapping[str, str] | None
    delivery_timeout: dt.timedelta
    stop: Stop | None
    log: logging.Logger | None


class EventBrokerHook(BaseHook):
    """Opens a broker from an Airflow connection of its type, such as ``kafka``.

    A ``kafka`` connection is the one of Airflow's Kafka provider, whose extra holds any librdkafka setting. Dotted
    names of callbacks are resolved as that provider does, under its ``[apache_kafka] callback_allowlist``.

    :param conn_id: the Airflow connection.
    """

    conn_name_attr = "conn_id"

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self.conn_id = conn_id

    def get_broker(
        self,
        *,
        topics: Sequence[str],
        topic_partitions: int | None = None,
        topic_config: Mapping[str, str] | None = None,
        delivery_timeout: dt.timedelta = dt.timedelta(minutes=2),
        stop: Stop | None = None,
        log: logging.Logger | None = None,
    ) -> BrokerClient:
        """Return the broker; it connects only in its ``open()``.

        :param topics: every topic that messages will be sent to.
        :param topic_partitions: number of partitions with which missing topics are created; None: a missing topic is an
            error.
        :param topic_config: settings of topics that are created.
        :param delivery_timeout: time after which the fate of an unacknowledged message counts as unknown.
        :param stop: ends waiting for the broker early.
        :param log: logger of the broker; None is its own.
        :raises ConfigurationError: the connection is missing, of an unknown type, or unusable as it is.
        """
        broker: BrokerClient = self._maker(BROKERS)(
            self.conn_id,
            topics=topics,
            topic_partitions=topic_partitions,
            topic_config=topic_config,
            delivery_timeout=delivery_timeout,
            stop=stop,
            log=log,
        )
        return broker

    def get_topic_ends(self, log: logging.Logger | None = None) -> TopicEnds:
        """Return what tells where topics end; it connects on first use.

        :param log: logger of the client; None is this module's.
        :raises ConfigurationError: the connection is missing, of an unknown type, or unusable as it is.
        """
        ends: TopicEnds = self._maker(TOPIC_ENDS)(self.conn_id, log or logging.getLogger(__name__))
        return ends

    def get_topic_tail(self, log: logging.Logger | None = None) -> TopicTail:
        """Return what reads the end of topics; it connects on first use.

        :param log: logger of the client; None is this module's.
        :raises ConfigurationError: the connection is missing, of an unknown type, or unusable as it is.
        """
        tail: TopicTail = self._maker(TOPIC_TAILS)(self.conn_id, log or logging.getLogger(__name__))
        return tail

    def get_reader(self, log: logging.Logger | None = None) -> Reader:
        """Return what reads topics up to an end, without a group; it connects on first use.

        :param log: logger of the client; None is this module's.
        :raises ConfigurationError: the connection is missing, of an unknown type, or unusable as it is.
        """
        reader: Reader = self._maker(READERS)(self.conn_id, log or logging.getLogger(__name__))
        return reader

    def _maker(self, known: Mapping[str, str]) -> Callable[..., Any]:
        """Return what makes a client for the connection's type."""
        conn_type = str(find_connection(self.conn_id).conn_type)
        made: Callable[..., Any] = resolve(find(known, conn_type, f"connection {self.conn_id!r}: type"))
        return made
