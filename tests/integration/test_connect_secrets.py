"""Forty runs of an upsert, in each form of a config and with each outcome: no secret is in what anyone can see."""

import datetime as dt
import json
import logging
import traceback

import pytest
from airflow.sdk import DAG

from airflow_legacy_events import errors
from airflow_legacy_events.operators.connect import ConnectorUpsertOperator
from tests.support import connectors
from tests.support.connectors import PASSWORD
from tests.support.databases import fresh_database

JAAS = 'org.apache.kafka.PlainLoginModule required username="crm" password="jaas-\\"quoted\\"-88";'
SECRETS = (PASSWORD, "jaas-", "header-secret-99", "old-secret-11")
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def shop(postgres18_logs):
    with fresh_database(postgres18_logs) as database, connectors.without_slots(database):
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
        yield database


@pytest.fixture(scope="module")
def stopped(shop, connect):
    """A connector that has another config than the declared one, and never runs."""
    name = connectors.new_name(connect)
    config = connectors.postgres_source(shop, name) | {"database.password": "old-secret-11"}
    texts = {key: str(value) for key, value in config.items()}
    connect.send("POST", "/connectors", json={"name": name, "config": texts, "initial_state": "STOPPED"})
    yield name
    connect.send("DELETE", f"/connectors/{name}")


def outcomes(name):
    """What is changed in the config, the further arguments, and whether it ends red."""
    return {
        "changed": ({}, {"dry_run": True}, None),
        "key": ({"max.batch.size": 9}, {"dry_run": True}, None),
        "drift": ({}, {"on_difference": "fail"}, errors.ConfigurationError),
        "validate": ({"database.hostname": "nowhere.invalid"}, {}, errors.ConfigurationError),
        "plugin": ({"connector.class": "Nope"}, {}, errors.ConfigurationError),
        "renamed": ({"table.whitelist": "x"}, {}, errors.ConfigurationError),
        "unknown": ({"tabel.include.list": "x"}, {"on_unknown_key": "fail"}, errors.ConfigurationError),
        "other name": ({"name": "other"}, {}, errors.ConfigurationError),
        "answered": ({}, {}, errors.ConnectError),
        "failing": ({"max.batch.size": 8}, {}, errors.ConnectError),
    }


@pytest.mark.parametrize("form", ["mapping", "text", "file", "template"])
@pytest.mark.parametrize("outcome", list(outcomes("")))
def test_no_secret_is_seen(  # noqa: PLR0917
    form, outcome, stopped, shop, monkeypatch, front, tmp_path, caplog, capsys
):
    connectors.connection(monkeypatch, front.url, headers={"X-Key": "header-secret-99"})
    changed, arguments, red = outcomes(stopped)[outcome]
    declared = connectors.postgres_source(shop, stopped) | {"driver.sasl.jaas.config": JAAS}
    front.fault = answering(front, outcome)
    task = rendered(form, declared | changed, stopped, tmp_path, arguments)
    seen = [json.dumps([getattr(task, name) for name in task.template_fields], default=repr)]
    with caplog.at_level(logging.DEBUG):
        if red is None:
            seen.append(json.dumps(task.execute({})))
        else:
            with pytest.raises(red) as raised:
                task.execute({})
            seen += ["".join(traceback.format_exception(raised.value)), repr(raised.value), repr(vars(raised.value))]
    seen += [json.dumps(task.config, default=repr), caplog.text, *capsys.readouterr()]

    assert [(secret, text) for text in seen for secret in SECRETS if secret in text] == []


def answering(front, outcome):
    """What a worker or a gateway says with a config in it."""
    if outcome == "answered":
        front.change = lambda request, body: body
        front.own = (400, {"message": f"Connector config {{database.password={PASSWORD}}} is wrong"})
        return lambda request: "own" if request.path.endswith("/config/validate") else None
    if outcome == "failing":
        front.own = (500, {"message": f"IllegalStateException: {JAAS} {PASSWORD} old-secret-11 header-secret-99"})
        return lambda request: "own" if request.writes else None
    return lambda _: None


def rendered(form, config, name, folder, arguments):
    text = json.dumps(config)
    (folder / "crm.json").write_text(text)
    given = {"mapping": config, "text": text, "file": "crm.json", "template": "{{ params.config | tojson }}"}[form]
    with DAG("d", schedule=None, start_date=START, template_searchpath=str(folder)):
        task = ConnectorUpsertOperator(
            task_id="t",
            connector=name if "name" not in config else "{{ params.name }}",
            config=given,
            timeout=dt.timedelta(seconds=30),
            stable_for=dt.timedelta(0),
            **arguments,
        )
    task.render_template_fields({"params": {"config": config, "name": name}})
    return task
