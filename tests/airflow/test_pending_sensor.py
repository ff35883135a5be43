"""The sensor in a DAG, and what sensor and trigger refuse when the DAG is parsed."""

import datetime as dt
import uuid

import pytest

from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.sensors.pending import PendingEventsSensor
from airflow_legacy_events.triggers.pending import PendingEventsTrigger
from tests.airflow import metadata


@pytest.fixture
def topic():
    return f"t{uuid.uuid4().hex[:12]}"


SENSOR = """
import datetime
from airflow.sdk import DAG
from airflow_legacy_events.sensors.pending import PendingEventsSensor

with DAG({dag_id!r}, schedule=None, params={{"table": "orders"}}):
    PendingEventsSensor(
        task_id="wait",
        source_conn_id="legacy_shop",
        table="{{{{ params.table }}}}",
        watermark_columns=["updated_at"],
        topic={topic!r},
        {more}
    )
"""


@pytest.mark.parametrize("more", ["deferrable=False", "mode='reschedule', deferrable=False", "deferrable=True"])
def test_the_sensor_returns_what_is_pending(shop, topic, more):
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    run = metadata.run_dag(SENSOR.format(dag_id=dag_id, topic=topic, more=more), dag_id)

    assert metadata.states(run) == {"wait": "success"}
    told = metadata.pulled(run, "wait")
    assert (told["stream"], told["rows"]) == (f"legacy_shop.orders@{topic}", 3)


def test_the_deferred_sensor_waits_for_a_row_that_comes_later(shop, topic):
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=3)).strftime("%Y-%m-%d %H:%M:%S.%f")
    shop.execute("DELETE FROM orders")
    shop.execute("INSERT INTO orders VALUES (9, 1, 'new', NULL, ?)", (soon,))
    more = "deferrable=True, poll_interval=datetime.timedelta(seconds=0.2)"
    run = metadata.run_dag(SENSOR.format(dag_id=dag_id, topic=topic, more=more), dag_id)

    assert metadata.states(run) == {"wait": "success"}
    assert metadata.pulled(run, "wait")["rows"] == 1


def test_what_waiting_cannot_mend_fails_the_sensor(shop, topic):
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    more = "key_columns=['nonsense'], retries=3"
    run = metadata.run_dag(SENSOR.format(dag_id=dag_id, topic=topic, more=more), dag_id)

    assert metadata.states(run) == {"wait": "failed"}


ARGUMENTS = {"source_conn_id": "c", "table": "t", "watermark_columns": ["id"], "topic": "x"}


class Store:
    def load(self, stream): ...

    def save(self, stream, new, *, expected): ...


@pytest.mark.parametrize("made", [PendingEventsTrigger, lambda **given: PendingEventsSensor(task_id="wait", **given)])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"watermark_store": "xcom"}, "'xcom' can't be read by a triggerer.*'variable'"),
        ({"watermark_store": "asset"}, "'asset' can't be read by a triggerer.*'variable'"),
        ({"watermark_store": Store()}, "a Store, but a triggerer can't receive an object.*'variable'"),
        ({"watermark_store": "redis"}, "'redis' is not known; known: .*variable"),
        ({"watermark_columns": []}, "a full load has no watermark"),
        ({"watermark_columns": "id"}, "must be a list of column names"),
        ({"table": None}, "exactly one of table= and sql="),
        ({"table": None, "sql": "SELECT 1 AS id"}, "stream= is missing"),
        ({"topic": None}, "stream= is missing"),
        ({"lag": dt.timedelta(seconds=-1)}, "lag= must not be below zero"),
        ({"overlap": dt.timedelta(seconds=-1)}, "overlap= must not be below zero"),
        ({"cooldown": "60"}, "cooldown= must be a timedelta"),
        ({"lag": float("inf")}, "lag= must be a timedelta"),
        ({"poll_interval": dt.timedelta(0)}, "poll_interval= must be above zero"),
        ({"source_timezone": "Mars/Base"}, "time zone"),
    ],
)
def test_what_can_not_work_is_refused_when_the_dag_is_parsed(made, wrong, message):
    with pytest.raises(ConfigurationError, match=message):
        made(**{**ARGUMENTS, **wrong})


def test_a_sensor_takes_no_bare_seconds():
    with pytest.raises(ConfigurationError, match="cooldown= must be a timedelta"):
        PendingEventsSensor(task_id="wait", **{**ARGUMENTS, "cooldown": 60})


def test_a_triggerer_fails_a_wrong_trigger_alone():
    # Of what a constructor raises a triggerer catches TypeError; any other error ends it, with all its triggers.
    with pytest.raises(TypeError, match="'redis' is not known"):
        PendingEventsTrigger(**{**ARGUMENTS, "watermark_store": "redis"})


def test_a_trigger_takes_no_templates_and_a_sensor_no_poke_interval():
    with pytest.raises(ConfigurationError, match=r"table='\{\{ ds \}\}' is a template"):
        PendingEventsTrigger(**{**ARGUMENTS, "table": "{{ ds }}"})
    with pytest.raises(ConfigurationError, match="is poll_interval="):
        PendingEventsSensor(task_id="wait", **ARGUMENTS, poke_interval=3)
