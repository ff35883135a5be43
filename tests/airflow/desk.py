"""A legacy file, a topic and an operator, for tests of what people get wrong."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec

from airflow_legacy_events.operators.query import IncrementalQueryOperator
from tests.airflow import metadata

SECRET, VALUE = "hunter2-secret", "classified-4711"
RENDERED = {"source_timezone", "exclude_columns"}
KAFKA = '{"bootstrap.servers": "%s", "group.id": "ignored", "auto.offset.reset": "earliest", "max.poll.interval.ms": 9}'


class Outlet:
    """An alias that takes events."""

    def add(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""


@dataclass
class Desk:
    """A legacy file, a topic, and an operator that somebody writes.

    Attributes:
        file: of the SQLite database.
        rows: the application's own connection to it.
    """

    file: Any
    rows: sqlite3.Connection
    topics: Any
    topic: str
    pushed: dict[str, Any] = field(default_factory=dict)

    def operator(self, **arguments: Any) -> IncrementalQueryOperator:
        given = {"source_conn_id": "misused", "table": "orders", "topic": self.topic, "watermark_columns": ["id"]}
        given |= {"broker_conn_id": "misused_kafka", "delivery_timeout": dt.timedelta(seconds=5)} | arguments
        return IncrementalQueryOperator(task_id="publish", **{k: v for k, v in given.items() if v is not ...})

    def run(self, run_type: str = "manual", **arguments: Any) -> dict[str, Any]:
        """Execute as a task does; return the report."""
        ti = SimpleNamespace(dag_id="d", task_id="publish", run_id="r", map_index=-1, try_number=1)
        ti.xcom_push = lambda key, value: self.pushed.update({key: value})
        dag_run = SimpleNamespace(
            run_type=run_type, run_id="r", conf={}, data_interval_start=None, data_interval_end=None
        )
        context: Any = {"ti": ti, "dag_run": dag_run, "outlet_events": defaultdict(Outlet)}
        written = {name: value for name, value in arguments.items() if name not in RENDERED}
        operator = self.operator(**written)
        for name in RENDERED & arguments.keys():  # a template when the DAG was loaded
            setattr(operator, name, arguments[name])
        with metadata.as_task():
            return operator.execute(context)

    @property
    def stream(self) -> str:
        return f"misused.orders@{self.topic}"

    def sent(self) -> int:
        """How many messages lie on the topic."""
        place = TopicPartition(self.topic, 0)
        return self.topics.kafka.admin.list_offsets({place: OffsetSpec.latest()})[place].result(10).offset

    def kept(self) -> dict[str, str]:
        """What is kept of the streams of this topic."""
        return {key: text for key, text in metadata.variables().items() if self.topic in key}


@contextmanager
def made_desk(folder: Path, topics: Any, topic: str) -> Iterator[Desk]:
    """A desk whose rows and password must never be told."""
    with closing(sqlite3.connect(folder / "crm.db", isolation_level=None)) as rows:
        rows.executescript(
            f"""
            CREATE TABLE orders (id INTEGER PRIMARY KEY, body TEXT, at TIMESTAMP, doc JSON, code TEXT);
            INSERT INTO orders VALUES (1, '{VALUE}', '2026-01-01 10:00:00', '{{"a": "{VALUE}"}}', '{VALUE}'),
                                      (2, '{VALUE}', NULL, NULL, NULL);
            CREATE VIEW all_orders AS SELECT * FROM orders;
            """
        )
        metadata.put_connection("misused", conn_type="sqlite", host=str(folder / "crm.db"), password=SECRET)
        metadata.put_connection("misused_kafka", conn_type="kafka", extra=KAFKA % topics.kafka.bootstrap)
        yield Desk(folder / "crm.db", rows, topics, topic)
