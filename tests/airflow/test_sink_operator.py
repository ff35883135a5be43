"""The sink inside Airflow: a table to a topic by the query operator, and the topic to another table."""

import json
import sqlite3
import uuid

import pytest

from airflow_legacy_events.watermarks import registration
from tests.airflow import metadata

HEAD = """
import datetime
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.operators.sink import TopicToTableOperator
"""
ORDERS = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status TEXT NOT NULL,
                     total TEXT, updated_at TEXT NOT NULL);
"""


def words(arguments):
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items() if value is not None)


def dag_text(dag_id, topic, **arguments):
    taken = {"topics": topic, "target_conn_id": "warehouse", "table": "orders"} | arguments
    return f"""{HEAD}
with DAG({dag_id!r}, schedule=None):
    publish = IncrementalQueryOperator(task_id="publish", topic={topic!r}, source_conn_id="legacy_shop",
        table="orders", watermark_columns=["updated_at"], topic_partitions=3, retries=0)
    publish >> TopicToTableOperator(task_id="apply", retries=0, {words(taken)})
"""


@pytest.fixture
def warehouse(tmp_path):
    """Another database in SQLite, behind the connection `warehouse`."""
    connection = sqlite3.connect(tmp_path / "warehouse.db", isolation_level=None)
    connection.executescript(ORDERS)
    metadata.put_connection("warehouse", conn_type="sqlite", host=str(tmp_path / "warehouse.db"))
    yield connection
    connection.close()


@pytest.fixture
def run(topic):
    """Returns a function that runs a DAG of both operators on `topic`."""
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"

    def run(conf=None, **arguments):
        return metadata.run_dag(dag_text(dag_id, topic, **arguments), dag_id, run_conf=conf)

    run.dag_id = dag_id
    return run


def rows(connection, table="orders"):
    return connection.execute(f"SELECT id, customer_id, status FROM {table} ORDER BY id").fetchall()


def report(run):
    return metadata.pulled(run, "apply") or metadata.pulled(run, "apply", key="report")


def test_a_table_becomes_equal_to_the_one_that_its_topic_comes_from(shop, broker, warehouse, run, topic):
    first = report(run())
    shop.execute("INSERT INTO orders VALUES (4, 2, 'new', '1.50', '2026-11-03 08:00:00')")
    shop.execute("UPDATE orders SET status = 'paid', updated_at = '2026-11-04 08:00:00' WHERE id = 1")
    second = report(run())
    third = report(run())

    assert rows(warehouse) == rows(shop)
    stream = f"{topic}@warehouse.orders"
    assert [one["stream"] for one in (first, second, third)] == [stream] * 3
    assert [one["rows"] for one in (first, second, third)] == [3, 2, 0]
    assert [one["tables"] for one in (first, second)] == [
        {"orders": {"upserted": 3, "deleted": 0}},
        {"orders": {"upserted": 2, "deleted": 0}},
    ]
    assert third["tables"] == {}
    assert first["completeness"] == "exact", first["completeness_reason"]
    kept = warehouse.execute("SELECT watermark FROM legacy_events_watermarks WHERE stream = ?", [stream]).fetchone()
    mark = json.loads(kept[0])
    assert [one["text"] for one in mark["values"]] == second["watermark_to"] == third["watermark_to"]
    assert (mark["facts"]["kind"], mark["facts"]["source"]) == ("topic", "warehouse")
    with metadata.as_server():
        found = registration.read_registration(stream)
    assert (found.store, found.dag, found.task) == ("table:warehouse", run.dag_id, "apply")
