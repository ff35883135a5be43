"""What is asked of the cluster before anything is sent: which topics there are, what they take."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, NewTopic, ResourceType

from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError

DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's own default of `max.message.bytes`."""

_CONFIG_SECONDS = 2.0
_CREATE_SECONDS = 30.0


class Topics:
    """The topics of one cluster.

    Args:
        settings: of a client.
        seconds: how long an unreachable cluster is waited for.
        log: of the task; the client's own lines go there too.
    """

    def __init__(self, settings: Mapping[str, Any], seconds: float, log: logging.Logger) -> None:
        self._settings, self._seconds, self._log = settings, seconds, log
        self._admin = AdminClient(dict(settings), logger=log)  # kept: a temporary one dies with its futures
        self.metadata = self._look()

    def _look(self) -> ClusterMetadata:
        """All topics; a look-up by name would make a missing one where the broker allows that."""
        try:
            return self._admin.list_topics(timeout=self._seconds)
        except KafkaException as error:
            raise DeliveryError(
                f"no broker of {self._settings.get('bootstrap.servers')!r} answered within {self._seconds:.0f} s:"
                f" {error.args[0].str()}. Nothing was sent; look at the address, the network and the security settings"
            ) from error

    def require(self, names: Sequence[str], partitions: int | None, config: Mapping[str, str] | None) -> None:
        """Return when every topic is there; missing ones are made with `partitions`, when that is given.

        Raises:
            ConfigurationError: a topic is missing and may not be made, or the cluster refuses to make it.
        """
        missing = [name for name in dict.fromkeys(names) if name not in self.metadata.topics]
        for name in missing:
            if partitions is None:
                near = difflib.get_close_matches(name, self.metadata.topics, n=3)
                raise ConfigurationError(
                    f"topic {name!r} was asked for, the cluster has none of that name"
                    f"{f'; similar: {chr(44).join(near)}' if near else ''}. Nothing was read; make it, correct topic=,"
                    " or let it be made with topic_partitions="
                )
            self._make(name, partitions, dict(config or {}))
        if missing:
            self.metadata = self._look()

    def _make(self, name: str, partitions: int, config: dict[str, str]) -> None:
        replication = int(config.pop("replication.factor", -1))
        settings = {key: str(value) for key, value in config.items()}
        topic = NewTopic(name, num_partitions=partitions, replication_factor=replication, config=settings)
        try:
            self._admin.create_topics([topic], operation_timeout=_CREATE_SECONDS)[name].result(_CREATE_SECONDS)
        except KafkaException as error:
            if error.args[0].name() == "TOPIC_ALREADY_EXISTS":  # another run was faster
                return
            raise ConfigurationError(
                f"topic {name!r} is missing and the cluster refused to make it with {partitions} partitions:"
                f" {error.args[0].str()}. Nothing was read; make it by hand or correct topic_partitions, topic_config"
            ) from error
        self._log.info("made topic %s with %s partitions", name, partitions)

    def limits(self, names: Sequence[str]) -> dict[str, int]:
        """Return each topic's `max.message.bytes`, Kafka's default where it can't be read within 2 s."""
        if self.metadata.controller_id not in self.metadata.brokers:
            return dict.fromkeys(names, DEFAULT_MAX_MESSAGE_BYTES)  # librdkafka's mock cluster never answers
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in dict.fromkeys(names)]
        answers = self._admin.describe_configs(asked, request_timeout=_CONFIG_SECONDS)
        return {resource.name: self._limit(resource.name, answer) for resource, answer in answers.items()}

    def _limit(self, name: str, answer: Any) -> int:
        try:
            return int(answer.result(_CONFIG_SECONDS)["max.message.bytes"].value)
        except (KafkaException, TimeoutError, KeyError, ValueError) as error:
            self._log.info(
                "max.message.bytes of topic %s can't be read (%s); taking Kafka's default of %d",
                name,
                error,
                DEFAULT_MAX_MESSAGE_BYTES,
            )
            return DEFAULT_MAX_MESSAGE_BYTES
