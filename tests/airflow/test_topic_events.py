"""Who waits for a topic is woken by the run that brought events, whichever of its tries brought them."""

from __future__ import annotations

import uuid

import pytest

from tests.airflow import metadata
from tests.airflow.scheduler import Dag


@pytest.fixture
def dag(topic, shop, broker):
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    return Dag.write(
        f"""
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
with DAG({dag_id!r}, schedule=None):
    IncrementalQueryOperator(
        task_id="publish", source_conn_id="legacy_shop", table="orders", watermark_columns=["updated_at"],
        topic={topic!r}, batch_rows=1,
    )
""",
        dag_id,
    )


def failed_after_one_row(dag, shop):
    shop.execute("UPDATE orders SET total = 'much' WHERE id = 2")
    failed = dag.run()
    assert metadata.states(failed) == {"publish": "failed"}
    assert metadata.asset_events(failed) == []
    return failed


@pytest.mark.airflow33
def test_a_try_that_finds_nothing_tells_of_the_rows_that_an_earlier_one_delivered(dag, shop):
    failed = failed_after_one_row(dag, shop)
    shop.execute("DELETE FROM orders WHERE id > 1")

    again = dag.clear(failed)

    assert metadata.pulled(again, "publish")["events"] == 0
    ((_, extra, _),) = metadata.asset_events(again)
    assert extra["rows"] == 1


@pytest.mark.airflow33
def test_a_try_tells_of_all_rows_of_its_run(dag, shop):
    failed = failed_after_one_row(dag, shop)
    shop.execute("UPDATE orders SET total = '5' WHERE id = 2")

    again = dag.clear(failed)

    ((_, extra, _),) = metadata.asset_events(again)
    assert (metadata.pulled(again, "publish")["rows"], extra["rows"]) == (2, 3)


@pytest.mark.airflow33
def test_a_success_that_is_cleared_and_finds_nothing_wakes_nobody_again(dag, shop):
    ended = dag.run()
    assert len(metadata.asset_events(ended)) == 1

    assert len(metadata.asset_events(dag.clear(ended))) == 1
