"""The store in XComs, when the only run that holds the watermark is worked on again: no silent full load."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from tests.airflow import metadata
from tests.airflow.scheduler import Dag

FIRST = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
NEW = "INSERT INTO orders VALUES (4, 1, 'new', NULL, '2026-11-03 08:00:00')"


@pytest.fixture
def write(topic, shop, broker):
    """Returns a function that writes the DAG."""
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"

    def write(**arguments):
        words = {"watermark_store": "xcom", "topic": topic, "watermark_columns": ["updated_at"]} | arguments
        more = ", ".join(f"{name}={value!r}" for name, value in words.items())
        return Dag.write(
            f"""
import datetime as dt
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
with DAG({dag_id!r}, schedule=None, start_date=dt.datetime(2026, 10, 1, tzinfo=dt.timezone.utc)):
    IncrementalQueryOperator(task_id="publish", source_conn_id="legacy_shop", table="orders", {more})
""",
            dag_id,
        )

    return write


def run(dag, day):
    date = FIRST + day * DAY
    return dag.run("scheduled", logical_date=date, interval=(date, date + DAY))


def state(ended):
    return metadata.states(ended)["publish"]


def ids(messages):
    return [message.event["data"]["id"] for message in messages]


@pytest.mark.airflow33
def test_a_run_that_is_repeated_keeps_its_watermark(write, shop, broker, topic):
    dag = write(on_clear="repeat")
    only = run(dag, 0)
    assert metadata.pulled(dag.clear(only), "publish")["mode"] == "rerun"
    shop.execute(NEW)

    assert state(run(dag, 1)) == "success"
    assert ids(broker.read(topic)) == [1, 2, 3, 1, 2, 3, 4]


@pytest.mark.airflow33
def test_a_live_run_that_a_backfill_processes_again_keeps_its_watermark(write, shop, broker, topic):
    dag = write()
    only = run(dag, 0)
    assert metadata.pulled(dag.clear(only, "backfill"), "publish")["mode"] == "replay"
    shop.execute(NEW)

    assert state(run(dag, 1)) == "success"
    assert ids(broker.read(topic)) == [1, 2, 3, 1, 2, 4]


@pytest.mark.parametrize("on_clear", [pytest.param("repeat", marks=pytest.mark.airflow33), "resume"])
def test_while_the_only_success_is_none_any_more_no_other_run_begins_again(write, shop, broker, topic, on_clear):
    dag = write(on_clear=on_clear)
    only = run(dag, 0)
    shop.execute("ALTER TABLE orders RENAME TO hidden")
    assert state(dag.clear(only)) == "failed"
    shop.execute("ALTER TABLE hidden RENAME TO orders")
    shop.execute(NEW)
    next_run = run(dag, 1)
    assert (state(next_run), ids(broker.read(topic))) == ("failed", [1, 2, 3])

    dag.clear(only)
    assert state(dag.clear(next_run)) == "success"
    assert sorted(ids(broker.read(topic))) == [1, 1, 2, 2, 3, 3, 4]


def test_a_watermark_that_was_copied_here_does_not_vanish_with_its_run(write, shop, broker, topic):
    last = run(write(watermark_store="variable"), 0)
    metadata.cli("legacy-events", "watermark", "copy", f"legacy_shop.orders@{topic}", "--to", "xcom")

    assert state(write().clear(last)) == "failed"
    assert ids(broker.read(topic)) == [1, 2, 3]


def test_what_was_forgotten_begins_anew(write, shop, broker, topic):
    dag = write()
    run(dag, 0)
    metadata.cli("legacy-events", "watermark", "forget", f"legacy_shop.orders@{topic}")

    second = run(dag, 1)
    assert (state(second), ids(broker.read(topic))) == ("success", [1, 2, 3, 1, 2, 3])
    shop.execute("ALTER TABLE orders RENAME TO hidden")
    assert state(dag.clear(second)) == "failed"
    shop.execute("ALTER TABLE hidden RENAME TO orders")
    assert (state(run(dag, 2)), ids(broker.read(topic))) == ("failed", [1, 2, 3, 1, 2, 3])


def test_a_stream_that_was_renamed_goes_on_under_its_new_name(write, shop, broker, topic):
    run(write(), 0)
    other = broker.make()
    names = (f"legacy_shop.orders@{topic}", f"legacy_shop.orders@{other}")
    metadata.cli("legacy-events", "watermark", "rename", *names)
    shop.execute(NEW)

    assert (state(run(write(topic=other), 1)), ids(broker.read(other))) == ("success", [4])
