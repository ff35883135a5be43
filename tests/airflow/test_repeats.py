"""What a cleared success sends again, when the run had more than one beginning."""

from __future__ import annotations

import uuid

import pytest

from tests.airflow import metadata
from tests.airflow.scheduler import Dag

pytestmark = pytest.mark.airflow33


@pytest.fixture
def write(topic, shop, broker):
    """Returns a function that writes the DAG, with the query that it asks."""
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"

    def write(sql="SELECT id, total, updated_at FROM orders", **arguments):
        words = {"sql": sql, "on_clear": "repeat", "batch_rows": 1, "topic": topic, **arguments}
        more = ", ".join(f"{name}={value!r}" for name, value in words.items())
        return Dag.write(
            f"""
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
with DAG({dag_id!r}, schedule=None):
    IncrementalQueryOperator(
        task_id="publish", source_conn_id="legacy_shop", watermark_columns=["updated_at"], key_columns=["id"],
        stream="repeated-{dag_id}", {more}
    )
""",
            dag_id,
        ), f"repeated-{dag_id}"

    return write


def ids(messages):
    return [message.event["data"]["id"] for message in messages]


def test_a_run_that_began_anew_is_repeated_as_a_whole(write, shop, broker, topic):
    write()[0].run()
    dag, _ = write("SELECT id, total, updated_at FROM orders WHERE id > 1", on_query_change="reset")
    anew = dag.run()
    assert ids(broker.read(topic)) == [1, 2, 3, 2, 3]

    dag.clear(anew)

    assert ids(broker.read(topic))[5:] == [2, 3]


def test_a_watermark_rewound_between_two_tries_widens_what_is_repeated(write, shop, broker, topic):
    dag, stream = write()
    dag.run()
    shop.execute("INSERT INTO orders VALUES (4, 1, 'new', NULL, '2026-11-03 08:00:00')")
    shop.execute("INSERT INTO orders VALUES (5, 1, 'new', 'much', '2026-11-04 08:00:00')")
    failed = dag.run()
    metadata.cli("legacy-events", "watermark", "rewind", stream, "--to", "2026-11-02 08:00:00")
    shop.execute("UPDATE orders SET total = NULL WHERE id = 5")
    ended = dag.clear(failed)
    assert ids(broker.read(topic)) == [1, 2, 3, 4, 3, 4, 5]

    dag.clear(ended)

    assert ids(broker.read(topic))[7:] == [3, 4, 5]
