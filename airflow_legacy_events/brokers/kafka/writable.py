"""Write access and replicas of topics, checked before anything is sent."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient, TopicMetadata

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.problems import Problems

_RIGHTS_SECONDS = 2.0


def check_rights(admin: AdminClient, names: list[str], log: logging.Logger) -> None:
    """Check that this user may write to each topic, as far as the cluster says.

    Raises:
        ConfigurationError: naming each topic that the user may not write to.
    """
    answers = admin.describe_topics(
        TopicCollection(names), include_authorized_operations=True, request_timeout=_RIGHTS_SECONDS
    )
    problems = Problems()
    for name, answer in answers.items():
        try:
            allowed = answer.result(_RIGHTS_SECONDS).authorized_operations
        except (KafkaException, TimeoutError) as error:
            log.info("the rights on topic %s can't be read (%s); the first message will tell", name, error)
            continue
        if allowed and AclOperation.WRITE not in allowed:
            with problems.collect():
                raise ConfigurationError(
                    f"topic {name!r} can't be written to by this user, who may"
                    f" {', '.join(sorted(one.name for one in allowed))}. Nothing was read; grant WRITE on it"
                )
    problems.raise_found()


def check_replicas(name: str, topic: TopicMetadata, config: Mapping[str, Any]) -> None:
    """Check that the topic has at least `min.insync.replicas` replicas.

    Raises:
        ConfigurationError: it has fewer, so no message would ever be confirmed.
    """
    demanded = config.get("min.insync.replicas")
    replicas = min((len(partition.replicas) for partition in topic.partitions.values()), default=None)
    if demanded is None or replicas is None or replicas >= int(demanded.value):
        return
    raise ConfigurationError(
        f"topic {name!r} demands min.insync.replicas={demanded.value}, but has {replicas} replicas, so no message would"
        " ever be confirmed. Nothing was read; lower that setting or give the topic more replicas"
    )
