"""Upserts as Airflow runs them: from a file with templates, deferred, with what Airflow keeps of them."""

import json

import pytest

from airflow_legacy_events.triggers._applied import ConnectorAppliedTrigger
from tests.airflow import metadata
from tests.support import connectors
from tests.support.connectors import PASSWORD
from tests.support.databases import fresh_database

DAG = """
from datetime import timedelta

from airflow.sdk import DAG

from airflow_legacy_events.operators.connect import ConnectorStateOperator, ConnectorUpsertOperator

with DAG({dag_id!r}, schedule=None, template_searchpath={folder!r}):
    common = {{"connector": "{{{{ params.connector }}}}", "params": {{"connector": {name!r}}}}}
    wanted = dict(config="crm.json", stable_for=timedelta(seconds=1), **common)
    (
        ConnectorUpsertOperator(task_id="upsert", deferrable=True, **wanted)
        >> ConnectorUpsertOperator(task_id="again", **wanted)
        >> ConnectorStateOperator(task_id="stop", state="stopped", **common)
    )
"""


@pytest.fixture
def shop(postgres18_logs):
    with fresh_database(postgres18_logs) as database, connectors.without_slots(database):
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
        yield database


def rendered_fields(run):
    from airflow.models.renderedtifields import RenderedTaskInstanceFields
    from airflow.utils.session import create_session
    from sqlalchemy import select

    wanted = select(RenderedTaskInstanceFields).filter_by(dag_id=run.dag_id, run_id=run.run_id)
    with create_session() as session:
        return {one.task_id: one.rendered_fields for one in session.scalars(wanted)}


def test_a_deferred_upsert_from_a_file_and_what_airflow_keeps_of_it(
    shop, connector, connect, monkeypatch, tmp_path, capsys, caplog
):
    connectors.connection(monkeypatch, connect.url)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "postgres", "password": PASSWORD}))
    name = connector()
    config = connectors.postgres_source(shop, name) | {"database.password": "{{ conn.crm.password }}"}
    (tmp_path / "crm.json").write_text(json.dumps(config))
    deferred = []
    kept = ConnectorAppliedTrigger.serialize
    monkeypatch.setattr(ConnectorAppliedTrigger, "serialize", lambda self: deferred.append(kept(self)) or kept(self))
    dag_id = "connect_upsert"

    run = metadata.run_dag(DAG.format(dag_id=dag_id, folder=str(tmp_path), name=name), dag_id)

    assert metadata.states(run) == dict.fromkeys(("upsert", "again", "stop"), "success")
    report, again, stop = (metadata.pulled(run, task) for task in ("upsert", "again", "stop"))
    assert (report["action"], report["state"], report["tasks"]) == ("created", "running", 1)
    assert (again["action"], stop["state"]) == ("unchanged", "stopped")
    assert connect.config(name)["database.password"] == PASSWORD
    fields = rendered_fields(run)
    assert fields["upsert"]["connector"] == name
    assert "***" in json.dumps(fields["upsert"]["config"])
    assert deferred
    out, err = capsys.readouterr()
    for seen in (json.dumps([report, again, stop]), json.dumps(fields), json.dumps(deferred), out, err, caplog.text):
        assert PASSWORD not in seen
