"""The process of a task is killed around a save: nothing is lost, what repeats has the same id."""

from __future__ import annotations

import os
import signal
import sqlite3
import uuid
from collections import Counter

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks import codec
from tests.airflow import metadata
from tests.faults import child

ROWS, BATCHES = 50, 5
_BATCH = ROWS // BATCHES
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
SHORT = [("before", 1), ("inside", 3), ("after", 5)]
CASES = BEFORE_INSIDE_AFTER if os.environ.get("LEGACY_EVENTS_TEST_PROFILE") == "long" else SHORT


@pytest.fixture
def orders(tmp_path):
    """A legacy table with ties over every border, behind the connection `killed`."""
    file = tmp_path / "legacy.db"
    with sqlite3.connect(file) as legacy:
        legacy.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, updated_at TIMESTAMP NOT NULL)")
        rows = [(at, f"2026-01-01 00:00:{at // 15:02d}") for at in range(ROWS)]
        legacy.executemany("INSERT INTO orders VALUES (?, ?)", rows)
    metadata.put_connection("killed", conn_type="sqlite", host=str(file))


@pytest.mark.parametrize(("where", "number"), CASES)
def test_a_killed_task_loses_nothing_and_repeats_only_what_was_not_saved(orders, topics, tmp_path, where, number):
    topic, dag = topics.make(), f"killed_{uuid.uuid4().hex[:8]}"
    metadata.put_connection(
        "kafka_default", conn_type="kafka", extra=f'{{"bootstrap.servers": "{topics.kafka.bootstrap}"}}'
    )
    names = {"dag": dag, "topic": topic, "folder": str(tmp_path), "batch": _BATCH, "rate": _BATCH / 0.6}

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
