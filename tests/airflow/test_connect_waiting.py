"""Sensors and triggers of connectors as Airflow runs them: deferred, behind a watcher, and with their asset."""

import asyncio
import json
import uuid

import pytest
from airflow.sdk import AssetWatcher
from airflow.sdk.exceptions import AirflowSensorTimeout

from airflow_legacy_events.operators.connect import ConnectorRestartOperator
from airflow_legacy_events.sensors.connect import ConnectorCaughtUpSensor, ConnectorStateSensor
from airflow_legacy_events.triggers.connect import (
    ConnectorCaughtUpTrigger,
    ConnectorStateTrigger,
    RefusedTriggerError,
)
from tests.airflow import metadata
from tests.services.base import wait_until
from tests.support import connectors
from tests.support.connector_shops import fail, lose_slot, shop_of

DAG = """
import datetime as dt
from airflow.sdk import DAG
from airflow_legacy_events.sensors.connect import ConnectorCaughtUpSensor, ConnectorStateSensor

SECOND = dt.timedelta(seconds=1)
with DAG({dag_id!r}, schedule=None, params={{"name": {name!r}}}):
    {task}
"""


@pytest.fixture(scope="module")
def shop(request, kafka):
    with shop_of(request, "postgres", kafka.bootstrap) as found:
        yield found


@pytest.fixture
def source(shop, connector, connect, monkeypatch):
    """A running source that has no retries of its own; gives its name."""
    connectors.connection(monkeypatch, connect.url)
    connectors.database_connection(monkeypatch, shop.database.url, shop.conn_type)
    name = connector()
    connect.begin(name, shop.config(name, errors_max_retries=0))
    connect.wait_running(name)
    return name


def run(name, task):
    """Run a DAG of one task; return the run."""
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    return metadata.run_dag(DAG.format(dag_id=dag_id, name=name, task=task), dag_id)


def test_a_sensor_adds_the_asset_of_its_connector_deferred_or_not(shop, source):
    wait = 'ConnectorCaughtUpSensor(task_id={!r}, connector={!r}, source_conn_id="legacy_shop", {})'
    tasks = [
        wait.format("one", source, "poll_interval=SECOND, deferrable=True"),
        wait.format("two", "{{ params.name }}", "poll_interval=SECOND, deferrable=False"),
    ]
    made = run(source, " >> ".join(tasks))

    assert metadata.states(made) == {"one": "success", "two": "success"}
    reports = [metadata.pulled(made, one) for one in ("one", "two")]
    assert {*reports[0]} == {"connector", "target", "reached", "seconds"}
    extras = [{"target": one["target"], "reached": one["reached"]} for one in reports]
    uri, alias = f"x-legacy-events://connect/{source}", f"legacy-events:{source}"
    assert metadata.asset_events(made) == [(uri, extra, [alias]) for extra in extras]


def test_a_deferred_sensor_has_the_asset_alias_of_its_name_and_fails_with_the_cause(shop, source, connect):
    sensor = ConnectorCaughtUpSensor(task_id="wait", connector=source, source_conn_id="legacy_shop")
    assert [one.name for one in sensor.outlets] == [f"legacy-events:{source}"]
    fail(shop.database, connect, source)
    made = run(source, f'ConnectorStateSensor(task_id="wait", connector={source!r}, state="paused", deferrable=True)')

    assert metadata.states(made) == {"wait": "failed"}


def after(sensor, monkeypatch):
    """What the sensor raises after its trigger, which this runs, has ended."""
    deferred = []
    monkeypatch.setattr(type(sensor), "defer", lambda _, **given: deferred.append(given))
    sensor.execute({})
    trigger = deferred[0]["trigger"]
    [event] = events(type(trigger)(**json.loads(json.dumps(trigger.serialize()[1]))), 1)
    return sensor.execute_complete({}, event)


@pytest.mark.parametrize(
    ("made", "arguments"),
    [(ConnectorStateSensor, {"state": "paused"}), (ConnectorCaughtUpSensor, {"source_conn_id": "legacy_shop"})],
)
def test_a_deferred_sensor_says_when_its_time_is_over_what_was_missing(source, connect, monkeypatch, made, arguments):
    sensor = made(task_id="wait", connector=source, timeout=2, deferrable=True, **arguments)
    connect.client.put(f"/connectors/{source}/stop").raise_for_status()
    wait_until(lambda: not connect.status(source)["tasks"], "the connector being stopped")

    with pytest.raises(AirflowSensorTimeout, match="not yet, connector STOPPED, no tasks"):
        after(sensor, monkeypatch)


def test_a_deferred_sensor_names_the_workers_that_are_away(monkeypatch):
    connectors.connection(monkeypatch, "http://127.0.0.1:1")
    sensor = ConnectorStateSensor(task_id="wait", connector="c", timeout=1, deferrable=True)

    with pytest.raises(AirflowSensorTimeout, match=r"http://127\.0\.0\.1:1"):
        after(sensor, monkeypatch)


def test_a_deferred_sensor_fails_with_what_its_trigger_met(shop, source, connect, monkeypatch):
    sensor = ConnectorStateSensor(task_id="wait", connector=source, state="paused", deferrable=True)
    look = sensor._look

    def failing():
        found = look()
        fail(shop.database, connect, source)
        return found

    monkeypatch.setattr(sensor, "_look", failing)
    with connectors.red("FAILED: remove the cause, then restart it") as found:
        after(sensor, monkeypatch)
    assert "task 0 FAILED on worker" in found.value.trace


