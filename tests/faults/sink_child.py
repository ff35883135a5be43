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

import sqlalchemy as sa

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.brokers.kafka.reading.reader import KafkaReader
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.core.sink.delivery import AppliedDelivery
from airflow_legacy_events.envelopes.decoding.decoding import Decoding
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions
from airflow_legacy_events.hooks.registry import DECODERS, TARGETS, resolve
from airflow_legacy_events.sources.topic.source import TopicSource
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.faults.forks import LogLines, Told, serve
from tests.faults.sink_jobs import STREAM, QueryJob, SinkJob
from tests.faults.thin_store import FileStore
from tests.support.streams import Deliveries


class _Lease:
    """No lock at all: what is delivered rests on the position alone."""

    def check(self) -> None:
        """Nothing is held, so nothing can be lost."""


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
    log, url = logging.getLogger("sink"), sa.make_url(job.url)
    target = resolve(TARGETS[job.kind])("dwh", url, statement_timeout=dt.timedelta(seconds=60), log=log)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    reader = KafkaReader({"bootstrap.servers": job.bootstrap}, log)
    decoding = Decoding(resolve(DECODERS[job.envelope])(), target, DecodingOptions(**job.arguments), log=log)
    limits = Limits(batch_rows=job.batch_rows)
    relay = Relay(
        stream=Stream(STREAM, "", "/", "copied"),
        source=TopicSource(reader=reader, topics=[job.topic], stream=STREAM, limits=limits, log=log),
        envelope=decoding,
        delivery=lambda name, _, lease: AppliedDelivery(
            name,
            lease,
            target=_Target(target, told),  # type: ignore[arg-type]
            positions=_Positions(TargetPositions(engine, "dwh"), told),  # type: ignore[arg-type]
            log=log,
        ),
        lock=lambda: contextlib.nullcontext(_Lease()),  # type: ignore[arg-type]
        facts={"kind": "topic"},
        limits=limits,
        log=log,
    )
    try:
        decoding.open()
        return relay.run()
    finally:
        target.close()
        reader.close()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), _run)
