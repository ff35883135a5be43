"""Operators before a worker that answers every request once in a way that passes: right in the end, written once."""

import datetime as dt
import time

import pytest

from airflow_legacy_events import errors
from airflow_legacy_events.connect import client, standing
from airflow_legacy_events.operators.connect import ConnectorStateOperator, ConnectorUpsertOperator, upsert
from tests.support import connectors
from tests.support.databases import fresh_database
from tests.support.front import ANSWERS, LATE, LATE_SECONDS, SILENT
from tests.support.profile import some

SINK = {
    "connector.class": connectors.JDBC_SINK,
    "tasks.max": 1,
    "connection.url": "jdbc:postgresql://nowhere.invalid/x",
}
"""Needs no database to be stopped and changed."""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Shorter times, so that each case takes a second."""
    monkeypatch.setattr(client, "UNKNOWN_SECONDS", 1.0)
    monkeypatch.setattr(client, "SLOW_SECONDS", 1.0)
    monkeypatch.setattr(client, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(client, "_LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(upsert, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(standing, "LOOK_SECONDS", 0.05)


@pytest.fixture(scope="module")
def shop(postgres18_logs):
    with fresh_database(postgres18_logs) as database, connectors.without_slots(database):
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
        yield database


@pytest.fixture
def run(monkeypatch, front):
    connectors.connection(monkeypatch, front.url)

    def run(operator, name, **arguments):
        if operator is ConnectorUpsertOperator:
            arguments["stable_for"] = dt.timedelta(0)
        made = operator(task_id="t", connector=name, timeout=dt.timedelta(seconds=60), **arguments)
        return made.execute({})

    return run


@pytest.mark.parametrize("answer", some(ANSWERS, 2))
def test_a_connector_is_created_changed_and_steered_by_one_write_each(answer, connector, run, front, connect):
    name = connector()
    config = SINK | {"topics": name}
    steps = [
        (ConnectorUpsertOperator, {"config": config, "state": "stopped"}, "created", "stopped"),
        (ConnectorUpsertOperator, {"config": config | {"batch.size": 99}}, "updated", "stopped"),
        (ConnectorStateOperator, {"state": "paused"}, "changed", "paused"),
        (ConnectorUpsertOperator, {"config": config | {"batch.size": 99}}, "unchanged", "paused"),
    ]
    take(steps, answer, name, run, front)
    assert connect.config(name)["batch.size"] == "99"


@pytest.mark.parametrize("answer", ["conflict", "cut_behind"])
def test_a_connector_that_runs_is_changed_and_paused_by_one_write_each(answer, shop, connector, run, front, connect):
    name = connector()
    config = connectors.postgres_source(shop, name)
    steps = [
        (ConnectorUpsertOperator, {"config": config}, "created", "running"),
        (ConnectorUpsertOperator, {"config": config | {"max.batch.size": 98}}, "updated", "running"),
        (ConnectorStateOperator, {"state": "stopped"}, "changed", "stopped"),
    ]
    take(steps, answer, name, run, front)
    assert connect.config(name)["max.batch.size"] == "98"


def take(steps, answer, name, run, front):
    """Run operators, each before a front that answers every request once in this way."""
    for operator, arguments, action, expected in steps:
        front.once(answer)
        front.passed.clear()
        report = run(operator, name, **arguments)

        assert (report["action"], report["state"]) == (action, expected)
        assert len(front.writes) == (action != "unchanged")


def test_a_put_that_a_worker_carries_out_after_its_time_limit_is_waited_for(
    monkeypatch, connector, run, front, connect
):
    monkeypatch.setattr(client, "SLOW_SECONDS", 3 * LATE_SECONDS)
    name = connector()
    front.on_write(LATE)
    report = run(ConnectorUpsertOperator, name, config=SINK | {"topics": name}, state="stopped")

    assert (report["action"], report["state"], len(front.writes)) == ("created", "stopped", 1)


@pytest.mark.parametrize("answer", SILENT)
def test_a_write_without_an_answer_is_not_repeated_where_it_was_carried_out(
    answer, monkeypatch, connector, run, front, connect
):
    connectors.connection(monkeypatch, front.url, timeout=2)
    name = connector()
    front.on_write(answer)
    report = run(ConnectorUpsertOperator, name, config=SINK | {"topics": name}, state="stopped")

    assert (report["action"], report["state"], len(front.writes)) == ("created", "stopped", 1)


def test_no_write_is_sent_once_time_is_over(monkeypatch, connector, front):
    connectors.connection(monkeypatch, front.url)
    name = connector()
    front.on_write("cut_before")
    monkeypatch.setattr(client, "UNKNOWN_SECONDS", 60)
    operator = ConnectorUpsertOperator(
        task_id="t",
        connector=name,
        config=SINK | {"topics": name},
        state="stopped",
        stable_for=dt.timedelta(0),
        timeout=dt.timedelta(seconds=4),
    )
    with pytest.raises(errors.ConnectError, match="did not answer within"):
        operator.execute({})
    assert front.writes == []


def test_the_next_address_is_used_where_one_is_away(monkeypatch, front, connector):
    name = connector()
    host = front.url.removeprefix("http://")
    connectors.connection(monkeypatch, f"http://127.0.0.1:1, {host}")
    made = ConnectorUpsertOperator(
        task_id="t", connector=name, config=SINK | {"topics": name}, state="stopped", timeout=dt.timedelta(seconds=30)
    )

    assert made.execute({})["action"] == "created"
    assert len(front.writes) == 1


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (ConnectorUpsertOperator, {"config": SINK | {"topics": "t"}, "stable_for": dt.timedelta(0)}),
        (ConnectorStateOperator, {"state": "paused"}),
    ],
)
def test_a_cluster_that_is_away_is_red_in_time_and_its_addresses_are_named(monkeypatch, operator, arguments):
    connectors.connection(monkeypatch, "http://127.0.0.1:1,127.0.0.1:2")
    began = time.monotonic()
    with pytest.raises(errors.ConnectError) as raised:
        operator(task_id="t", connector="c", timeout=dt.timedelta(seconds=1), **arguments).execute({})

    assert time.monotonic() - began < 5
    assert "http://127.0.0.1:1, http://127.0.0.1:2" in " ".join(str(raised.value).split())
    assert "connection 'kafka_connect_default'" in " ".join(str(raised.value).split())
    assert raised.value.retry_helps


def test_a_worker_that_only_starts_is_waited_for_until_the_deadline(monkeypatch, front):
    connectors.connection(monkeypatch, front.url)
    front.fault = lambda _: "html"
    with pytest.raises(errors.ConnectError, match="404 without JSON") as raised:
        ConnectorStateOperator(task_id="t", connector="c", timeout=dt.timedelta(seconds=1)).execute({})

    assert raised.value.retry_helps
    assert len(front.received) > 1
