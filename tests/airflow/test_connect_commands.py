"""Commands and links of connectors: every declared one is looked at, and nothing is changed."""

from __future__ import annotations

import json
import uuid

import pytest

from airflow_legacy_events.operators.connect import ConnectorStateOperator
from airflow_legacy_events.operators.links import ConnectorLink
from tests.airflow import metadata
from tests.airflow.scheduler import Dag
from tests.support import connectors
from tests.support.connectors import PASSWORD, postgres_source, slot_name
from tests.support.databases import fresh_database

DAG = """
from airflow.sdk import DAG

from airflow_legacy_events.operators.connect import ConnectorUpsertOperator

with DAG({dag_id!r}, schedule=None):
    ConnectorUpsertOperator(task_id="declared", connector={name!r}, config={config!r})
"""


@pytest.fixture
def shop(postgres18_logs):
    with fresh_database(postgres18_logs) as database, connectors.without_slots(database):
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
        yield database


@pytest.fixture
def declared(shop, connector, connect, monkeypatch, capsys):
    """Declares a connector in a DAG; returns a function that calls a command on it, and the parts."""
    connectors.connection(monkeypatch, connect.url)
    name = connector()
    config = postgres_source(shop, name)
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    Dag.write(DAG.format(dag_id=dag_id, name=name, config=config), dag_id)

    def call(verb):
        capsys.readouterr()
        error = None
        try:
            metadata.cli("legacy-events", "connect", verb, dag_id, "-o", "json")
        except SystemExit as ended:
            error = str(ended)
        printed = capsys.readouterr().out
        assert PASSWORD not in printed
        return json.loads(printed)[0], error

    return call, name, config


def test_a_connector_that_is_missing_as_declared_and_changed(declared, connect, shop, capsys):
    call, name, config = declared
    assert call("status")[0]["state"] == "missing"
    found, error = call("diff")
    assert (found["action"], error) == ("created", "a connector differs from its declaration")
    assert connect.status(name) is None

    connect.begin(name, config)
    connect.wait_running(name)
    assert call("status") == ({"connector": name, "state": "running", "tasks": 1, "failure": None}, None)
    assert call("diff") == ({"connector": name, "action": "unchanged", "diff": {}, "error": None}, None)

    connect.client.put(f"/connectors/{name}/config", json={**{k: str(v) for k, v in config.items()}, "tasks.max": "2"})
    found, error = call("diff")
    assert (found["action"], found["diff"]) == ("updated", {"tasks.max": {"live": "2", "declared": "1"}})
    assert error

    metadata.put_connection("shop", conn_type="postgres", **_fields(shop))
    metadata.put_connection("cluster", conn_type="http", host=connect.url)
    capsys.readouterr()
    metadata.cli("legacy-events", "slots", "list", "--conn-id", "shop", "--connect-conn-id", "cluster", "-o", "json")
    [line] = json.loads(capsys.readouterr().out)
    assert (line["slot"], line["connector"]) == (slot_name(name), name)
    shop.execute("SELECT pg_logical_emit_message(false, 'x', repeat('x', 9000))")
    arguments = ("--conn-id", "shop", "--connect-conn-id", "cluster", "--max-wal", "1 kB")
    with pytest.raises(SystemExit, match="of WAL, more than 1 kB"):
        metadata.cli("legacy-events", "slots", "list", *arguments)
    connect.end(name)


def test_every_connector_of_a_mapped_task(connector, connect, monkeypatch, capsys):
    connectors.connection(monkeypatch, connect.url)
    names, dag_id = [connector(), connector()], f"dag_{uuid.uuid4().hex[:12]}"
    task = "ConnectorUpsertOperator.partial(task_id='m', config={'connector.class': 'X'})"
    dag = DAG.partition("    ConnectorUpsert")[0].format(dag_id=dag_id)
    Dag.write(f"{dag}    {task}.expand(connector={names})\n", dag_id)
    capsys.readouterr()
    with pytest.raises(SystemExit):
        metadata.cli("legacy-events", "connect", "status", dag_id, "-o", "json")
    assert [one["connector"] for one in json.loads(capsys.readouterr().out)] == names


def _fields(database):
    import sqlalchemy as sa

    url = sa.make_url(database.url)
    return {"host": url.host, "port": url.port, "login": url.username, "password": url.password, "schema": url.database}


def test_a_link_to_the_connector(monkeypatch):
    operator = ConnectorStateOperator(task_id="s", connector="crm ä")
    with metadata.as_task():
        assert ConnectorLink().get_link(operator, ti_key=None) == ""
        monkeypatch.setenv("AIRFLOW__LEGACY_EVENTS__CONNECTOR_URL_TEMPLATE", "https://ui/{connect}/{connector}")
        monkeypatch.delenv("AIRFLOW_CONN_KAFKA_CONNECT_DEFAULT", raising=False)
        assert ConnectorLink().get_link(operator, ti_key=None) == ""
        connectors.connection(monkeypatch, "http://worker:8083")
        found = ConnectorLink().get_link(operator, ti_key=None)
    assert found == "https://ui/http%3A%2F%2Fworker%3A8083/crm%20%C3%A4"
