"""Write access and replicas of topics, checked before anything is sent."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient, TopicMetadata

from airflow_legacy_events.brokers.kafka.refusals import FEW_REPLICAS, FORBIDDEN, TopicRefusal

_RIGHTS_SECONDS = 2.0


def check_rights(
    admin: AdminClient, names: Sequence[str], log: logging.Logger, *, new: bool = False
) -> dict[str, TopicRefusal]:
    """Return which topics this user may not write to, as far as the cluster says.

    Args:
        admin: of the cluster.
        names: of the topics.
        log: gets a line for each topic whose rights can't be read.
        new: they were just made, so the cluster may not know them everywhere; no line says so.
    """
    if not names:
        return {}
    answers = admin.describe_topics(
        TopicCollection(list(names)), include_authorized_operations=True, request_timeout=_RIGHTS_SECONDS
    )
    refused = {}
    for name, answer in answers.items():
        try:
            allowed = answer.result(_RIGHTS_SECONDS).authorized_operations
        except (KafkaException, TimeoutError) as error:
            if _is_hidden(error):
                refused[name] = _refusal(name, "has no right on it")
            elif not new:
                log.info("the rights on topic %s can't be read (%s); the first message will tell", name, error)
        else:
            if allowed and AclOperation.WRITE not in allowed:
                refused[name] = _refusal(name, f"may {', '.join(sorted(one.name for one in allowed))}")
    return refused


def _is_hidden(error: Exception) -> bool:
    found = error.args[0] if error.args else None
    return isinstance(found, KafkaError) and found.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def _refusal(name: str, may: str) -> TopicRefusal:
    return TopicRefusal(FORBIDDEN, f"topic {name!r} can't be written to by this user, who {may}", "grant WRITE on it")


def check_replicas(name: str, topic: TopicMetadata, config: Mapping[str, Any]) -> TopicRefusal | None:
    """Return why no message would ever be confirmed: the topic has fewer replicas than `min.insync.replicas`."""
    demanded = config.get("min.insync.replicas")
    replicas = min((len(partition.replicas) for partition in topic.partitions.values()), default=None)
    if demanded is None or replicas is None or replicas >= int(demanded.value):
        return None
    reason = (
        f"topic {name!r} demands min.insync.replicas={demanded.value}, but has {replicas} replicas, so no message would"
        " ever be confirmed"
    )
    return TopicRefusal(FEW_REPLICAS, reason, "lower that setting or give the topic more replicas")
