"""Idempotent producer on librdkafka, up to its first error that is not a rejection."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import length_hint
from typing import Any, NoReturn

from confluent_kafka import KafkaException, Producer

from airflow_legacy_events.brokers.kafka.arguments import BY_KEY, NOW, arguments, encoded
from airflow_legacy_events.brokers.kafka.callbacks import callbacks
from airflow_legacy_events.brokers.kafka.config import refusal
from airflow_legacy_events.brokers.kafka.secrets import ClientLog
from airflow_legacy_events.brokers.kafka.verdicts import Failure, fatal
from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.model import Messages
from airflow_legacy_events.core.stop import Stop

_SLICE_SECONDS = 0.2
_ROOM_SECONDS = 0.005
_GRACE_SECONDS = 30.0


class IdempotentProducer:
    """Sends messages and collects the delivery reports of those that failed.

    After the first error that is not about single messages, nothing more is sent. The queue is dropped, so that no
    message follows one whose fate is unknown.

    Args:
        settings: of the producer.
        stop: ends every wait once the run is stopped and its grace is over.
        timeout: the delivery timeout.
        log: gets the client's own lines.
    """

    def __init__(self, settings: Mapping[str, Any], *, stop: Stop, timeout: dt.timedelta, log: logging.Logger) -> None:
        self._stop, self._seconds = stop, timeout.total_seconds()
        self._bootstrap = settings["bootstrap.servers"]
        self._failures: list[Failure] = []
        self._settings, self._log = dict(settings), log
        self._calls, self._errors = callbacks(settings, log)
        self._producer: Producer | None = self._made()

    def narrow(self, batch_bytes: int) -> None:
        """Limit record batches to that many bytes from now on; waits for queued messages if they may exceed it."""
        if batch_bytes >= self._settings["batch.size"]:
            return
        self._flush()
        self._settings["batch.size"] = max(1, batch_bytes)
        self._producer = self._made()

    def send(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        """Queue all messages except those at `left_out`; waits while the queue is full."""
        count = len(messages.values)
        places = [at for at in range(count) if at not in left_out] if left_out else range(count)
        self._guarded(self._send_all, messages, places)

    def send_one(self, messages: Messages, at: int) -> list[Failure]:
        """Send one message in a record batch of its own; return its failure, if it was rejected."""
        self._check_stop()
        self._guarded(self._produce_at, messages, at)
        return self.flush()

    def flush(self) -> list[Failure]:
        """Wait until every message is acknowledged or failed; return the failures, each of which may be a rejection."""
        self._flush()
        failures, self._failures = self._failures, []
        return failures

    def close(self) -> None:
        """Drop the queue and end the client; returns at once."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge(in_queue=True, in_flight=True, blocking=False)

    def give_up(self, found: str) -> NoReturn:
        """End the client and raise the error for `found`."""
        self.close()
        raise DeliveryError(
            f"{self._bootstrap}: {self._errors.beside(found)}. The watermark stays below this batch; a retry sends it"
            " again, with equal ids"
        )

    def _made(self) -> Producer:
        calls = {**self._calls, "on_delivery": self._report}
        try:
            return Producer({**self._settings, **calls}, logger=ClientLog(self._log, self._errors.hide))
        except (KafkaException, TypeError, ValueError) as error:
            raise refusal(error, self._settings) from None

    @property
    def _open(self) -> Producer:
        if self._producer is None:
            raise DeliveryError(f"{self._bootstrap}: this producer is closed; an earlier error or close() ended it")
        return self._producer

    def _report(self, error: Any, message: Any) -> None:
        if error is not None:
            self._failures.append(Failure.of(error, message))

    def _guarded(self, step: Callable[..., None], *arguments: Any) -> None:
        try:
            step(*arguments)
        except KafkaException as error:
            self.give_up(f"messages can't be handed over: {self._errors.hide(error.args[0].str())}")

    def _send_all(self, messages: Messages, places: Sequence[int]) -> None:
        calls, values = arguments(messages, places)
        handed_over = map(self._open.produce, *calls)
        while length_hint(values):
            try:
                deque(handed_over, maxlen=0)
            except BufferError:
                self._produce_at(messages, places[len(places) - length_hint(values) - 1])

    def _produce_at(self, messages: Messages, at: int) -> None:
        """Queue one message, waiting for room."""
        produce, key, value = self._open.produce, messages.keys[at], messages.values[at]
        headers, timestamp = encoded(messages.headers_of(at)), messages.timestamp_of(at) or NOW
        topic, partition = messages.topic_of(at), messages.partition_of(at)
        while True:
            try:
                produce(topic, value, key, BY_KEY if partition is None else partition, None, None, timestamp, headers)
            except BufferError:
                self._flush_for(_ROOM_SECONDS)  # without failures there are no events, so poll() sleeps
                self._judge()
            else:
                return

    def _flush(self) -> None:
        """Wait until every message is acknowledged or failed; the failures are kept."""
        deadline = time.monotonic() + self._seconds + _GRACE_SECONDS
        while left := self._flush_for(_SLICE_SECONDS):
            if time.monotonic() > deadline:
                self.give_up(f"{left} messages had no delivery report {_GRACE_SECONDS:g} s after the delivery timeout")
        # An empty queue does not prove success: failed messages have left it too.
        self._judge()

    def _flush_for(self, seconds: float) -> int:
        try:
            left = self._open.flush(seconds)
        except DeliveryError:
            raise
        except Exception as error:  # noqa: BLE001  a callback's, or librdkafka's: the next flush() would return 0
            self.give_up(f"the producer failed, and whether the messages are on the topic is unknown: {error!r}")
        if left:
            self._check_stop()
        return left

    def _judge(self) -> None:
        found = fatal(self._failures, self._seconds)
        if found is not None:
            self.give_up(found)

    def _check_stop(self) -> None:
        try:
            self._stop.check()
        except BaseException:
            self.close()
            raise