def events(trigger, count, seconds=60):
    """The first events of a trigger that is started, and ended, as a triggerer does."""

    async def collect():
        found = []
        async with asyncio.timeout(seconds):
            async for event in trigger.run():
                found.append(event.payload)
                if len(found) == count:
                    break
        return found

    with metadata.as_task():
        return asyncio.run(collect())


def silent(trigger, looks=3):
    """Whether a trigger has nothing to report in so many looks; counted, not timed."""

    class EnoughError(BaseException):
        """The trigger has looked often enough."""

    seen, once = [], trigger._once

    async def counted(episode, event):
        if len(seen) == looks:
            raise EnoughError
        seen.append(await once(episode, event))
        return seen[-1]

    trigger._once = counted
    with pytest.raises(EnoughError):
        events(trigger, 1)
    return seen == [None] * looks


def watching(name):
    return ConnectorStateTrigger(connector=name, states=["failed"], poll_interval=0.2, stable_for=0.5)


def test_behind_a_watcher_each_failure_is_reported_once_and_the_dag_restarts_it(shop, source, connect):
    assert AssetWatcher(name="failed", trigger=watching(source))
    assert silent(watching(source))

    for _ in range(2):
        fail(shop.database, connect, source)
        [event] = events(watching(source), 1)
        assert (event["connector"], event["state"], event["tasks"]) == (source, "failed", 1)
        assert "task 0 FAILED on worker" in event["failure"]
        assert silent(watching(source)), "a triggerer that was restarted reported it again"

        made = run(
            source,
            f'__import__("airflow_legacy_events.operators.connect").operators.connect.ConnectorRestartOperator('
            f'task_id="restart", connector={source!r}, stable_for=SECOND)',
        )
        assert metadata.pulled(made, "restart") == {"connector": source, "restarts": 1, "state": "running"}
        assert silent(watching(source), 5), "it runs"


@pytest.mark.parametrize(
    "trigger",
    [
        ConnectorStateTrigger(connector="c", states=["failed", "stopped"], source_conn_id="s", stable_for=2.5),
        ConnectorStateTrigger(connector="c", until=5.0, on_failed="wait"),
        ConnectorCaughtUpTrigger(connector="c", source_conn_id="s", nudge="never", allow_loss=True),
    ],
)
def test_the_arguments_of_a_trigger_are_plain_json_and_make_an_equal_one(trigger):
    path, kwargs = trigger.serialize()

    assert path == f"airflow_legacy_events.triggers.connect.{type(trigger).__name__}"
    assert type(trigger)(**json.loads(json.dumps(kwargs))).serialize() == (path, kwargs)


@pytest.mark.parametrize(
    ("made", "wrong", "text"),
    [
        (ConnectorStateTrigger, {"states": "failed"}, "states= must be a list of states"),
        (ConnectorStateTrigger, {"state": "running", "states": ["failed"]}, "were both given"),
        (ConnectorStateTrigger, {"state": "RUNNING"}, "state= must be one of 'running', 'paused', 'stopped', 'failed'"),
        (ConnectorStateTrigger, {"on_failed": "x"}, "on_failed= must be one of 'fail', 'wait'"),
        (ConnectorStateTrigger, {"tasks_at_least": 0}, "tasks_at_least= must be a whole number above 0"),
        (ConnectorStateTrigger, {"poll_interval": 0}, "poll_interval= must be above zero"),
        (ConnectorStateTrigger, {"connector": "{{ ds }}"}, "is a template"),
        (ConnectorStateTrigger, {"connector": "a/b"}, "must have no '/'"),
        (ConnectorCaughtUpTrigger, {"nudge": "x"}, "nudge= must be one of"),
        (ConnectorCaughtUpTrigger, {"target": "x"}, "Expecting value"),
    ],
)
def test_a_triggerer_fails_a_wrong_trigger_alone(made, wrong, text):
    with pytest.raises(RefusedTriggerError, match=text):
        made(**{"connector": "c"} | wrong)


@pytest.mark.parametrize(
    ("made", "wrong", "text"),
    [
        (ConnectorStateSensor, {"mode": "reschedule"}, "mode='reschedule' forgets since when"),
        (ConnectorStateSensor, {"poke_interval": 3}, "is poll_interval="),
        (ConnectorStateSensor, {"stable_for": 3}, "stable_for= must be a timedelta"),
        (ConnectorStateSensor, {"state": "up"}, "state= must be one of"),
        (ConnectorStateSensor, {"connector": "a%b"}, "must have no '/'"),
        (ConnectorRestartOperator, {"max_restarts": 0}, "max_restarts= must be a whole number above 0"),
        (ConnectorRestartOperator, {"backoff": 3}, "backoff= must be a timedelta"),
    ],
)
def test_wrong_arguments_stop_the_dag_from_being_loaded(made, wrong, text):
    from airflow_legacy_events.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match=text):
        made(task_id="t", **{"connector": "c"} | wrong)


def test_restarts_that_do_not_help_are_no_other_failure(shop, source, connect):
    lose_slot(shop.database, connect, source)
    trigger = ConnectorStateTrigger(connector=source, states=["failed"], poll_interval=0.1)
    assert len(events(trigger, 1)) == 1
    connect.client.post(f"/connectors/{source}/restart", params={"includeTasks": "true"}).raise_for_status()

    assert silent(trigger, 20)
    assert connect.failure(source) is not None
