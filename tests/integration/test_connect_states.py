"""States of connectors: what counts as running, what fails at once, and what a restart mends."""

import datetime as dt
import logging
import time

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout

from airflow_legacy_events import errors
from airflow_legacy_events.connect import client
from airflow_legacy_events.operators.connect import ConnectorRestartOperator
from airflow_legacy_events.sensors.connect import ConnectorStateSensor
from tests.services.base import wait_until
from tests.support import connectors
from tests.support.connector_shops import caught_up, fail, kill_reader, lose_slot, reading
from tests.support.connectors import PASSWORD, postgres_source, red, slot_name
from tests.support.databases import fresh_database
from tests.support.front import ANSWERS
from tests.support.profile import some

AT_ONCE, SOON = dt.timedelta(0), dt.timedelta(seconds=0.5)
NO_RETRIES = {"errors_max_retries": 0}


@pytest.fixture(scope="module")
def shop(postgres18_logs):
    with fresh_database(postgres18_logs) as database, connectors.without_slots(database):
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
        yield database


@pytest.fixture
def start(shop, connector, connect, front, monkeypatch):
    """Lets a connector run; the connections of operators and sensors lead to its worker and its database."""
    connectors.connection(monkeypatch, front.url)
    connectors.database_connection(monkeypatch, shop.url, "postgres")

    def start(**changed):
        name = connector()
        connect.begin(name, postgres_source(shop, name, **changed))
        connect.wait_running(name)
        return name

    return start


def state(name, seconds=20, **arguments):
    arguments = {"stable_for": AT_ONCE, "poll_interval": SOON, "timeout": dt.timedelta(seconds=seconds)} | arguments
    return ConnectorStateSensor(task_id="wait", connector=name, **arguments).execute({})


def restart(name, **arguments):
    arguments = {"backoff": AT_ONCE, "stable_for": SOON, "timeout": dt.timedelta(seconds=60)} | arguments
    return ConnectorRestartOperator(task_id="restart", connector=name, **arguments).execute({})


def test_a_state_counts_once_it_has_held_and_tasks_are_there(start, connect):
    name = start()
    began = time.monotonic()
    stable = dt.timedelta(seconds=1)

    assert state(name, stable_for=stable, source_conn_id="legacy_shop") == {
        "connector": name,
        "state": "running",
        "tasks": 1,
    }
    assert time.monotonic() - began >= 1
    with red("not yet, connector RUNNING, task 0 RUNNING", AirflowSensorTimeout):
        state(name, 5, tasks_at_least=2)
    connect.client.put(f"/connectors/{name}/pause").raise_for_status()
    assert state(name, state="paused")["state"] == "paused"
    connect.client.put(f"/connectors/{name}/stop").raise_for_status()
    assert state(name, state="stopped") == {"connector": name, "state": "stopped", "tasks": 0}


def test_a_lost_slot_is_red_with_its_cause_restarts_end_and_a_reset_mends_it(shop, start, connect, front):
    name = start()
    lose_slot(shop, connect, name)
    front.passed.clear()

    with red("FAILED: remove the cause, then restart it") as found:
        state(name, source_conn_id="legacy_shop")
    assert isinstance(found.value, errors.ConnectorFailedError)
    assert "no longer available" in found.value.trace
    assert "task 0 FAILED on worker" in found.value.trace
    assert len(found.value.trace) <= 2_000
    assert PASSWORD not in str(found.value)
    assert len([one for one in front.passed if one.path.endswith("/status")]) == 1, "the first look"
    with red("no longer available", AirflowSensorTimeout):
        state(name, 5, on_failed="wait")
    assert state(name, state="failed")["failure"] == found.value.trace

    front.passed.clear()
    with red("FAILED after 2 restarts"):
        restart(name, max_restarts=2)
    assert len(front.writes) == 2

    connect.client.put(f"/connectors/{name}/stop").raise_for_status()
    reset = f"/connectors/{name}/offsets"
    wait_until(lambda: connect.client.delete(reset).is_success, "the offsets being reset", 30)
    connect.client.put(f"/connectors/{name}/resume").raise_for_status()
    assert state(name, 60, on_failed="wait", source_conn_id="legacy_shop")["state"] == "running"


