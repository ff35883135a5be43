"""Connectors that are run, paused and stopped on a real worker: their tasks too."""

import datetime as dt

import pytest

from airflow_legacy_events import errors
from airflow_legacy_events.operators.connect import ConnectorStateOperator
from tests.services.base import wait_until
from tests.support import connectors
from tests.support.databases import fresh_database


@pytest.fixture(scope="module")
def shop(postgres18_logs):
    with fresh_database(postgres18_logs) as database, connectors.without_slots(database):
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
        yield database


@pytest.fixture
def bring(monkeypatch, front):
    """Brings a connector into a state; returns the report."""
    connectors.connection(monkeypatch, front.url)

    def bring(name, state, **arguments):
        arguments = {"timeout": dt.timedelta(seconds=60)} | arguments
        return ConnectorStateOperator(task_id="t", connector=name, state=state, **arguments).execute({})

    return bring


def test_every_way_between_the_states_ends_with_the_tasks_in_them(shop, connector, bring, front, connect):
    name = connector()
    connect.begin(name, connectors.postgres_source(shop, name))
    connect.wait_running(name)
    before = "running"
    for state, tasks in [("paused", 1), ("running", 1), ("stopped", 0), ("paused", 0), ("stopped", 0), ("running", 1)]:
        report = bring(name, state)
        found = connect.status(name)

        expected = {"connector": name, "action": "changed", "before": before, "state": state, "tasks": tasks}
        assert report == expected
        assert found["connector"]["state"] == state.upper()
        assert [task["state"] for task in found["tasks"]] == [state.upper()] * tasks
        before = state
    front.passed.clear()
    assert bring(name, "running")["action"] == "unchanged"
    assert front.writes == []


def test_a_connector_that_is_not_there_is_red_or_green_as_requested(connector, bring, front):
    name = connector()
    with pytest.raises(errors.ConfigurationError, match="there is no connector"):
        bring(name, "stopped")
    report = bring(name, "stopped", missing="ok")

    assert report == {"connector": name, "action": "missing", "before": None, "state": None, "tasks": 0}
    assert front.writes == []


def test_a_failed_connector_can_be_stopped_and_is_red_as_running(shop, connector, bring, connect):
    name = connector()
    connect.begin(name, connectors.postgres_source(shop, name, publication_autocreate_mode="disabled"))
    wait_until(lambda: connect.failure(name), "the task failing")

    with pytest.raises(errors.ConnectorFailedError, match=r"task 0 FAILED on worker") as raised:
        bring(name, "running")
    assert "Publication autocreation is disabled" in raised.value.trace
    assert bring(name, "stopped") == {
        "connector": name,
        "action": "changed",
        "before": "failed",
        "state": "stopped",
        "tasks": 0,
    }


@pytest.mark.parametrize("last", [None, "cut_before"])
def test_a_state_that_never_comes_is_red_in_time_with_what_was_seen_last(
    shop, connector, bring, connect, front, monkeypatch, last
):
    name = connector()
    connect.begin(name, connectors.postgres_source(shop, name))
    connect.wait_running(name)
    looks = []

    def unassigned(_, body):
        if "tasks" not in body:
            return body
        looks.append(body)
        return {**body, "tasks": [{"id": 0, "state": "UNASSIGNED"}]}

    front.change = unassigned
    front.fault = lambda _: last if len(looks) > 2 else None
    connectors.time_over_once(monkeypatch, lambda: len(looks) > 2)

    with pytest.raises(errors.ConnectError, match=r"is not paused after[^$]*task 0 UNASSIGNED") as raised:
        bring(name, "paused")
    assert raised.value.retry_helps


@pytest.mark.parametrize(
    "wrong", [{"state": "RUNNING"}, {"missing": "x"}, {"timeout": dt.timedelta(0)}, {"connector": "a/b"}]
)
def test_arguments_that_are_wrong_stop_the_dag_from_being_loaded(wrong):
    with pytest.raises(errors.ConfigurationError):
        ConnectorStateOperator(task_id="t", **{"connector": "c"} | wrong)
