"""One run of one stream, put together from the parts as the operator does, without Airflow."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.delivery import AtLeastOnce
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Repeat, Stream
from airflow_legacy_events.core.ports import BrokerClient, Envelope, WatermarkStore
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.sources.query import QuerySource
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from tests.support.engines import ENGINES


@dataclass
class Deliveries:
    """A stream that is run again and again; its store outlives the runs.

    Attributes:
        url: SQLAlchemy URL of the legacy database.
        broker: opened by the test.
        table: what is delivered.
        topic: where to.
        options: further arguments of `QuerySource`.
    """

    url: str
    broker: BrokerClient
    topic: str
    table: str | None = "orders"
    name: str = "legacy.orders@topic"
    envelope: Envelope = field(default_factory=CloudEventsEnvelope)
    store: WatermarkStore = field(default_factory=MemoryWatermarkStore)
    dead_letter_topic: str | None = None
    source_timezone: str = "UTC"
    completeness: str = "best_effort"
    options: Mapping[str, Any] = field(default_factory=dict)

    def run(self, *, attempt: int = 1, stop: Stop | None = None, repeat: Repeat | None = None, **limits: Any) -> Report:
        """Run once with the given `Limits`; live, or what is sent again."""
        url = sa.make_url(self.url)
        made = next(engine.made for engine in ENGINES.values() if engine.dialect == url.get_backend_name())
        database = made(url, conn_id="legacy", statement_timeout_seconds=60)
        bounds = Limits(**limits)
        source = QuerySource(
            database=database,
            stream=self.name,
            source="legacy",
            table=self.table,
            limits=bounds,
            source_timezone=self.source_timezone,
            **self.options,
        )
        holder = {"dag": "d", "task": "t", "run": "r", "map_index": -1, "try": attempt, "host": "h", "pid": 1}
        relay = Relay(
            stream=Stream(self.name, self.topic, "/legacy/orders", "legacy.orders.changed", self.source_timezone),
            source=source,
            envelope=self.envelope,
            delivery=partial(
                AtLeastOnce,
                stream=self.name,
                broker=self.broker,
                store=self.store,
                dead_letter_topic=self.dead_letter_topic,
                log=logging.getLogger("tests"),
            ),
            lock=lambda: database.lock(self.name if repeat is None else repeat.progress, holder),
            facts={
                "topic": self.topic,
                "topic_id": self.broker.topic_id(self.topic),
                "dag": "d",
                "task": "t",
                "run": f"r{dt.datetime.now(dt.UTC):%H%M%S%f}",
            },
            limits=bounds,
            repeat=repeat,
            completeness=self.completeness,
            stop=stop or Stop(),
            log=logging.getLogger("tests"),
        )
        try:
            return relay.run()
        finally:
            database.close()
