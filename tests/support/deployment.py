"""A real Airflow with a legacy PostgreSQL and a Kafka behind the connections that the tests' DAGs use."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.services.airflow import Airflow
from tests.services.airflow_client import AirflowClient
from tests.support.topics import Topics

DAGS = Path(__file__).parents[1] / "airflow" / "real" / "dags"
WATCHED = "watched"
"""A table that is there before Airflow: triggers look from the first moment on."""

_DATABASE = "real_airflow_legacy"
_METADATA = "real_airflow_metadata"


@dataclass(frozen=True)
class Deployment:
    """What a test of the real Airflow has.

    Attributes:
        airflow: its processes.
        client: its REST interface.
        topics: of the broker behind `kafka_default`.
        postgres: the server of the database behind `legacy_crm`.
        gates: folder of the files that `HeldOperator` looks for.
        dags: folder of its DAG files, copies that a test may break.
    """

    airflow: Airflow
    client: AirflowClient
    topics: Topics
    postgres: Any
    gates: Path
    dags: Path

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement in the legacy database."""
        return list(self.postgres.execute(statement, _DATABASE))

    def make_table(self, name: str, rows: int = 0, since: str = "2026-11-01 00:00:00+00") -> None:
        """A table with ids from 1 on, changed a second after each other."""
        _make_table(self.postgres, name)
        self.insert(name, 1, rows, since)

    def insert(self, name: str, first: int, last: int, since: str | None = None) -> None:
        """Rows with the ids from `first` to `last`; without `since` they are changed now, in order.

        Those are waited for until they are a second old: a run that is quicker leaves them to the next one.
        """
        at = "clock_timestamp()" if since is None else f"timestamptz '{since}' + make_interval(secs => n)"
        self.execute(f"INSERT INTO {name} SELECT n, 'b' || n, {at} FROM generate_series({first}, {last}) n ORDER BY n")
        if since is None:
            self.execute("SELECT pg_sleep(1.1)")

    @contextmanager
    def gated(self, *tasks: str, instances: int = 1) -> Iterator[Callable[[], Any]]:
        """Hold `HeldOperator`s, named `dag.task`, at their start; gives a function that waits until all are there."""
        closed = [self.gates / f"{task}.closed" for task in tasks]
        here = [self.gates / f"{task}.here" for task in tasks]
        for one in closed:
            one.touch()
        for one in here:
            one.write_text("")
        try:
            yield lambda: self.client.wait(
                lambda: all(len(one.read_text()) >= instances for one in here), "the tasks being there"
            )
        finally:
            for one in closed:
                one.unlink()

    @contextmanager
    def held(self, table: str) -> Iterator[None]:
        """Let whoever reads the next page of a table wait."""
        with psycopg.connect(self.postgres.dsn(_DATABASE)) as connection:
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            yield

    def ids(self, topic: str) -> list[int]:
        """The ids on a topic, in its order; none where there is no topic yet."""
        if topic not in self.topics.kafka.admin.list_topics(timeout=10).topics:
            return []
        return [one.event["data"]["id"] for one in self.topics.read(topic)]

    def event_ids(self, topic: str) -> list[str]:
        """The event ids on a topic, in its order."""
        return [one.event["id"] for one in self.topics.read(topic)]

    def watermark(self, table: str, topic: str) -> list[str] | None:
        """The values of a stream's watermark, as they stand in its Variable."""
        text = self.client.variable(f"legacy_events.watermark.legacy_crm.{table}@{topic}")
        values = None if text is None else json.loads(text)["values"]
        return None if values is None else [one["text"] for one in values]


@contextmanager
def deployment(postgres: Any, topics: Topics) -> Iterator[Deployment]:
    """Start everything; end it."""
    for name in (_METADATA, _DATABASE):
        postgres.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        postgres.execute(f"CREATE DATABASE {name}")
    _make_table(postgres, WATCHED)
    with tempfile.TemporaryDirectory(prefix="legacy-events-real-") as folder:
        gates, dags = Path(folder) / "gates", Path(folder) / "dags"
        gates.mkdir()
        shutil.copytree(DAGS, dags, ignore=shutil.ignore_patterns("__pycache__"))
        airflow = Airflow(postgres.url(_METADATA), dags, {"LEGACY_EVENTS_TEST_GATES": str(gates)})
        try:
            made = Deployment(airflow, airflow.client, topics, postgres, gates, dags)
            _connect(made)
            yield made
        finally:
            airflow.stop()
            postgres.execute(f"DROP DATABASE {_METADATA} WITH (FORCE)")
            postgres.execute(f"DROP DATABASE {_DATABASE} WITH (FORCE)")


def moment(text: str) -> dt.datetime:
    """A time of the REST interface."""
    return dt.datetime.fromisoformat(text)


def overlap(spans: list[tuple[dt.datetime, dt.datetime]]) -> bool:
    """Whether there is a moment that lies in every span."""
    return max(start for start, _ in spans) < min(end for _, end in spans)


def span(task: dict[str, Any]) -> tuple[dt.datetime, dt.datetime]:
    """From when to when a task instance ran."""
    return moment(task["start_date"]), moment(task["end_date"])


def _make_table(postgres: Any, name: str) -> None:
    columns = "id integer PRIMARY KEY, body text, updated_at timestamptz NOT NULL"
    postgres.execute(f"CREATE TABLE {name} ({columns})", _DATABASE)
    postgres.execute(f"CREATE INDEX ON {name} (updated_at, id)", _DATABASE)


def _connect(made: Deployment) -> None:
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(made.postgres.dsn(_DATABASE))
    made.client.put_connection(
        "legacy_crm",
        conn_type="postgres",
        host=str(parts["host"]),
        port=int(str(parts["port"])),
        login=str(parts["user"]),
        password=str(parts.get("password", "")) or None,
        schema=_DATABASE,
    )
    extra = {"bootstrap.servers": made.topics.kafka.bootstrap}
    made.client.put_connection("kafka_default", conn_type="kafka", extra=json.dumps(extra))
