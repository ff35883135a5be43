"""Failures of a reading, as errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import OffsetSpec

from airflow_legacy_events.brokers.kafka.clients import DENIED, KafkaClients
from airflow_legacy_events.brokers.lost import beyond, differs, passed
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError, LegacyEventsError
from airflow_legacy_events.core.ports import Partition, ReadPosition

_RESET = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001  confluent-kafka's public name of it
_UNKNOWN = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
    }
)
# librdkafka gives one code for every position that a log does not have, and the offset only in its text.
_CUT = re.compile(r"broker end offset is (-?\d+)")


class Faults:
    """Words what failed.

    Args:
        clients: of the connection.
        check: looks whether topics are still the same; raises if they aren't.
    """

    def __init__(self, clients: KafkaClients, check: Callable[[Collection[str]], None]) -> None:
        self._clients, self._check = clients, check

    def of(self, one: Partition, at: ReadPosition, error: KafkaError) -> LegacyEventsError | None:
        """Return the error for a partition that can't be read on; None if it may be tried again.

        Raises:
            LegacyEventsError: the topic is not the same any more, or the cluster does not answer.
        """
        code = error.code()
        if code == _RESET:
            return self._lost(one, at, _CUT.search(error.str()))
        if code in _UNKNOWN:
            self._check([one.topic])
            return None
        said = self._clients.errors.hide(error.str())
        if code in DENIED:
            return ConfigurationError(
                f"the Kafka user may not read topic {one.topic!r}: grant READ and DESCRIBE on it. {said}"
            )
        return DeliveryError(
            f"partition {one.number} of topic {one.topic!r} can't be read from offset {at.offset} on: {error.name()}."
            f"\nRead it with another client to see whether the topic or the way to it is damaged: {said}"
        )

    def other(self, error: KafkaException) -> LegacyEventsError:
        """Return the error for a client that failed as a whole."""
        return self._clients.failed(error, "can't be read")

    def silent(self, seconds: float) -> LegacyEventsError:
        """Return the error for a broker that sends nothing."""
        return self._clients.silent("messages", seconds)

    def _lost(self, one: Partition, at: ReadPosition, cut: re.Match[str] | None) -> LegacyEventsError | None:
        start = self._clients.offsets([one], OffsetSpec.earliest())[one]  # type: ignore[no-untyped-call]
        high = self._clients.offsets([one], OffsetSpec.latest())[one]  # type: ignore[no-untyped-call]
        if at.offset < start:
            return passed(one, at, start)
        if cut is not None and (first := max(start, int(cut[1]))) < high:
            return differs(one, at, first)
        return beyond(one, at, high) if at.offset > high else None
