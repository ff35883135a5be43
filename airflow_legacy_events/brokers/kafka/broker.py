"""The producer: hands messages over, waits for their fate, judges rejections one message at a time."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from confluent_kafka import KafkaException, Producer

from airflow_legacy_events.brokers.kafka.config import client_settings, producer_settings, without_values
from airflow_legacy_events.brokers.kafka.sizes import too_large
from airflow_legacy_events.brokers.kafka.topics import Topics
from airflow_legacy_events.brokers.kafka.verdicts import REJECTED, UNKNOWN
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError
from airflow_legacy_events.core.model import Messages, Rejection
from airflow_legacy_events.core.stop import Stop

_REACH_SECONDS = 30.0
_SLICE_SECONDS = 0.2
_GRACE_SECONDS = 30.0


class _Failure(NamedTuple):
    code: int
    name: str
    reason: str
    key: bytes | None
    value: bytes | None


class KafkaBroker:
    """An idempotent producer with `acks=all`.

    Args:
        config: librdkafka settings of the connection.
        stop: ends every wait when the run is stopped and its grace is over.
        delivery_timeout: after so long an unacknowledged message fails the run.
        topics: every topic that the run may write to.
        topic_partitions: makes missing topics with so many partitions; None: a missing topic is an error.
        topic_config: settings of topics that are made; `replication.factor` among them.
        log: of the task.

    Attributes:
        cluster_id: of the cluster, after `open`.
        bootstrap: the configured addresses.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        stop: Stop,
        delivery_timeout: dt.timedelta,
        topics: Sequence[str],
        topic_partitions: int | None = None,
        topic_config: Mapping[str, str] | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self._config, self._stop, self._topics = dict(config), stop, tuple(topics)
        self._timeout = delivery_timeout.total_seconds()
        self._partitions, self._topic_config = topic_partitions, topic_config
        self._log = log or logging.getLogger(__name__)
        self.bootstrap = str(config.get("bootstrap.servers", ""))
        self.cluster_id: str | None = None
        self._failures: list[_Failure] = []
        self._oversized: list[Rejection] = []
        self._messages: Messages | None = None

    def open(self) -> None:
        """Reach the cluster, find or make the topics, read their limits.

        Raises:
            ConfigurationError: a setting is refused, a topic is missing.
            DeliveryError: no broker answers.
        """
        try:
            found = Topics(client_settings(self._config), min(_REACH_SECONDS, self._timeout), self._log)
            found.require(self._topics, self._partitions, self._topic_config)
            self._limits = found.limits(self._topics)
            settings = producer_settings(
                self._config,
                timeout_ms=max(1, int(self._timeout * 1000)),
                smallest=min(self._limits.values()),
                largest=max(self._limits.values()),
                log=self._log,
            )
            self._producer = Producer({**settings, "on_delivery": self._failed}, logger=self._log)
        except (KafkaException, TypeError, ValueError) as error:
            reason = without_values(str(error), self._config)
            raise ConfigurationError(
                f"a setting of the Kafka connection is refused: {reason}. Nothing was read; correct its extra"
            ) from None
        self.cluster_id = found.metadata.cluster_id

    def publish(self, messages: Messages) -> None:
        """See `core.ports.Broker.publish`."""
        limit = self._limits[messages.topic]
        sizes = too_large(messages, limit)
        reason = "{} bytes as a record batch of its own, the topic takes {}"
        self._oversized = [Rejection(at, "MSG_SIZE_TOO_LARGE", reason.format(size, limit)) for at, size in sizes]
        self._messages, self._failures = messages, []
        if messages.each is None and not sizes:
            self._hand_over(messages)
        else:
            left_out = {at for at, _ in sizes}
            for at in range(len(messages.values)):
                if at not in left_out:
                    self._send(messages, at)

    def confirm(self) -> Sequence[Rejection]:
        """See `core.ports.Broker.confirm`."""
        messages = self._messages
        if messages is None:
            return []
        self._flush()
        rejected = list(self._oversized)
        if self._failures:
            failures, self._failures = self._failures, []
            rejected += self._one_by_one(messages, failures)
        self._messages = None
        return sorted(rejected, key=lambda rejection: rejection.index)

    def close(self) -> None:
        """Drop what is still queued; returns at once."""
        if hasattr(self, "_producer"):
            self._producer.purge(in_queue=True, in_flight=True, blocking=False)
            self._producer.poll(0)

    def _failed(self, error: Any, message: Any) -> None:
        if error is not None:
            self._failures.append(_Failure(error.code(), error.name(), error.str(), message.key(), message.value()))

    def _hand_over(self, messages: Messages) -> None:
        produce, topic = self._producer.produce, messages.topic
        if not messages.headers:
            for key, value in zip(messages.keys, messages.values, strict=True):
                try:
                    produce(topic, value, key)
                except BufferError:
                    self._insist(topic, value, key)
            return
        headers: list[tuple[str, str | bytes | None]] = [*messages.headers]
        for key, value in zip(messages.keys, messages.values, strict=True):
            try:
                produce(topic, value, key, headers=headers)
            except BufferError:
                self._insist(topic, value, key, headers=headers)

    def _send(self, messages: Messages, at: int) -> None:
        each = messages.each[at] if messages.each is not None else ()
        self._insist(messages.topic, messages.values[at], messages.keys[at], headers=[*messages.headers, *each] or None)

    def _insist(self, *arguments: Any, **options: Any) -> None:
        """Hand one message over, waiting for room in the queue."""
        while True:
            try:
                self._producer.produce(*arguments, **options)
            except BufferError:
                self._poll()
            else:
                return

    def _poll(self) -> None:
        self._producer.poll(_SLICE_SECONDS / 4)
        self._judge(self._failures)
        self._check_stop()

    def _flush(self) -> None:
        """Wait until nothing is queued or in flight; that alone does not mean that it was delivered."""
        deadline = time.monotonic() + self._timeout + _GRACE_SECONDS
        while True:
            try:
                left = self._producer.flush(_SLICE_SECONDS)
            except (KafkaException, SystemError) as error:  # the next flush would return 0 and prove nothing
                self._give_up(f"the producer failed: {error}")
            if not left:
                self._judge(self._failures)
                return
            self._check_stop()
            if time.monotonic() > deadline:
                self._give_up(f"{left} messages had no fate {self._timeout:g} s after the delivery timeout")

    def _judge(self, failures: Sequence[_Failure]) -> None:
        """Raise unless every failure is a rejection that may be judged singly."""
        for failure in failures:
            if failure.code in REJECTED:
                continue
            count = sum(1 for other in failures if other.code not in REJECTED)
            if failure.code in UNKNOWN:
                self._give_up(
                    f"{count} messages were not acknowledged within {self._timeout:g} s, whether they are on the topic"
                    f" is unknown; first: {failure.name}: {failure.reason}. Look at the broker"
                )
            self._give_up(f"the broker refused {count} messages: {failure.name}: {failure.reason}")

    def _give_up(self, found: str) -> NoReturn:
        self.close()
        topic = self._messages.topic if self._messages is not None else ""
        raise DeliveryError(
            f"topic {topic!r} of {self.bootstrap}: {found}. The watermark stays below this batch; a retry sends it"
            " again, with equal ids"
        )

    def _check_stop(self) -> None:
        try:
            self._stop.check()
        except BaseException:
            self.close()
            raise

    def _one_by_one(self, messages: Messages, failures: Sequence[_Failure]) -> list[Rejection]:
        """Send what failed once more, each in a record batch of its own, with every later message of its key."""
        places: dict[tuple[bytes | None, bytes | None], list[int]] = defaultdict(list)
        for at, (key, value) in enumerate(zip(messages.keys, messages.values, strict=True)):
            places[_bytes(key), _bytes(value)].append(at)
        failed = sorted({at for failure in failures for at in places[failure.key, failure.value]})
        first: dict[str | None, int] = {}
        for at in failed:
            first.setdefault(messages.keys[at], at)
        oversized = {rejection.index for rejection in self._oversized}
        again = [
            at
            for at, key in enumerate(messages.keys)
            if at not in oversized and (at in set(failed) if key is None else at >= first.get(key, len(messages.keys)))
        ]
        self._log.warning(
            "the broker refused record batches with %d messages (%s); sending %d messages again, one by one",
            len(failed),
            failures[0].name,
            len(again),
        )
        return [rejection for at in again for rejection in self._alone(messages, at)]

    def _alone(self, messages: Messages, at: int) -> list[Rejection]:
        self._send(messages, at)
        self._flush()
        found, self._failures = self._failures, []
        return [Rejection(at, failure.name, failure.reason) for failure in found]


def _bytes(part: str | bytes | None) -> bytes | None:
    return part.encode() if isinstance(part, str) else part