def test_a_restart_mends_what_failed_once_and_leaves_alone_what_works(shop, start, connect, front):
    name = start(**NO_RETRIES)
    assert restart(name) == {"connector": name, "restarts": 0, "state": "running"}
    assert front.writes == []

    fail(shop, connect, name)
    front.on_write("cut_behind")
    assert restart(name) == {"connector": name, "restarts": 1, "state": "running"}
    assert [one.path for one in front.writes] == [f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true"]

    assert restart(name, only_failed=False)["restarts"] == 1
    connect.client.put(f"/connectors/{name}/stop").raise_for_status()
    state(name, state="stopped")
    assert restart(name)["state"] == "stopped"
    with red("is stopped, which a restart does not change"):
        restart(name, only_failed=False)


def test_running_without_a_login_is_never_green_with_the_database(shop, start):
    name = start()
    user = f"u_{shop.name}"
    wait_until(lambda: reading(shop, name), "the slot being read")
    shop.execute(f"ALTER ROLE {user} NOLOGIN")
    try:
        kill_reader(shop, name)
        assert state(name)["state"] == "running", "Kafka Connect sees nothing"
        with red(f"RUNNING, but its slot '{slot_name(name)}' is not active", AirflowSensorTimeout):
            state(name, 2, source_conn_id="legacy_shop")
    finally:
        shop.execute(f"ALTER ROLE {user} LOGIN")


def test_two_connectors_on_one_slot_are_both_red(shop, start, connector, connect):
    name, other = start(), connector()
    connect.begin(other, postgres_source(shop, other, slot_name=slot_name(name)))
    for one, rival in ((name, other), (other, name)):
        with red(f"connector '{rival}' reads slot"):
            state(one, 5, source_conn_id="legacy_shop")


def test_a_restart_that_would_end_another_connector_is_refused(shop, start, connector, connect, front):
    name, other = start(**NO_RETRIES), connector()
    config = postgres_source(shop, other, slot_name=slot_name(name))
    stopped = {"name": other, "config": {key: str(value) for key, value in config.items()}, "initial_state": "STOPPED"}
    connect.client.post("/connectors", json=stopped).raise_for_status()
    fail(shop, connect, name)

    with red(f"is not restarted: connector '{other}' reads slot"):
        restart(name)
    assert front.writes == []


def test_a_slot_past_the_offset_is_a_warning(shop, start, connect, front, caplog):
    name = start()
    shop.execute("INSERT INTO orders VALUES (2, 'x') ON CONFLICT (id) DO UPDATE SET note = 'y'")
    wait_until(lambda: connect.client.get(f"/connectors/{name}/offsets").json()["offsets"], "an offset", 60)
    with caplog.at_level(logging.WARNING):
        state(name, source_conn_id="legacy_shop")
    assert "past its offset" not in caplog.text

    def behind(request, body):
        if request.path.endswith("/offsets"):
            body["offsets"][0]["offset"] = {"lsn": 16}
        return body

    front.change = behind
    with caplog.at_level(logging.WARNING):
        state(name, source_conn_id="legacy_shop")
    assert f"its slot {slot_name(name)} is at" in caplog.text
    assert "past its offset 0/10, so that it will FAIL at its next restart" in caplog.text


def test_what_can_not_be_known_is_refused(shop, start, connector, connect, monkeypatch, mariadb_logs):
    with red("there is no connector 'nobody': correct connector="):
        state("nobody")
    name = connector()
    config = postgres_source(shop, name, snapshot_mode="initial_only")
    connect.begin(name, config)
    connect.wait_running(name)
    with red("snapshot.mode=initial_only: nothing streams after its snapshot"):
        state(name)
    connectors.database_connection(monkeypatch, mariadb_logs.url("mysql"), "mysql", "other")
    with red("source_conn_id='other' leads to mariadb"):
        state(start(), source_conn_id="other")
    connectors.database_connection(monkeypatch, shop.server.url("postgres"), "postgres", "other")
    with red("leads to database 'postgres', but slot"):
        state(start(), source_conn_id="other")


def test_a_cluster_that_is_away_is_named_when_the_time_is_over(monkeypatch):
    connectors.connection(monkeypatch, "http://127.0.0.1:1,127.0.0.1:2")
    began = time.monotonic()

    with red("127.0.0.1:1, http://127.0.0.1:2", AirflowSensorTimeout):
        state("any", 2)
    assert time.monotonic() - began < 10


@pytest.fixture
def quick(monkeypatch):
    """Looks that follow each other so closely that no restart is over between two of them."""
    monkeypatch.setattr(client, "UNKNOWN_SECONDS", 1.0)
    monkeypatch.setattr(client, "SLOW_SECONDS", 1.0)
    monkeypatch.setattr(client, "LOOK_SECONDS", 0.02)


@pytest.mark.parametrize("answer", some(ANSWERS, 3))
@pytest.mark.usefixtures("quick")
def test_an_answer_that_passes_delays_and_changes_nothing(start, front, answer):
    name = start()
    front.once(answer)
    assert state(name, source_conn_id="legacy_shop")["state"] == "running"
    front.once(answer)
    assert caught_up(name)["connector"] == name
    front.once(answer)
    assert restart(name, only_failed=False)["restarts"] == 1
    assert len(front.writes) == 1
