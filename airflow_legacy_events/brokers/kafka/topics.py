"""Topics: checked, and created if missing, before anything is sent."""

from __future__ import annotations

import difflib
import logging
import time
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, ResourceType

from airflow_legacy_events.brokers.kafka.callbacks import UNREACHABLE, callbacks
from airflow_legacy_events.brokers.kafka.config import refusal
from airflow_legacy_events.brokers.kafka.creation import create
from airflow_legacy_events.brokers.kafka.limits import DEFAULT_MAX_MESSAGE_BYTES, TopicLimits
from airflow_legacy_events.brokers.kafka.refusals import UNKNOWN, TopicRefusal, illegal
from airflow_legacy_events.brokers.kafka.secrets import ClientLog
from airflow_legacy_events.brokers.kafka.verdicts import HOPELESS, is_forbidden
from airflow_legacy_events.brokers.kafka.writable import check_replicas, check_rights, present_ids
from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.stop import Stop

_CONFIG_SECONDS = 2.0
_HURRY_SECONDS = 0.5
_PROPAGATION_SECONDS = 0.5
_GONE_LOOKS = 3
_QUIET = 2


class Topics:
    """The topics of one cluster.

    Args:
        settings: of a client.
        seconds: time after which an unreachable cluster is an error.
        stop: ends the wait for it early.
        log: of the task; the client's own lines are logged there too.

    Attributes:
        metadata: of the cluster, as it was last listed.
        ids: the identity of each topic at its first lookup, as far as the brokers report it.
    """

    def __init__(self, settings: Mapping[str, Any], *, seconds: float, stop: Stop, log: logging.Logger) -> None:
        self._bootstrap, self._seconds, self._stop, self._log = settings["bootstrap.servers"], seconds, stop, log
        calls, self._errors = callbacks(settings, log)
        # A client that can't connect logs that twenty times a second; our error includes the last one.
        quiet = {} if "debug" in settings else {"log_level": _QUIET}
        try:
            self._admin = AdminClient(
                {**quiet, **settings, **calls}, logger=ClientLog(log, self._errors.hide)
            )  # must outlive its futures
        except (KafkaException, TypeError, ValueError) as error:
            raise refusal(error, settings) from None
        self.ids: dict[str, str] = {}
        self.metadata = self._look(lambda _: True)

    def _look(self, good: Callable[[ClusterMetadata], bool]) -> ClusterMetadata:
        """List all topics; a lookup by name would create a missing one on brokers that allow it."""
        deadline, patience, reason = time.monotonic() + self._seconds, 1.0, ""
        while (left := deadline - time.monotonic()) > 0:
            self._stop.check()
            try:
                found = self._admin.list_topics(timeout=min(left, _HURRY_SECONDS if self._stop.requested else patience))
            except KafkaException as error:
                self._admin.poll(0)
                reason = self._errors.text or self._errors.said(error)
                if self._errors.code in HOPELESS:
                    raise DeliveryError(
                        f"the cluster at {self._bootstrap!r} refused this client: {reason}. Nothing was sent; check the"
                        " connection's security settings"
                    ) from None
                patience *= 2  # a large cluster's answer may take longer
            else:
                if good(found):
                    return found
                reason = "not all brokers know its topics yet"
                self._stop.wait(0.05)
        raise DeliveryError(
            f"the cluster at {self._bootstrap!r} gave no usable answer within {self._seconds:g} s:"
            f" {self._errors.beside(reason, self._admin)}. Nothing was sent.{UNREACHABLE}"
        )

    def refresh(self) -> None:
        """List the cluster's topics again."""
        self.metadata = self._look(lambda _: True)

    def require(
        self, names: Sequence[str], partitions: int | None, config: Mapping[str, str] | None, *, patient: bool
    ) -> dict[str, TopicRefusal]:
        """Return why topics can't be written to: each must exist, and this user must have the right.

        Args:
            names: of the topics.
            partitions: number of partitions with which missing topics are created; None: a missing topic is refused.
            config: settings of topics that are created.
            patient: look for missing topics once more, and name similar ones.

        Raises:
            DeliveryError: the cluster doesn't answer.
        """
        refused: dict[str, TopicRefusal] = {name: found for name in names if (found := illegal(name))}
        missing = self._missing(names, refused)
        if missing and partitions is None:
            if patient:
                self._stop.wait(_PROPAGATION_SECONDS)  # a topic just created is not yet known to every broker
                self.refresh()
            refused |= {name: self._unknown(name, similar=patient) for name in self._missing(names, refused)}
        elif missing and partitions is not None:
            refused |= self._make(missing, partitions, config or {})
        if self._has_controller:
            there = [name for name in dict.fromkeys(names) if name not in refused]
            refused |= self._describe(there)
        return refused

    def _describe(self, names: Sequence[str], *, new: bool = False) -> dict[str, TopicRefusal]:
        found = check_rights(self._admin, names, self._errors, self._log, new=new)
        self.ids = {**found.ids, **self.ids}
        return found.refused

    def remade(self, names: Collection[str]) -> list[str]:
        """Return which topics were deleted or recreated since their first lookup.

        A broker that has just started may not know a topic yet, so missing topics are looked up again.
        """
        for again in range(_GONE_LOOKS):
            if again and self._stop.wait(_PROPAGATION_SECONDS):
                break
            now = present_ids(self._admin, list(names), self._errors, self._log) if self._has_controller else {}
            remade = [name for name, found in now.items() if self.ids.get(name, found) != found]
            if any(now[name] is not None for name in remade) or not remade:
                break
        self.ids = {**{name: found for name, found in now.items() if found is not None}, **self.ids}
        return remade

    def _make(self, names: Sequence[str], partitions: int, config: Mapping[str, str]) -> dict[str, TopicRefusal]:
        refused = create(self._admin, names, partitions, config, self._errors, self._log)
        made = [name for name in names if name not in refused]
        # The right to create a topic does not imply the right to see it: waiting for it would be in vain.
        refused |= self._describe(made, new=True)
        seen = [name for name in made if name not in refused]
        self.metadata = self._look(lambda found: all(_is_whole(found, name) for name in seen))
        return refused

    def limits(self, names: Sequence[str]) -> tuple[dict[str, TopicLimits], dict[str, TopicRefusal]]:
        """Return the limits of each topic, and why a topic accepts nothing: fewer replicas than required.

        What can't be read within 2 s falls back to Kafka's default for message size, and to no bound for times: the
        broker checks those.
        """
        if not self._has_controller:
            answers: Mapping[Any, Any] = {}
            reason = "the cluster has no controller to ask"
        else:
            resources = [ConfigResource(ResourceType.TOPIC, name) for name in dict.fromkeys(names)]
            answers, reason = self._admin.describe_configs(resources, request_timeout=_CONFIG_SECONDS), ""
        known: dict[str, TopicLimits] = {}
        refused: dict[str, TopicRefusal] = {}
        for resource, answer in answers.items():
            name = resource.name
            try:
                config = answer.result(_CONFIG_SECONDS)
                known[name] = TopicLimits.of(config)
            except (KafkaException, TimeoutError, KeyError, ValueError) as error:
                reason = self._errors.beside(self._errors.said(error), self._admin)
                reason += "; grant DESCRIBE_CONFIGS on it" if is_forbidden(error) else ""
            else:
                if found := check_replicas(name, self.metadata.topics[name], config):
                    refused[name] = found
        self._log_unknown([name for name in dict.fromkeys(names) if name not in known], reason)
        return {**dict.fromkeys(names, TopicLimits()), **known}, refused

    def has(self, name: str) -> bool:
        """Return whether a topic existed when topics were last listed."""
        return name in self.metadata.topics

    def partitions(self, name: str) -> int:
        """Return how many partitions a topic had when topics were last listed, 0 for an unknown topic."""
        return len(self.metadata.topics[name].partitions) if self.has(name) else 0

    @property
    def _has_controller(self) -> bool:
        """False for librdkafka's mock cluster, which never answers a request to a controller."""
        return self.metadata.controller_id in self.metadata.brokers

    def _missing(self, names: Sequence[str], but: Container[str]) -> list[str]:
        return [name for name in dict.fromkeys(names) if not self.has(name) and name not in but]

    def _unknown(self, name: str, *, similar: bool) -> TopicRefusal:
        near = ", ".join(difflib.get_close_matches(name, self.metadata.topics, n=3)) if similar else ""
        return TopicRefusal(
            UNKNOWN,
            f"topic {name!r} was given, but the cluster shows this user no topic of that"
            f" name{f'; similar: {near}' if near else ''}",
            "create it, grant WRITE on it, correct the name, or have it created with topic_partitions=",
        )

    def _log_unknown(self, names: Sequence[str], reason: str) -> None:
        if names:
            self._log.info(
                "the limits of %s can't be read (%s); assuming Kafka's default max.message.bytes, %d",
                ", ".join(names),
                reason,
                DEFAULT_MAX_MESSAGE_BYTES,
            )


def _is_whole(found: ClusterMetadata, name: str) -> bool:
    return name in found.topics and bool(found.topics[name].partitions)
