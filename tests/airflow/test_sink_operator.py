"""The sink inside Airflow: a table to a topic by the query operator, and the topic to another table."""

import json
import uuid

import pytest

from airflow_legacy_events.streams.directory.locks import Signature
from airflow_legacy_events.streams.directory.moves import Rewind, carry_out
from airflow_legacy_events.watermarks import registration
from tests.airflow import metadata
from tests.airflow.conftest import WAREHOUSE_ORDERS

HEAD = """
import datetime
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.operators.sink import TopicToTableOperator
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


def test_a_message_that_can_not_be_applied_fails_the_task_or_is_passed_on_as_it_is(shop, broker, warehouse, run, topic):
    warehouse.executescript(
        "DROP TABLE orders;" + WAREHOUSE_ORDERS.replace("status TEXT NOT NULL", "status TEXT CHECK (status = 'new')")
    )
    failed = run()
    assert metadata.states(failed) == {"publish": "success", "apply": "failed"}
    assert rows(warehouse) == []

    letters = f"{topic}.dead"
    broker.make(letters)
    found = report(run(dead_letter_topic=letters))
    assert (found["rows"], found["events"], found["rejected"]) == (3, 2, 1)
    assert [row[0] for row in rows(warehouse)] == [1, 3]
    (letter,) = broker.read(letters)
    assert letter.event["data"]["id"] == 2
    headers = dict(letter.headers)
    assert json.loads(headers["legacy-events-position"]) == [topic, 0, 1]
    assert headers["legacy-events-stream"] == f"{topic}@warehouse.orders"
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert "paid" not in headers["legacy-events-reason"]


REPLAY = {"replay": {"from": "2020-01-01T00:00:00+00:00", "to": "2100-01-01T00:00:00+00:00"}}


def test_a_replay_goes_into_its_own_table_and_leaves_the_position(shop, broker, warehouse, run, topic):
    refused = run(REPLAY)
    assert metadata.states(refused)["apply"] == "failed"
    live = report(run(replay_table="again"))
    warehouse.executescript(WAREHOUSE_ORDERS.replace("orders", "again"))
    warehouse.execute("UPDATE orders SET status = 'kept'")

    found = report(run(REPLAY, replay_table="again"))

    sent = 3 * 3  # by each run, two of which replayed the table as well
    assert (found["mode"], found["rows"], found["tables"]) == ("replay", sent, {"again": {"upserted": 3, "deleted": 0}})
    assert rows(warehouse, "again") == rows(shop)
    assert {row[2] for row in rows(warehouse)} == {"kept"}
    marks = dict(warehouse.execute("SELECT stream, watermark FROM legacy_events_watermarks"))
    assert list(marks) == [live["stream"]]
    assert report(run())["watermark_from"] == live["watermark_to"]


def test_a_table_that_was_emptied_is_noticed_and_a_rewound_stream_fills_it(shop, broker, warehouse, run, topic):
    run()
    warehouse.execute("DELETE FROM orders")
    emptied = run()
    assert metadata.states(emptied)["apply"] == "failed"

    with metadata.as_server():
        carry_out(f"{topic}@warehouse.orders", Rewind(by="1h"), Signature("ann", "now", "(test)"))
    assert report(run())["tables"] == {"orders": {"upserted": 3, "deleted": 0}}
    assert rows(warehouse) == rows(shop)


def test_a_run_that_changed_rows_wakes_what_waits_for_the_table(shop, broker, warehouse, run, topic, tmp_path):
    ((uri, extra, aliases),) = [one for one in metadata.asset_events(run()) if not one[0].startswith("kafka:")]
    quiet = [one for one in metadata.asset_events(run()) if not one[0].startswith("kafka:")]

    assert uri == f"sqlite:{tmp_path}/warehouse.db/orders"
    assert (extra["stream"], extra["rows"]) == (f"{topic}@warehouse.orders", 3)
    assert aliases == ["legacy-events:warehouse.orders"]
    assert quiet == []


def test_each_mapped_task_has_partitions_and_a_stream_of_its_own(shop, broker, warehouse):
    topic = broker.make(partitions=3)
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    text = f"""{HEAD}
with DAG({dag_id!r}, schedule=None):
    publish = IncrementalQueryOperator(task_id="publish", topic={topic!r}, source_conn_id="legacy_shop",
        table="orders", watermark_columns=["updated_at"], topic_partitions=3, retries=0)
    publish >> TopicToTableOperator.partial(
        task_id="apply", retries=0, topics={topic!r}, target_conn_id="warehouse", table="orders", on_busy="wait"
    ).expand(partitions=[[0, 1], [2]])
"""
    ended = metadata.run_dag(text, dag_id)

    found = [metadata.pulled(ended, "apply", map_index=at) for at in (0, 1)]
    assert [one["stream"] for one in found] == [f"{topic}@warehouse.orders[0,1]", f"{topic}@warehouse.orders[2]"]
    assert sum(one["rows"] for one in found) == 3
    assert rows(warehouse) == rows(shop)
