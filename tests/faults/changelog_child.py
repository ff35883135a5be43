"""Runs of a change log in processes of their own, which die where they are told to, or when the test kills them."""

from __future__ import annotations

import datetime as dt
import json
import logging
import multiprocessing
import os
import signal
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.core.delivery import AtLeastOnce
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Delivered, Messages, Watermark
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.streams.specs.changelog import ChangeLogSpec
from airflow_legacy_events.watermarks import codec
from tests.faults.thin_store import FileStore
from tests.support.engines import ENGINES

STEPS = ("sending", "sent", "confirmed", "saving", "saved", "acknowledging", "acknowledged")
"""Where a run can be told to die, batch by batch."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Job:
    """What one run does.

    Attributes:
        engine: of the database; see `tests.support.engines`.
        url: of the database.
        bootstrap: of the broker.
        folder: of the store, and of what the run notes.
        topic: template.
        tables: of the stream.
        slot: of the stream; None where there is none.
        attempt: the try of one run; a later one ends what is left of an earlier one.
        batch_rows: of the run.
        leg_seconds: of its legs.
        delivery_seconds: of the delivery timeout.
        die: step and how often it is reached before the run dies there; None: it lives.
    """

    engine: str
    url: str
    bootstrap: str
    folder: str
    topic: str
    tables: tuple[str, ...]
    slot: str | None
    attempt: int = 1
    batch_rows: int = 100
    leg_seconds: float = 0.05
    delivery_seconds: int = 60
    die: tuple[str, int] | None = None


def start(job: Job) -> Any:
    """Start a run; return its process."""
    process = _CONTEXT.Process(target=_run, args=(job,), daemon=True)
    process.start()
    return process


class _Steps:
    def __init__(self, die: tuple[str, int] | None) -> None:
        self._die, self._reached = die, 0

    def at(self, step: str) -> None:
        if self._die is not None and step == self._die[0]:
            self._reached += 1
            if self._reached == self._die[1]:
                os.kill(os.getpid(), signal.SIGKILL)


class _Broker:
    def __init__(self, broker: KafkaBroker, steps: _Steps) -> None:
        self._broker, self._steps = broker, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        self._steps.at("sending")
        self._broker.publish(messages, left_out)
        self._steps.at("sent")

    def confirm(self) -> Any:
        found = self._broker.confirm()
        self._steps.at("confirmed")
        return found


class _Store(FileStore):
    def __init__(self, folder: str, steps: _Steps) -> None:
        super().__init__(folder)
        self._steps = steps

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        self._steps.at("saving")
        super().save(stream, new, expected=expected)
        self._steps.at("saved")


class _Source:
    def __init__(self, source: Any, steps: _Steps) -> None:
        self._source, self._steps = source, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def acknowledge(self, receipt: Any, lease: Any, *, again: bool = False) -> None:
        self._steps.at("acknowledging")
        self._source.acknowledge(receipt, lease, again=again)
        self._steps.at("acknowledged")


class _Notes:
    """Notes before each save how many messages of each topic it covers; see `covered`."""

    def __init__(self, folder: str) -> None:
        self._file = Path(folder) / "notes"
        self._file.write_text("")

    def loaded(self, at: Watermark | None) -> None:
        """Nothing is covered yet."""

    def saving(self, new: Watermark, delivered: Delivered) -> None:
        with self._file.open("a") as file:
            file.write(json.dumps([codec.encode(new), dict(delivered.topics)]) + "\n")

    def saved(self, new: Watermark) -> None:
        """The store's file says so."""


def covered(folder: str) -> Mapping[str, int]:
    """Return how many messages of each topic, of those that the last run sent, the stored watermark covers."""
    file, stored = Path(folder) / "notes", Path(folder) / "watermark"
    noted = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    text = stored.read_text() if stored.exists() else None
    return next((topics for mark, topics in reversed(noted) if mark == text), {})


def _run(job: Job) -> None:
    logging.basicConfig(level=logging.WARNING, filename=Path(job.folder) / "log", force=True)
    steps = _Steps(job.die)
    timeout = dt.timedelta(seconds=job.delivery_seconds)
    kafka = KafkaBroker({"bootstrap.servers": job.bootstrap}, delivery_timeout=timeout, topics=())
    url = sa.make_url(job.url)
    database = ENGINES[job.engine].made(url, conn_id="crm", statement_timeout_seconds=60)
    try:
        kafka.open()
        _relay(job, database, kafka, steps).run()
    finally:
        database.close()
        kafka.close()


def _relay(job: Job, database: Any, kafka: KafkaBroker, steps: _Steps) -> Relay:
    spec = ChangeLogSpec(conn_id="crm", tables=job.tables, slot=job.slot, dag_id="d", task_id="t").behind(database)
    spec.check(rendered=True)
    limits, log = Limits(batch_rows=job.batch_rows), logging.getLogger("tests")
    stream = spec.stream(job.topic, "d", "t")
    source: Any = spec.source(database, stream=stream, limits=limits, log=log)
    source.leg_seconds = job.leg_seconds
    holder = {"dag": "d", "task": "t", "run": "r", "map_index": -1, "try": job.attempt, "host": "h", "pid": os.getpid()}
    store, notes = _Store(job.folder, steps), _Notes(job.folder)
    broker: Any = _Broker(kafka, steps)
    return Relay(
        stream=stream,
        source=_Source(source, steps),  # type: ignore[arg-type]
        envelope=spec.envelope(None),
        delivery=partial(AtLeastOnce, stream=stream.name, broker=broker, store=store, observers=(notes,), log=log),
        lock=lambda: database.lock(stream.name, holder),
        facts={"topic": job.topic, "dag": "d", "task": "t", "run": "r"},
        remedies=spec.remedies,
        limits=limits,
        log=log,
    )
