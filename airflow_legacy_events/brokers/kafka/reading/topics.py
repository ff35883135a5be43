"""Topics that are to be read: whether they are there, their identity, extents and compaction."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, Uuid
from confluent_kafka.admin import AclOperation, OffsetSpec

from airflow_legacy_events.brokers.kafka.clients import DENIED, SECONDS, KafkaClients
from airflow_legacy_events.brokers.kafka.reading.policies import Policies
from airflow_legacy_events.brokers.lost import remade
from airflow_legacy_events.core.errors import ConfigurationError, StoppedError
from airflow_legacy_events.core.ports import Extent, FoundTopic, Partition

STABLE_SECONDS = 10.0
"""How long the last stable offset is looked up again: it may lie behind a commit that has returned."""

_LOOKS = 3
_PROPAGATION_SECONDS = 0.5
_FIRST_WAIT, _LONGEST_WAIT = 0.01, 0.5
_BROKEN = frozenset({KafkaError._TRANSPORT, KafkaError._TIMED_OUT})  # noqa: SLF001  confluent-kafka's public names
_NO_ID = str(Uuid(0, 0))  # of brokers before 2.8
_COMMITTED = {"isolation_level": IsolationLevel.READ_COMMITTED}


class ReadTopics:
    """Looks topics up.

    Args:
        clients: of the connection.
        closed: ends waiting.
        log: gets a line for what the user may not see.
    """

    def __init__(self, clients: KafkaClients, closed: threading.Event, log: logging.Logger) -> None:
        self._clients, self._closed, self._log = clients, closed, log
        self._ids: dict[str, str | None] = {}

    def find(self, topics: Sequence[str], *, settled: bool) -> Mapping[str, FoundTopic]:
        """See `core.ports.Reader.find`."""
        names = list(dict.fromkeys(topics))
        partitions = self._partitions(names)
        policies = Policies(self._clients, names, self._log)
        latest = self._clients.request_offsets(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        earliest = self._clients.request_offsets(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        ids = self._described(names, rights=True)
        starts, highs = earliest(), latest()
        ends = self._ends(highs, STABLE_SECONDS if settled else 0)
        self._ids |= ids

        def extents(name: str) -> Mapping[int, Extent]:
            own = [one for one in partitions if one.topic == name]
            return {one.number: Extent(starts[one], ends[one], max(highs[one], ends[one])) for one in own}

        return {name: FoundTopic(ids[name], extents(name), *policies.of(name)) for name in names}

    def check(self, topics: Collection[str]) -> None:
        """Check that topics are those that were found.

        Raises:
            WatermarkError: one was deleted and made again.
            ConfigurationError: one was deleted.
            DeliveryError: the cluster does not answer.
        """
        for name, found in self._described(sorted(topics)).items():
            if self._ids.get(name, found) != found:
                raise remade(name)

    def _partitions(self, names: Sequence[str]) -> list[Partition]:
        for left in (True, False):
            known = self._clients.metadata().topics
            missing = [name for name in names if name not in known or not known[name].partitions]
            if not missing:
                break
            if not left:
                raise ConfigurationError(
                    f"the cluster shows this user no topic {', '.join(map(repr, missing))}. Nothing was read.\nCorrect"
                    " the name, create the topic, or grant READ and DESCRIBE on it"
                )
            self._wait(_PROPAGATION_SECONDS)  # a topic just created is not yet known to every broker
        return [Partition(name, number) for name in names for number in sorted(known[name].partitions)]

    def _ends(self, highs: Mapping[Partition, int], seconds: float) -> dict[Partition, int]:
        """Return the last stable offsets, as soon as they have reached the ends, or after so many seconds."""
        ends: dict[Partition, int] = {}
        left, wait, until = list(highs), _FIRST_WAIT, time.monotonic() + seconds
        while left:
            ends |= self._clients.offsets(left, OffsetSpec.latest(), **_COMMITTED)  # type: ignore[no-untyped-call]
            left = [one for one in left if ends[one] < highs[one]]
            if not left or time.monotonic() >= until:
                break
            self._wait(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        return ends

    def _described(self, names: Sequence[str], *, rights: bool = False) -> dict[str, str | None]:
        """Return the identities of topics, and check that this user may read them."""
        until = time.monotonic() + SECONDS
        for look in count(1):
            answers = self._clients.admin().describe_topics(
                TopicCollection(list(names)), request_timeout=SECONDS, include_authorized_operations=rights
            )
            # A broker that has just started may not know a topic yet, and one that is restarted breaks connections.
            passing = {KafkaError.UNKNOWN_TOPIC_OR_PART} if look < _LOOKS else set()
            passing |= _BROKEN if time.monotonic() < until else set()
            found = {name: self._answer(name, answer, passing) for name, answer in answers.items()}
            if None not in found.values():
                break
            self._wait(_PROPAGATION_SECONDS)
        for name, topic in found.items():
            allowed = topic.authorized_operations
            if rights and allowed and AclOperation.READ not in allowed:
                raise _forbidden(name, f"may only {', '.join(sorted(one.name for one in allowed))}")
        return {name: None if str(one.topic_id) == _NO_ID else str(one.topic_id) for name, one in found.items()}

    def _answer(self, name: str, answer: Any, passing: Collection[int]) -> Any:
        """Return the description of a topic; None after an error that may pass."""
        try:
            return answer.result(SECONDS)
        except (KafkaException, TimeoutError) as error:
            found = error.args[0] if error.args else None
            code = found.code() if isinstance(found, KafkaError) else None
            if code in passing:
                return None
            if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise ConfigurationError(
                    f"topic {name!r} was deleted while it was read.\nCreate it again, and let the stream begin at its"
                    " start with `airflow legacy-events watermark forget STREAM`"
                ) from None
            if code in DENIED:
                raise _forbidden(name, "has no right on it") from None
            raise self._clients.failed(error, "did not describe its topics") from None

    def _wait(self, seconds: float) -> None:
        if self._closed.wait(seconds):
            raise StoppedError("the reader was closed")


def _forbidden(name: str, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"topic {name!r} can't be read by this user: grant READ and DESCRIBE on it. The user {found}. Nothing was read"
    )
