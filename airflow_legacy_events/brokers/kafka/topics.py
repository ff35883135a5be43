"""Topics: they are checked, and created where missing, before anything is sent."""

from __future__ import annotations

import difflib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, NewTopic, ResourceType

from airflow_legacy_events.brokers.kafka.callbacks import callbacks
from airflow_legacy_events.brokers.kafka.config import refusal
from airflow_legacy_events.brokers.kafka.verdicts import HOPELESS
from airflow_legacy_events.brokers.kafka.writable import check_replicas, check_rights
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.core.stop import Stop

DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's own default of `max.message.bytes`."""

_CONFIG_SECONDS = 2.0
_CREATE_SECONDS = 30.0
_HURRY_SECONDS = 0.5
_PROPAGATION_SECONDS = 0.5
_QUIET = 2


class Topics:
    """The topics of one cluster.

    Args:
        settings: of a client.
        seconds: after which an unreachable cluster is an error.
        stop: ends the wait for it early.
        log: of the task; the client's own lines go there too.
    """

    def __init__(self, settings: Mapping[str, Any], *, seconds: float, stop: Stop, log: logging.Logger) -> None:
        self._bootstrap, self._seconds, self._stop, self._log = settings["bootstrap.servers"], seconds, stop, log
        calls, self._errors = callbacks(settings, log)
        # A client that can't connect logs that twenty times a second; the last error is in ours.
        quiet = {} if "debug" in settings else {"log_level": _QUIET}
        try:
            self._admin = AdminClient({**quiet, **settings, **calls}, logger=log)  # must outlive its futures
        except (KafkaException, TypeError, ValueError) as error:
            raise refusal(error, settings) from None
        self.metadata = self._look(lambda _: True)

    def _look(self, good: Callable[[ClusterMetadata], bool]) -> ClusterMetadata:
        """All topics; a look-up by name would create a missing one where the broker allows that."""
        deadline, patience, reason = time.monotonic() + self._seconds, 1.0, ""
        while (left := deadline - time.monotonic()) > 0:
            self._stop.check()
            try:
                found = self._admin.list_topics(timeout=min(left, _HURRY_SECONDS if self._stop.requested else patience))
            except KafkaException as error:
                self._admin.poll(0)
                reason = self._errors.text or error.args[0].str()
                if self._errors.code in HOPELESS:
                    raise DeliveryError(
                        f"the cluster at {self._bootstrap!r} refused this client: {reason}. Nothing was sent; look at"
                        " the connection's security settings"
                    ) from None
                patience *= 2  # a large cluster's answer may take longer
            else:
                if good(found):
                    return found
                reason = "its topics are not known everywhere yet"
                self._stop.wait(0.05)
        raise DeliveryError(
            f"the cluster at {self._bootstrap!r} gave no usable answer within {self._seconds:g} s: {reason}."
            " Nothing was sent; look at the address, the network and the security settings"
        )

    def refresh(self) -> None:
        """Ask the cluster anew which topics it has."""
        self.metadata = self._look(lambda _: True)

    def require(self, names: Sequence[str], partitions: int | None, config: Mapping[str, str] | None) -> None:
        """Check that every topic exists and may be written to.

        Args:
            names: of the topics.
            partitions: number of partitions of missing topics, which are created; None: a missing topic is an error.
            config: settings of topics that are created.

        Raises:
            ConfigurationError: topics are missing and may not be created, the cluster refuses to create them, or this
                user may not write to them; all of them are named.
            DeliveryError: the cluster doesn't answer.
        """
        missing = self._missing(names)
        if missing and partitions is None:
            self._stop.wait(_PROPAGATION_SECONDS)  # not every broker knows a topic that was just created
            self.metadata = self._look(lambda _: True)
            missing = self._missing(names)
        problems = Problems()
        for name in missing:
            with problems.collect():
                self._find_or_create(name, partitions, dict(config or {}))
        problems.raise_found()
        if missing:
            self.metadata = self._look(lambda found: all(name in found.topics for name in missing))
        if self._has_controller:
            check_rights(self._admin, list(dict.fromkeys(names)), self._log)

    @property
    def _has_controller(self) -> bool:
        """False for librdkafka's mock cluster, which never answers a request to a controller."""
        return self.metadata.controller_id in self.metadata.brokers

    def _find_or_create(self, name: str, partitions: int | None, config: dict[str, str]) -> None:
        if partitions is None:
            near = ", ".join(difflib.get_close_matches(name, self.metadata.topics, n=3))
            raise ConfigurationError(
                f"topic {name!r} was asked for, the cluster shows this user none of that name"
                f"{f'; similar: {near}' if near else ''}. Nothing was read; make it, grant DESCRIBE on it, correct"
                " the name, or let it be made with topic_partitions="
            )
        self._create(name, partitions, config)

    def _missing(self, names: Sequence[str]) -> list[str]:
        return [name for name in dict.fromkeys(names) if name not in self.metadata.topics]

    def _create(self, name: str, partitions: int, config: dict[str, str]) -> None:
        failed = f"topic {name!r} is missing and could not be made with {partitions} partitions and {config}"
        try:
            replication = int(config.pop("replication.factor", -1))
            settings = {key: str(value) for key, value in config.items()}
            topic = NewTopic(name, num_partitions=partitions, replication_factor=replication, config=settings)
            self._admin.create_topics([topic], operation_timeout=_CREATE_SECONDS)[name].result(_CREATE_SECONDS)
        except TimeoutError:
            raise DeliveryError(f"{failed} within {_CREATE_SECONDS:g} s. Nothing was read; try again") from None
        except (KafkaException, TypeError, ValueError) as error:
            found = error.args[0]
            if isinstance(found, KafkaError) and found.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return  # another run was faster
            text = str(found.str() if isinstance(found, KafkaError) else found).rstrip(".")
            kind = DeliveryError if isinstance(found, KafkaError) and found.retriable() else ConfigurationError
            raise kind(f"{failed}: {text}. Nothing was read; correct topic_partitions=, topic_config=") from error
        self._log.info("made topic %s with %s partitions", name, partitions)

    def limits(self, names: Sequence[str]) -> dict[str, int]:
        """Return each topic's `max.message.bytes`, Kafka's default where it can't be read within 2 s.

        Raises:
            ConfigurationError: a topic has fewer replicas than it demands.
        """
        if not self._has_controller:
            answers: Mapping[Any, Any] = {}
            reason = "the cluster has no controller to ask"
        else:
            resources = [ConfigResource(ResourceType.TOPIC, name) for name in dict.fromkeys(names)]
            answers, reason = self._admin.describe_configs(resources, request_timeout=_CONFIG_SECONDS), ""
        known: dict[str, int] = {}
        problems = Problems()
        for resource, answer in answers.items():
            try:
                config = answer.result(_CONFIG_SECONDS)
                known[resource.name] = int(config["max.message.bytes"].value)
            except (KafkaException, TimeoutError, KeyError, ValueError) as error:
                found = error.args[0] if error.args else error
                reason = found.str() if isinstance(found, KafkaError) else type(error).__name__
                continue
            with problems.collect():
                check_replicas(resource.name, self.metadata.topics[resource.name], config)
        problems.raise_found()
        self._log_unknown([name for name in dict.fromkeys(names) if name not in known], reason)
        return {**dict.fromkeys(names, DEFAULT_MAX_MESSAGE_BYTES), **known}

    def _log_unknown(self, names: Sequence[str], reason: str) -> None:
        if names:
            self._log.info(
                "max.message.bytes of %s can't be read (%s); taking Kafka's default of %d",
                ", ".join(names),
                reason,
                DEFAULT_MAX_MESSAGE_BYTES,
            )
