"""Clean-up policies of topics: whether they are compacted, and how long they keep tombstones."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource, ResourceType

from airflow_legacy_events.brokers.kafka.clients import KafkaClients
from airflow_legacy_events.brokers.kafka.verdicts import is_forbidden

_SECONDS = 2.0


class Policies:
    """Requests the policies when it is made, and waits for the answer when they are needed.

    Args:
        clients: of the connection.
        names: of the topics.
        log: gets one line for topics whose policy can't be seen.
    """

    def __init__(self, clients: KafkaClients, names: Sequence[str], log: logging.Logger) -> None:
        self._clients, self._log = clients, log
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        answers = clients.admin().describe_configs(resources, request_timeout=_SECONDS)
        self._answers: Mapping[str, Any] = {one.name: answer for one, answer in answers.items()}

    def of(self, name: str) -> tuple[bool | None, int | None]:
        """Return whether a topic is compacted, and how long it keeps tombstones, in milliseconds.

        Both are None if the user may not see it; the latter also if the topic is not compacted.
        """
        try:
            config = self._answers[name].result(_SECONDS)
            compacted = "compact" in str(config["cleanup.policy"].value)
            return compacted, int(config["delete.retention.ms"].value) if compacted else None
        except (KafkaException, TimeoutError, KeyError, ValueError) as error:
            remedy = "; grant DESCRIBE_CONFIGS on it" if is_forbidden(error) else ""
            self._log.info(
                "whether topic %s is compacted can't be seen (%s)%s", name, self._clients.errors.said(error), remedy
            )
            return None, None
