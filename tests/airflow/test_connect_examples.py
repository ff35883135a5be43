"""The examples of connectors run as they stand, on a real worker."""

from __future__ import annotations

import json

import pytest

from tests.airflow import metadata
from tests.support import connectors
from tests.support.databases import fresh_database


@pytest.fixture
def erp(postgres18_logs, connect, kafka, monkeypatch):
    connectors.connection(monkeypatch, connect.url)
    broker = {"conn_type": "kafka", "extra": {"bootstrap.servers": kafka.bootstrap}}
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", json.dumps(broker))
    with fresh_database(postgres18_logs) as database, connectors.without_slots(database):
        for table in ("orders", "lines"):
            database.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, note text)")
            database.execute(f"INSERT INTO {table} SELECT g, 'x' FROM generate_series(1, 7) g")
        columns = "id varchar(42) PRIMARY KEY, type varchar(32), data varchar(2048)"
        database.execute(f"CREATE TABLE debezium_signal ({columns})")
        connectors.database_connection(monkeypatch, database.url, "postgres", "legacy_erp")
        yield database
        connect.end("erp")


def example(name):
    return metadata.run_file(metadata.EXAMPLES / f"{name}.py", name)


def test_declared_caught_up_signalled_and_restarted(erp, topics):
    ended = example("connectors")
    assert metadata.states(ended) == {"declare": "success", "caught_up": "success"}
    assert metadata.pulled(ended, "declare")["action"] == "created"
    assert len(topics.read("shop.lines")) >= 7

    sent = example("connector_snapshot")
    assert metadata.states(sent) == {"snapshot": "success"}
    assert metadata.pulled(sent, "snapshot")["tables"] == {"public.lines": {"status": "SUCCEEDED", "rows": 7}}

    restarted = example("connector_failed")
    assert metadata.pulled(restarted, "restart") == {"connector": "erp", "restarts": 0, "state": "running"}
