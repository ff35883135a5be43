"""Runs of a sink, which tell each step and can be stopped at it, and of a query, in processes of their own."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import socket
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.brokers.kafka.reading.reader import KafkaReader
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.faults.forks import LogLines, Told, serve
from tests.faults.sink_jobs import STREAM, QueryJob, SinkJob
from tests.faults.thin_store import FileStore
from tests.support.streams import Deliveries
from tests.support.way_back import run_sink


class _Target:
    def __init__(self, target: Any, told: Told) -> None:
        self._target, self._told = target, told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Any]:
        with self._target.transaction() as unit:
            self._told.step("begun")
            yield _Unit(unit, self._told)
        self._told.step("committed")


class _Unit:
    def __init__(self, unit: Any, told: Told) -> None:
        self._unit, self._told = unit, told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    def apply(self, states: Any) -> Any:
        counts = self._unit.apply(states)
        self._told.step("applied")
        return counts


class _Positions:
    def __init__(self, positions: TargetPositions, told: Told) -> None:
        self._positions, self._told = positions, told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._positions, name)

    def save(self, unit: Any, stream: str, new: Any, *, expected: Any) -> None:
        self._positions.save(unit, stream, new, expected=expected)
        self._told.step("saved")


def _run(connection: Connection) -> None:
    job = connection.recv()
    lines = LogLines()
    logging.basicConfig(level=logging.INFO, handlers=[lines], force=True)
    try:
        report = _publish(job) if isinstance(job, QueryJob) else _apply(job, Told(connection, job.stops))
        connection.send(("ended", report, lines.lines))
    except LegacyEventsError as error:
        connection.send(("failed", (type(error).__name__, str(error), None), lines.lines))


def _publish(job: QueryJob) -> Report:
    broker = KafkaBroker(
        {"bootstrap.servers": job.bootstrap}, delivery_timeout=dt.timedelta(seconds=60), topics=[job.topic]
    )
    broker.open()
    try:
        stream = Deliveries(job.url, broker, job.topic, store=FileStore(job.folder))
        stream.options = {"watermark_columns": ("at", "id")}
        return stream.run(attempt=job.attempt, batch_rows=job.batch_rows)
    finally:
        broker.close()


def _apply(job: SinkJob, told: Told) -> Report:
    return run_sink(
        KafkaReader({"bootstrap.servers": job.bootstrap}, logging.getLogger("sink")),
        job.topic,
        job.url,
        job.envelope,
        STREAM,
        job.batch_rows,
        job.arguments,
        around=lambda target: _Target(target, told),
        around_positions=lambda positions: _Positions(positions, told),
    )


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), _run)
