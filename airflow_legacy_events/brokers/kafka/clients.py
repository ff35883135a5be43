"""Clients of a Kafka connection that look at topics and read them: set up alike, and their errors worded alike."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ClusterMetadata

from airflow_legacy_events.brokers.kafka.callbacks import UNREACHABLE, callbacks
from airflow_legacy_events.brokers.kafka.config import client_settings, refusal
from airflow_legacy_events.brokers.kafka.secrets import ClientLog
from airflow_legacy_events.brokers.kafka.verdicts import HOPELESS
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError, LegacyEventsError
from airflow_legacy_events.core.ports import Partition

SECONDS = 15.0
"""Time after which a request that is not answered fails."""

POLL_SECONDS = 0.2
"""How long a consumer waits for a message at once."""

END_OF_PARTITION = KafkaError._PARTITION_EOF  # noqa: SLF001  confluent-kafka's public name of it
DENIED = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED})
"""The user lacks a right."""

_LEADERLESS = frozenset(
    {
        *(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.REPLICA_NOT_AVAILABLE),
        KafkaError._NOENT,  # noqa: SLF001  confluent-kafka's public name of "no leaders found"
    }
)
"""A partition was just added, or its leader is being elected."""

_ELECTION_SECONDS, _ELECTION_WAIT = 5.0, 0.1

UNGROUPED = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
}
"""Settings of a consumer that partitions are assigned to; it names a group, but never joins it."""

_QUIET = 2

# Settings for producers only in librdkafka (CONFIGURATION.md, column C/P = P).
_PRODUCERS = frozenset(
    {
        *("batch.num.messages", "batch.size", "compression.level", "compression.type", "enable.gapless.guarantee"),
        *("linger.ms", "message.send.max.retries", "msg_order_cmp", "partitioner_cb", "produce.offset.report"),
        *("queue.buffering.backpressure.threshold", "queue.buffering.max.kbytes", "queue.buffering.max.messages"),
        *("queuing.strategy", "request.timeout.ms", "retries", "sticky.partitioning.linger.ms"),
    }
)


class KafkaClients:
    """Makes clients of one connection; nothing is connected before they are used.

    Args:
        config: librdkafka settings of the connection.
        log: of the task; the clients' own lines are logged there too.

    Attributes:
        settings: that all of them share.
        errors: keeps their last error.
    """

    def __init__(self, config: Mapping[str, Any], log: logging.Logger) -> None:
        self.settings = {name: one for name, one in client_settings(config).items() if name not in _PRODUCERS}
        calls, self.errors = callbacks(self.settings, log)
        quiet = {} if "debug" in self.settings else {"log_level": _QUIET}
        self._options = {**quiet, **self.settings, **calls}
        self._logger = ClientLog(log, self.errors.hide)
        self._admin: AdminClient | None = None

    @property
    def bootstrap(self) -> str:
        """The addresses of the connection, as written."""
        return str(self.settings["bootstrap.servers"])

    def admin(self) -> AdminClient:
        """Return the client for requests about topics, the same one until `close`.

        Raises:
            ConfigurationError: a setting of the connection is refused.
        """
        if self._admin is None:
            try:
                self._admin = AdminClient(self._options, logger=self._logger)
            except (KafkaException, TypeError, ValueError) as error:
                raise refusal(error, self.settings) from None
        return self._admin

    def consumer(self, settings: Mapping[str, Any]) -> Consumer:
        """Return a new consumer with more settings.

        Raises:
            ConfigurationError: a setting is refused.
        """
        try:
            return Consumer({**self._options, **settings}, logger=self._logger)
        except (KafkaException, TypeError, ValueError) as error:
            raise refusal(error, self.settings) from None

    def metadata(self) -> ClusterMetadata:
        """List all topics: a lookup by name would create a missing one on brokers that allow it.

        Raises:
            DeliveryError: the cluster does not answer, or refuses this client.
        """
        until, patience = time.monotonic() + SECONDS, 1.0
        while True:
            left = max(0.001, until - time.monotonic())
            try:
                return self.admin().list_topics(timeout=min(left, patience))
            except KafkaException as error:
                self.admin().poll(0)
                if left <= patience or self.errors.code in HOPELESS:
                    raise self.failed(error, "did not list its topics") from None
                patience *= 2  # a large cluster's answer may take longer

    def offsets(self, wanted: Collection[Partition], at: Any, **options: Any) -> dict[Partition, int]:
        """Return an offset of each partition.

        Args:
            wanted: the partitions.
            at: `OffsetSpec` of the offset.
            options: of `AdminClient.list_offsets`.

        Raises:
            ConfigurationError: the user may not see a topic.
            DeliveryError: the cluster does not answer.
        """
        return self.request_offsets(wanted, at, **options)()

    def request_offsets(
        self, wanted: Collection[Partition], at: Any, **options: Any
    ) -> Callable[[], dict[Partition, int]]:
        """Request what `offsets` returns; the function waits for it, also for an election of a leader."""
        query = {TopicPartition(one.topic, one.number): at for one in wanted}
        until = time.monotonic() + _ELECTION_SECONDS

        def requested() -> Any:
            return self.admin().list_offsets(query, request_timeout=SECONDS, **options) if query else {}

        answers = requested()

        def found() -> dict[Partition, int]:
            nonlocal answers
            while True:
                try:
                    return {
                        Partition(part.topic, part.partition): one.result(SECONDS).offset
                        for part, one in answers.items()
                    }
                except (KafkaException, TimeoutError) as error:
                    if not _has_no_leader(error) or time.monotonic() >= until:
                        raise self.failed(error, "did not report the offsets of its topics") from None
                time.sleep(_ELECTION_WAIT)
                answers = requested()

        return found

    def failed(self, error: Exception, found: str) -> LegacyEventsError:
        """Return the error for a request that failed; `found` follows "the cluster at ...", as a part of a sentence."""
        reason = error.args[0] if error.args else None
        said = self.errors.said(error)
        if isinstance(reason, KafkaError) and reason.code() in DENIED:
            return ConfigurationError(
                f"the Kafka user may not read the topics: grant READ and DESCRIBE on them. {said}"
            )
        beside = self.errors.beside(said, self._admin)
        return DeliveryError(f"the cluster at {self.bootstrap!r} {found}: {beside}.{UNREACHABLE}")

    def silent(self, what: str, seconds: float) -> DeliveryError:
        """Return the error for a consumer that got nothing, not even an end of a partition, for so many seconds."""
        last = self.errors.text and f" (last error of the client: {self.errors.text})"
        found = f"the cluster at {self.bootstrap!r} sent no {what} within {seconds:g} s"
        return DeliveryError(f"{found}{last}.{UNREACHABLE}")

    def close(self) -> None:
        """End the client for requests; may be called again."""
        self._admin = None


def _has_no_leader(error: Exception) -> bool:
    """Whether the next request may find a leader."""
    reason = error.args[0] if error.args else None
    return isinstance(reason, KafkaError) and reason.code() in _LEADERLESS
