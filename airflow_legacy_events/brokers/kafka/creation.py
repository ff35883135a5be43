"""Topic creation: makes missing topics if that is allowed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from airflow_legacy_events.brokers.kafka.callbacks import UNREACHABLE, LastError
from airflow_legacy_events.brokers.kafka.refusals import ILLEGAL, TopicRefusal
from airflow_legacy_events.brokers.kafka.verdicts import UNANSWERED, is_forbidden
from airflow_legacy_events.core.errors import DeliveryError

_SECONDS = 30.0


def create(
    admin: AdminClient,
    names: Sequence[str],
    partitions: int,
    config: Mapping[str, str],
    errors: LastError,
    log: logging.Logger,
    *,
    seconds: float = _SECONDS,
) -> dict[str, TopicRefusal]:
    """Create topics in one request; return why some could not be created. Existing topics are not failures.

    Args:
        admin: of the cluster.
        names: of the topics.
        partitions: of each.
        config: of each; without `replication.factor` the cluster chooses it.
        errors: of the client.
        log: gets a line for each topic.
        seconds: time after which an unresponsive cluster is an error.

    Raises:
        DeliveryError: the cluster did not create one in time, or requests a retry.
    """
    refused = _alike(names)
    names = [name for name in names if name not in refused]
    failed = f"missing and could not be created with {partitions} partitions and {dict(config)}"
    try:
        wanted = _new_topics(names, partitions, config)
        answers = admin.create_topics(wanted, operation_timeout=seconds)
    except (KafkaException, TypeError, ValueError) as error:
        return {**refused, **{name: _refused(f"topic {name!r} is {failed}", error, errors) for name in names}}
    for name, answer in answers.items():
        try:
            answer.result(seconds)
        except (KafkaException, TimeoutError) as error:
            what = f"topic {name!r} is {failed}"
            if _unanswered(error):
                found = errors.beside(f"{what} within {seconds:g} s: {errors.said(error)}", admin)
                raise DeliveryError(f"{found}. Nothing was read.{UNREACHABLE}") from None
            if not _is_there(error):  # another run was faster
                refused[name] = _refused(what, error, errors)
        else:
            log.info("created topic %s with %s partitions", name, partitions)
    return refused


def _new_topics(names: Sequence[str], partitions: int, config: Mapping[str, str]) -> list[NewTopic]:
    settings = {key: str(value) for key, value in config.items()}
    replication = int(settings.pop("replication.factor", -1))
    return [NewTopic(name, partitions, replication, config=settings) for name in names]


def _alike(names: Sequence[str]) -> dict[str, TopicRefusal]:
    """Return names that Kafka treats as equal to an earlier one.

    Of such a pair, it creates the second in one request, but not in separate ones.
    """
    refused: dict[str, TopicRefusal] = {}
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(name.replace(".", "_"), name)
        if other != name:
            reason = (
                f"topic {name!r} is missing and can't be created: its name collides with {other!r}, since '.' is '_'"
            )
            refused[name] = TopicRefusal(ILLEGAL, f"{reason} in the names of metrics", "give it another name")
    return refused


def _is_there(error: Exception) -> bool:
    found = error.args[0] if error.args else None
    return isinstance(found, KafkaError) and found.code() == KafkaError.TOPIC_ALREADY_EXISTS


def _unanswered(error: Exception) -> bool:
    """Return whether no broker answered; otherwise the broker answered with a reason."""
    found = error.args[0] if error.args else None
    return not isinstance(found, KafkaError) or found.code() in UNANSWERED


def _refused(what: str, error: Exception, errors: LastError) -> TopicRefusal:
    found = error.args[0]
    reason = f"{what}: {errors.said(error)}"
    if isinstance(found, KafkaError) and found.retriable():
        raise DeliveryError(f"{reason}. Nothing was read; a retry of the task asks the cluster again") from None
    named = found.name() if isinstance(found, KafkaError) else "INVALID_CONFIG"
    remedy = (
        "grant CREATE on it or on the cluster" if is_forbidden(error) else "correct topic_partitions=, topic_config="
    )
    return TopicRefusal(named, reason, remedy)
