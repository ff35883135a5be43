"""Drains in processes of their own, which tell each step and can be stopped at it: `python -m` this serves forks.

Nothing but a fork costs a test time: what a drain imports is imported once, before any thread or connection is there.
"""

from __future__ import annotations

import datetime as dt
import logging
import socket
import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import airflow_legacy_events.brokers.kafka.producer
import airflow_legacy_events.sources.outbox.source  # noqa: F401
from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.core.errors import BusyError, LegacyEventsError
from airflow_legacy_events.core.model import Messages, Watermark
from tests.faults.forks import LogLines, Told, serve
from tests.faults.thin_store import FileStore
from tests.support.outbox import Drain

STEPS = ("read", "published", "saved", "changed", "acknowledged")
"""What a drain tells, batch by batch; `changed` is behind the DELETE or UPDATE, before its transaction commits."""


@dataclass(frozen=True)
class Job:
    """What one drain does.

    Attributes:
        url: of the database.
        bootstrap: of the broker.
        folder: of the store.
        topic: template of the rows' topics.
        run: names it to others.
        attempt: the try of that run; a later one ends what is left of an earlier one.
        stops: steps at which it waits until it is told to go on.
        arguments: of `OutboxSpec`.
        limits: of the run.
    """

    url: str
    bootstrap: str
    folder: str
    topic: str
    run: str = "the-run"
    attempt: int = 1
    stops: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)


class _Broker:
    def __init__(self, broker: KafkaBroker, told: Told) -> None:
        self._broker, self._told, self._sent = broker, told, False

    def refused(self, messages: Messages) -> Any:
        return self._broker.refused(messages)

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        self._told.step("read")
        self._broker.publish(messages, left_out)
        self._sent = True

    def confirm(self) -> Any:
        rejected = self._broker.confirm()
        if self._sent:
            self._sent = False
            self._told.step("published")
        return rejected

    def remade(self) -> Any:
        return self._broker.remade()


class _Store(FileStore):
    def __init__(self, folder: str, told: Told) -> None:
        super().__init__(folder)
        self._told = told

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        super().save(stream, new, expected=expected)
        if new.receipt is not None:
            self._told.step("saved")


class _Source:
    def __init__(self, source: Any, told: Told) -> None:
        self._source, self._told = source, told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def acknowledge(self, receipt: Any, lease: Any, *, again: bool = False) -> None:
        self._source.acknowledge(receipt, _Lease(lease, self._told), again=again)
        self._told.step("acknowledged")


class _Lease:
    def __init__(self, lease: Any, told: Told) -> None:
        self._lease, self._told = lease, told

    def execute(self, statements: Sequence[Any]) -> list[Any]:
        return self._lease.execute([*statements, lambda _: self._told.step("changed")])[:-1]


def _drain(connection: Connection) -> None:
    job: Job = connection.recv()
    told, log = Told(connection, job.stops), LogLines()
    logging.basicConfig(level=logging.INFO, handlers=[log], force=True)
    kafka = KafkaBroker({"bootstrap.servers": job.bootstrap}, delivery_timeout=dt.timedelta(seconds=60), topics=())
    drain = Drain(job.url, _Broker(kafka, told), _Store(job.folder, told), job.topic, arguments=job.arguments)
    database = drain.database()
    try:
        kafka.open()
        relay = drain.relay(database, run=job.run, attempt=job.attempt, **job.limits)
        relay.source = _Source(relay.source, told)  # type: ignore[assignment]
        connection.send(("ended", relay.run(), log.lines))
    except LegacyEventsError as error:
        holder = error.holder if isinstance(error, BusyError) else None
        connection.send(("failed", (type(error).__name__, str(error), holder), log.lines))
    finally:
        database.close()
        kafka.close()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), _drain)
