"""The process of a task is killed around a save: nothing is lost, what repeats has the same id."""

from __future__ import annotations

import signal
import uuid
from collections import Counter

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks import codec
from tests.airflow import metadata
from tests.faults import child
from tests.support import profile
from tests.support.engines import of
from tests.support.legacy import legacy_database

ROWS, BATCHES = 50, 5
_BATCH = ROWS // BATCHES
_SECONDS = 1.0
"""A batch; twice the time between two saves, so that a machine that stands still for a moment skips none."""
DAG = """
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from tests.faults.thin_store import FileStore

with DAG({dag!r}, schedule=None):
    IncrementalQueryOperator(
        task_id="publish", source_conn_id="killed", table="orders", watermark_columns=["updated_at"], topic={topic!r},
        watermark_store=FileStore({folder!r}, {where!r}, {number}), batch_rows={batch}, rows_per_second={rate},
    )
"""
BEFORE_INSIDE_AFTER = [(where, number) for number in range(1, BATCHES + 1) for where in ("before", "inside", "after")]
DATABASES = of("sqlite", "postgresql", "mysql")
EVERY = [(database, *kill) for database in DATABASES for kill in BEFORE_INSIDE_AFTER]
SHORT = [("sqlite", "before", 1), ("postgresql-18", "inside", 3), ("mysql-9.7", "after", 5)]
CASES = EVERY if profile.LONG else SHORT
CONN_TYPES = {"sqlite": "sqlite", "postgresql": "postgres", "mysql": "mysql"}


@pytest.fixture
def orders(request):
    """A legacy table with ties over every border, behind the connection `killed`."""
    with legacy_database(request, request.param) as legacy:
        legacy.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, updated_at TIMESTAMP NOT NULL)")
        for at in range(ROWS):
            legacy.execute(f"INSERT INTO orders VALUES ({at}, '2026-01-01 00:00:{at // 15:02d}')")
        url = legacy.url
        found = {"host": url.host, "port": url.port, "login": url.username, "password": url.password}
        found = {"host": url.database} if legacy.dialect == "sqlite" else {**found, "schema": url.database}
        metadata.put_connection("killed", conn_type=CONN_TYPES[legacy.dialect], **found)
        yield


@pytest.mark.parametrize(("orders", "where", "number"), CASES, indirect=["orders"])
def test_a_killed_task_loses_nothing_and_repeats_only_what_was_not_saved(orders, topics, tmp_path, where, number):
    topic, dag = topics.make(), f"killed_{uuid.uuid4().hex[:8]}"
    metadata.put_connection(
        "kafka_default", conn_type="kafka", extra=f'{{"bootstrap.servers": "{topics.kafka.bootstrap}"}}'
    )
    names = {"dag": dag, "topic": topic, "folder": str(tmp_path), "batch": _BATCH, "rate": _BATCH / _SECONDS}

    def run(where: str = "", number: int = 0) -> int:
        text = DAG.format(where=where, number=number, **names)
        return child.run_dag(text, dag)

    assert run(where, number) == -signal.SIGKILL
    killed = topics.read(topic)
    saved = number if where == "after" else number - 1
    assert _delivered(tmp_path, topic) == saved * _BATCH
    assert len(killed) == number * _BATCH

    assert run() == 0
    again = topics.read(topic)
    assert {message.event["data"]["id"] for message in again} == set(range(ROWS))
    repeated = [found for found, count in Counter(message.event["id"] for message in again).items() if count > 1]
    published_unsaved = [message.event["id"] for message in killed[saved * _BATCH :]]
    assert sorted(repeated) == sorted(published_unsaved)
    values = {message.event["id"]: message.value for message in again}
    assert all(message.value == values[message.event["id"]] for message in again)


def _delivered(folder, stream) -> int:
    file = folder / "watermark"
    mark: Watermark = codec.decode(file.read_text(), stream=stream, place="the test's file")
    return 0 if mark.values is None else int(mark.values[1]) + 1
