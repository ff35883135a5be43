"""Runs of a sink in processes of their own, which tell each step and can be stopped at it."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.brokers.kafka.reading.reader import KafkaReader
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.sink.delivery import AppliedDelivery
from airflow_legacy_events.envelopes.decoders.plain import PlainDecoder
from airflow_legacy_events.envelopes.decoding.decoding import Decoding
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions
from airflow_legacy_events.hooks.registry import TARGETS, resolve
from airflow_legacy_events.sources.topic.source import TopicSource
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.faults.forks import LogLines, Told, serve

STREAM = "copied@dwh.copied"
STEPS = ("begun", "applied", "saved", "committed")
"""What a run tells, batch by batch: its transaction is open, has the rows, has the position too, is committed."""


@dataclass(frozen=True)
class SinkJob:
    """What one run does.

    Attributes:
        kind: of the target, as the registry names it.
        url: of the target.
        bootstrap: of the broker.
        topic: that is read.
        batch_rows: of a transaction.
        stops: steps at which it waits.
    """

    kind: str
    url: str
    bootstrap: str
    topic: str
    batch_rows: int = 50
    stops: tuple[str, ...] = ()


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


def _apply(connection: Connection) -> None:
    job: SinkJob = connection.recv()
    told, lines = Told(connection, job.stops), LogLines()
    logging.basicConfig(level=logging.INFO, handlers=[lines], force=True)
    log = logging.getLogger("sink")
    url = sa.make_url(job.url)
    target = resolve(TARGETS[job.kind])("dwh", url, statement_timeout=dt.timedelta(seconds=60), log=log)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    reader = KafkaReader({"bootstrap.servers": job.bootstrap}, log)
    options = DecodingOptions(table="copied", mode="append", metadata_columns={"partition": "part", "offset": "place"})
    decoding = Decoding(PlainDecoder(), target, options, log=log)
    limits = Limits(batch_rows=job.batch_rows)
    source = TopicSource(reader=reader, topics=[job.topic], stream=STREAM, limits=limits, log=log)
    relay = Relay(
        stream=Stream(STREAM, "", "/", "copied"),
        source=source,
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
        connection.send(("ended", relay.run(), lines.lines))
    except LegacyEventsError as error:
        connection.send(("failed", (type(error).__name__, str(error), None), lines.lines))
    finally:
        target.close()
        reader.close()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), _apply)
