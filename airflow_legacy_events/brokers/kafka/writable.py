"""Topic checks before anything is sent: write access, identity, replicas."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection, Uuid
from confluent_kafka.admin import AclOperation, AdminClient, TopicDescription, TopicMetadata

from airflow_legacy_events.brokers.kafka.callbacks import LastError
from airflow_legacy_events.brokers.kafka.refusals import FEW_REPLICAS, FORBIDDEN, TopicRefusal

_RIGHTS_SECONDS = 2.0
_NO_ID = str(Uuid(0, 0))  # of brokers before 2.8


class Described(NamedTuple):
    """Description of topics by the cluster.

    Attributes:
        refused: those that this user may not write to, as far as the cluster reports.
        ids: the identity of each known topic.
    """

    refused: dict[str, TopicRefusal]
    ids: dict[str, str]


def check_rights(
    admin: AdminClient, names: Sequence[str], errors: LastError, log: logging.Logger, *, new: bool = False
) -> Described:
    """Return which topics this user may not write to, and the identities of all.

    Args:
        admin: of the cluster.
        names: of the topics.
        errors: of the client.
        log: gets a line for each topic whose rights can't be read.
        new: whether they were just created; not every broker knows them yet, so nothing is logged about that.
    """
    found = Described({}, {})
    for name, answer in _described(admin, names, include_authorized_operations=True).items():
        try:
            topic = answer.result(_RIGHTS_SECONDS)
        except (KafkaException, TimeoutError) as error:
            if _code_of(error) == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                found.refused[name] = _refusal(name, "has no right on it")
            elif not new:
                reason = errors.beside(errors.said(error), admin)
                log.info(
                    "the ACLs of topic %s can't be read (%s); the first message will show whether it may be written",
                    name,
                    reason,
                )
        else:
            found.ids.update(_id_of(topic))
            allowed = topic.authorized_operations
            if allowed and AclOperation.WRITE not in allowed:
                found.refused[name] = _refusal(name, f"may {', '.join(sorted(one.name for one in allowed))}")
    return found


def present_ids(
    admin: AdminClient, names: Sequence[str], errors: LastError, log: logging.Logger
) -> dict[str, str | None]:
    """Return the current identity of each topic, None for a deleted one; unknown identities are left out."""
    found: dict[str, str | None] = {}
    for name, answer in _described(admin, names).items():
        try:
            found.update(_id_of(answer.result(_RIGHTS_SECONDS)))
        except (KafkaException, TimeoutError) as error:
            if _code_of(error) == KafkaError.UNKNOWN_TOPIC_OR_PART:
                found[name] = None
            else:
                reason = errors.beside(errors.said(error), admin)
                log.info("whether topic %s is still the same can't be determined (%s)", name, reason)
    return found


def _described(admin: AdminClient, names: Sequence[str], **options: bool) -> Mapping[str, Any]:
    if not names:
        return {}
    answers: Mapping[str, Any] = admin.describe_topics(
        TopicCollection(list(names)), request_timeout=_RIGHTS_SECONDS, **options
    )
    return answers


def _id_of(topic: TopicDescription) -> dict[str, str]:
    found = str(topic.topic_id)
    return {} if found == _NO_ID else {topic.name: found}


def _code_of(error: Exception) -> int | None:
    found = error.args[0] if error.args else None
    return found.code() if isinstance(found, KafkaError) else None


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
