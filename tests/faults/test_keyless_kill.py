"""The process of a task that sends rows without a key is killed: each copy arrives, what repeats has the same id."""

from __future__ import annotations

import signal
import uuid
from collections import Counter

import pytest

from tests.airflow import metadata
from tests.faults import child
from tests.faults.test_kill import CONN_TYPES
from tests.support import profile
from tests.support.engines import of
from tests.support.legacy import legacy_database

TICKS, COPIES = 3, 8
_BATCH = 4
DAG = """
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from tests.faults.thin_store import FileStore

with DAG({dag!r}, schedule=None):
    IncrementalQueryOperator(
        task_id="publish", source_conn_id="killed", table="log_lines", watermark_columns={watermark!r}, key_columns=[],
        topic={topic!r}, watermark_store=FileStore({folder!r}, {where!r}, {number}), batch_rows={batch},
        rows_per_second={batch}, source_timezone="UTC",
    )
"""
DATABASES = of("sqlite", "postgresql", "mysql")
EVERY = [
    (database, watermark, where, number)
    for database in DATABASES
    for watermark in ([], ["moment"])
    for number in (2, 4)
    for where in ("before", "inside", "after")
]
SHORT = [("postgresql-18", ["moment"], "inside", 2)]


@pytest.fixture
def log_lines(request):
    """A table of equal rows, behind the connection `killed`."""
    with legacy_database(request, request.param) as legacy:
        legacy.execute("CREATE TABLE log_lines (moment TIMESTAMP NOT NULL, line varchar(20))")
        for at in range(TICKS * COPIES):
            legacy.execute(f"INSERT INTO log_lines VALUES ('2026-01-01 00:00:{at // COPIES:02d}', 'same')")
        url = legacy.url
        found = {"host": url.host, "port": url.port, "login": url.username, "password": url.password}
        found = {"host": url.database} if legacy.dialect == "sqlite" else {**found, "schema": url.database}
        metadata.put_connection("killed", conn_type=CONN_TYPES[legacy.dialect], **found)
        yield


@pytest.mark.parametrize(
    ("log_lines", "watermark", "where", "number"), EVERY if profile.LONG else SHORT, indirect=["log_lines"]
)
def test_each_copy_arrives_though_the_task_is_killed(log_lines, topics, tmp_path, watermark, where, number):
    topic, dag = topics.make(), f"killed_{uuid.uuid4().hex[:8]}"
    metadata.put_connection(
        "kafka_default", conn_type="kafka", extra=f'{{"bootstrap.servers": "{topics.kafka.bootstrap}"}}'
    )
    names = {"dag": dag, "topic": topic, "folder": str(tmp_path), "batch": _BATCH, "watermark": watermark}

    assert child.run_dag(DAG.format(where=where, number=number, **names), dag) == -signal.SIGKILL
    killed = [message.event["id"] for message in topics.read(topic)]
    assert killed
    assert child.run_dag(DAG.format(where="", number=0, **names), dag) == 0

    messages = topics.read(topic)
    values = {message.event["id"]: message.value for message in messages}
    assert len(values) == TICKS * COPIES
    assert Counter(message.event["data"]["line"] for message in messages)["same"] == len(messages)
    assert all(message.value == values[message.event["id"]] for message in messages)
    assert {message.key for message in messages} == {None}
    repeated = [found for found, count in Counter(message.event["id"] for message in messages).items() if count > 1]
    assert set(repeated) <= set(killed)
