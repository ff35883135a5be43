"""The tasks that are measured: the operators themselves, with a meter around `execute`."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from airflow.providers.apache.kafka.operators.produce import ProduceToTopicOperator
from airflow.sdk import BaseOperator

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.model import Batch, Messages, Stream
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.operators.changelog import ChangeLogDrainOperator
from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.operators.sink import TopicToTableOperator
from tests.benchmarks.legacy.base import CONN_ID, POSITION, TABLE
from tests.benchmarks.meter import DatabaseClock, Meter, answers
from tests.benchmarks.processes import cpu_of_tree

SAVES = 200


class MeteredMixin:
    """Writes down what `execute` cost, beside the report that it returned."""

    specification: dict[str, Any]

    def execute(self, context: Any) -> Any:
        with Meter() as meter:
            returned = super().execute(context)  # type: ignore[misc]
        line = {**meter.found, "report": returned, **self.extra()}
        with Path(self.specification["results"]).open("a") as file:
            file.write(json.dumps(line) + "\n")
        return returned

    def extra(self) -> dict[str, Any]:
        return {}


class Query(MeteredMixin, IncrementalQueryOperator):
    """Ours."""


class Poll(Query):
    """Ours; clocks around the source's answers and the database's calls, its server's CPU, the price of a session."""

    def execute(self, context: Any) -> Any:
        self.session_seconds = self.bare_session()
        self.database_clock, self.answer_clock = DatabaseClock(), DatabaseClock()
        self.server_before = self.server_cpu()
        make = LegacyDatabaseHook.get_database
        LegacyDatabaseHook.get_database = lambda *this, **options: self.database_clock.around(make(*this, **options))
        try:
            with answers(self.answer_clock):
                return super().execute(context)
        finally:
            LegacyDatabaseHook.get_database = make

    def extra(self) -> dict[str, Any]:
        return {
            "calls": self.database_clock.seconds,
            "answers": self.answer_clock.seconds["answers"],
            "server": [self.server_before, self.server_cpu()],
            "session": self.session_seconds,
        }

    def bare_session(self) -> float:
        """Seconds to open a session by the driver alone, and to close it."""
        url = sa.make_url(self.specification["url"])
        dialect = url.get_dialect()
        arguments, options = dialect().create_connect_args(url)
        started = time.perf_counter()
        dialect.import_dbapi().connect(*arguments, **options).close()
        return time.perf_counter() - started

    def server_cpu(self) -> float | None:
        pid = self.specification["server"]
        return None if pid is None else cpu_of_tree(pid)


class Produce(MeteredMixin, ProduceToTopicOperator):
    """The usual way."""


class KeyIds(CloudEventsEnvelope):
    """Ids that are the key alone, as of rows that never change."""

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        encode = super().compile(dataclasses.replace(shape, watermark=()), stream)
        return lambda batch: encode(dataclasses.replace(batch, op="c"))


class Drain(MeteredMixin, OutboxDrainOperator):
    """Ours, of an outbox; also when it ended."""

    def extra(self) -> dict[str, Any]:
        return {"ended": time.time()}


class Log(MeteredMixin, ChangeLogDrainOperator):
    """Ours, of a change log."""


class Sink(MeteredMixin, TopicToTableOperator):
    """Ours, the way back."""


class Saves(MeteredMixin, BaseOperator):
    """Saves of one store, one after the other."""

    def execute(self, context: Any) -> Any:
        from airflow_legacy_events.core.model import Watermark
        from airflow_legacy_events.streams.stores import open_store

        store = open_store(self.specification["store"], context=context)
        saved, seconds = None, []
        for number in range(SAVES):
            mark = Watermark((f"2026-01-01 00:00:{number:06d}", str(number)), None, self.specification["facts"])
            started = time.perf_counter()
            store.save("benchmark", mark, expected=saved)
            seconds.append(time.perf_counter() - started)
            saved = mark
        with Path(self.specification["results"]).open("a") as file:
            file.write(json.dumps({"save_ms": statistics.median(seconds) * 1000}) + "\n")


def orders(url: str, rows: int) -> Iterator[tuple[str, str]]:
    """Keys and CloudEvents, as a user of the produce operator would make them."""
    engine = sa.create_engine(url)
    table = sa.Table(TABLE, sa.MetaData(), autoload_with=engine)
    query = sa.select(table).order_by(*(table.c[name] for name in POSITION)).limit(rows)
    with engine.connect().execution_options(yield_per=10_000) as connection:
        for row in connection.execute(query).mappings():
            moment = row["updated_at"].isoformat()
            event = {
                "specversion": "1.0",
                "id": f"{row['id']}@{moment}",
                "source": f"/{CONN_ID}/{TABLE}",
                "type": f"{CONN_ID}.{TABLE}.changed",
                "subject": str(row["id"]),
                "time": moment,
                "datacontenttype": "application/json",
                "op": "u",
                "data": dict(row),
            }
            yield str(row["id"]), json.dumps(event, default=str)


def _query(kind: type[Query]) -> Callable[[dict[str, Any]], None]:
    def make(specification: dict[str, Any]) -> None:
        task = kind(
            task_id="publish",
            source_conn_id=CONN_ID,
            table=TABLE,
            watermark_columns=list(POSITION),
            envelope=(CloudEventsEnvelope if specification.get("versioned", True) else KeyIds)(
                content_type_header=specification["header"]
            ),
            **specification["arguments"],
        )
        task.specification = specification

    return make


def _plain(kind: type[Query | Drain | Log]) -> Callable[[dict[str, Any]], None]:
    """A task of our operators with nothing but the arguments of the specification."""

    def make(specification: dict[str, Any]) -> None:
        named = specification.get("task", "publish")
        task = kind(task_id=named, source_conn_id=CONN_ID, **specification["arguments"])
        task.specification = specification

    return make


def _sink(specification: dict[str, Any]) -> None:
    task = Sink(task_id="apply", target_conn_id=CONN_ID, **specification["arguments"])
    task.specification = specification


def _produce(specification: dict[str, Any]) -> None:
    task = Produce(task_id="produce", producer_function=orders, **specification["arguments"])
    task.specification = specification


def _saves(specification: dict[str, Any]) -> None:
    from airflow_legacy_events.watermarks.asset import watermark_asset

    Saves(task_id="saves", inlets=[watermark_asset("benchmark")]).specification = specification


KINDS: dict[str, Callable[[dict[str, Any]], None]] = {
    "query": _query(Query),
    "poll": _query(Poll),
    "ids": _plain(Query),
    "drain": _plain(Drain),
    "changelog": _plain(Log),
    "sink": _sink,
    "produce": _produce,
    "saves": _saves,
}
