"""One run of the drain of an outbox, put together from the parts as the operator does, without Airflow."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.delivery import AtLeastOnce
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.ports import Broker, Envelope, WatermarkStore
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.databases.base import SqlDatabase
from airflow_legacy_events.streams.specs.outbox import OutboxSpec
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from tests.support.engines import ENGINES

STREAM = "crm.outbox@outbox"
"""What the store calls the stream of a table `outbox`."""


@dataclass
class Drain:
    """A drain that is run again and again; its store outlives the runs.

    Attributes:
        url: SQLAlchemy URL of the database.
        broker: opened by the test.
        store: of the watermark.
        topic: a template of rows' topics.
        headers: pairs of a name and a template.
        envelope: as the operator takes it.
        stop: ends a run.
        arguments: of `OutboxSpec`; the table is `outbox` and the connection `crm` if they name no other.
    """

    url: sa.URL | str
    broker: Broker
    store: WatermarkStore = field(default_factory=MemoryWatermarkStore)
    topic: str = "outbox.event.{aggregate_type}"
    headers: tuple[tuple[str, str], ...] = ()
    envelope: str | Envelope | None = None
    dead_letter_topic: str | None = None
    stop: Stop = field(default_factory=Stop)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("tests"))
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def database(self) -> SqlDatabase[Any]:
        """A connection of the drain's own, which the caller closes."""
        url = sa.make_url(self.url)
        made = next(engine.made for engine in ENGINES.values() if engine.dialect == url.get_backend_name())
        return made(url, conn_id="crm", statement_timeout_seconds=60)

    def relay(self, database: SqlDatabase[Any], *, run: str | None = None, attempt: int = 1, **limits: Any) -> Relay:
        """The relay of one run with the given `Limits`; a test may put its own in front of the relay's parts.

        Args:
            database: of the drain.
            run: names the run to those who find the table locked; None: one of its own.
            attempt: the try; a later one of the same run ends the session of an earlier one.
        """
        asked = OutboxSpec(**{"conn_id": "crm", "table": "outbox", **self.arguments})
        asked.check(rendered=True)
        spec, bounds, run = asked.resolved(), Limits(**limits), run or uuid.uuid4().hex
        stream = spec.stream(self.topic, "d", "t")._replace(headers=self.headers)
        holder = {"dag": "d", "task": "t", "run": run, "map_index": -1, "try": attempt, "host": "h", "pid": 1}
        return Relay(
            stream=stream,
            source=spec.source(database, stream=stream, limits=bounds, log=self.log),
            envelope=spec.envelope(self.envelope),
            delivery=partial(
                AtLeastOnce,
                stream=stream.name,
                broker=self.broker,
                store=self.store,
                dead_letter_topic=self.dead_letter_topic,
                log=self.log,
            ),
            lock=lambda: database.lock(stream.name, holder, table=spec.lock_of(database)),
            facts={"topic": self.topic, "dag": "d", "task": "t", "run": run},
            remedies=spec.remedies,
            limits=bounds,
            stop=self.stop,
            log=self.log,
        )

    def run(self, **limits: Any) -> Report:
        """Run once with the given `Limits`."""
        database = self.database()
        try:
            return self.relay(database, **limits).run()
        finally:
            database.close()


def run_outbox(
    url: sa.URL | str,
    broker: Broker,
    store: WatermarkStore,
    *,
    topic: str = "outbox.event.{aggregate_type}",
    limits: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> Report:
    """Drain once; further arguments are those of `OutboxSpec`."""
    return Drain(url, broker, store, topic, arguments=arguments).run(**(limits or {}))
