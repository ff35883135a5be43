"""Upserts of connectors on a real worker: what is written, what is refused, and what is seen to run."""

import datetime as dt
import json
import logging

import pytest
import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowFailException

from airflow_legacy_events import errors
from airflow_legacy_events.connect import debezium_source, jdbc_sink
from airflow_legacy_events.operators.connect import ConnectorUpsertOperator
from tests.services.base import wait_until
from tests.support import connectors
from tests.support.connectors import PASSWORD, postgres_source
from tests.support.databases import fresh_database

QUICK = dt.timedelta(seconds=0.5)
HALF_MINUTE = dt.timedelta(seconds=60)


@pytest.fixture(scope="module")
def shop(postgres18_logs):
    with fresh_database(postgres18_logs) as database, connectors.without_slots(database):
        for table in ("orders", "customers"):
            database.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, note text)")
            database.execute(f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')")
        yield database


@pytest.fixture
def upsert(monkeypatch, front):
    """Runs an upsert through the front; returns its report."""
    connectors.connection(monkeypatch, front.url)

    def run(name, config, **arguments):
        arguments = {"stable_for": QUICK, "timeout": HALF_MINUTE} | arguments
        return ConnectorUpsertOperator(task_id="upsert", connector=name, config=config, **arguments).execute({})

    return run


@pytest.fixture(scope="module")
def settled(shop, connect):
    """A connector that runs, with its declaration, for tests that leave it as it is."""
    name = connectors.new_name(connect)
    connect.made.remove(name)
    config = postgres_source(shop, name)
    connect.begin(name, config)
    connect.wait_running(name)
    yield name, config
    connect.end(name)


@pytest.fixture
def running(shop, connector, upsert, front, connect):
    """A connector that runs, with its declaration; the front has seen nothing of it."""
    name = connector()
    config = postgres_source(shop, name)
    connect.begin(name, config)
    connect.wait_running(name)
    return name, config


def test_a_new_connector_is_created_and_seen_to_run(shop, connector, upsert, front, connect):
    name = connector()
    report = upsert(name, postgres_source(shop, name))

    assert {key: report[key] for key in ("connector", "action", "unknown", "not_snapshotted", "state", "tasks")} == {
        "connector": name,
        "action": "created",
        "unknown": {},
        "not_snapshotted": [],
        "state": "running",
        "tasks": 1,
    }
    assert report["diff"]["database.password"] == {"live": None, "declared": "***"}
    assert report["diff"]["slot.name"] == {"live": None, "declared": connectors.slot_name(name)}
    assert [one.method for one in front.writes] == ["PUT"]
    assert [task["state"] for task in connect.status(name)["tasks"]] == ["RUNNING"]
    assert json.loads(json.dumps(report)) == report


@pytest.mark.parametrize("state", ["paused", "stopped"])
def test_a_new_connector_begins_in_the_state_that_is_requested(shop, connector, upsert, front, connect, state):
    name = connector()
    report = upsert(name, postgres_source(shop, name), state=state)

    assert (report["action"], report["state"]) == ("created", state)
    assert connect.status(name)["connector"]["state"] == state.upper()
    assert [(one.method, one.body["initial_state"]) for one in front.writes] == [("POST", state.upper())]


def test_nothing_is_written_where_nothing_differs(settled, upsert, front):
    name, config = settled
    report = upsert(name, config | {"max.batch.size": None})

    assert (report["action"], report["diff"], report["state"], report["tasks"]) == ("unchanged", {}, "running", 1)
    assert front.writes == []


def test_a_change_is_seen_in_the_tasks_and_a_key_that_is_taken_out_is_gone(running, upsert, front, connect):
    name, config = running
    upsert(name, config | {"heartbeat.interval.ms": 5000})
    report = upsert(name, config | {"max.batch.size": 100, "provide.transaction.metadata": True})

    assert report["action"] == "updated"
    assert report["diff"] == {
        "heartbeat.interval.ms": {"live": "5000", "declared": None},
        "max.batch.size": {"live": None, "declared": "100"},
        "provide.transaction.metadata": {"live": None, "declared": "true"},
    }
    (task,) = connect.send("GET", f"/connectors/{name}/tasks").json()
    assert (task["config"]["max.batch.size"], task["config"].get("heartbeat.interval.ms")) == ("100", None)
    assert (report["state"], len(front.writes)) == ("running", 2)


def test_a_stopped_connector_stays_so_and_has_the_new_config(running, upsert, front, connect):
    name, config = running
    connect.send("PUT", f"/connectors/{name}/stop")
    report = upsert(name, config | {"max.batch.size": 100})

    assert (report["action"], report["state"], report["tasks"]) == ("updated", "stopped", 0)
    assert connect.config(name)["max.batch.size"] == "100"


def test_drift_is_red_and_stays_as_it_is(settled, shop, upsert, front, connect):
    name, config = settled
    before = connect.config(name)
    with pytest.raises(errors.ConfigurationError) as raised:
        upsert(name, config | {"max.batch.size": 100, "database.password": "another-one"}, on_difference="fail")

    assert isinstance(raised.value, AirflowFailException)
    text = str(raised.value)
    assert "max.batch.size: absent -> '100'" in text
    assert "database.password: '***' -> '***'" in text
    assert "another-one" not in text
    assert PASSWORD not in text
    assert (front.writes, connect.config(name)) == ([], before)
    with pytest.raises(errors.ConfigurationError, match="there is no connector"):
        upsert("not-there", postgres_source(shop, "not-there"), on_difference="fail")


def test_a_dry_run_returns_the_difference_and_writes_nothing(settled, shop, connector, upsert, front):
    name, config = settled
    report = upsert(name, config | {"table.include.list": "public.orders,public.customers"}, dry_run=True)
    new = upsert(other := connector(), postgres_source(shop, other), dry_run=True)

    assert (report["action"], [*report["diff"]]) == ("would_update", ["table.include.list"])
    assert report["not_snapshotted"] == ["public.customers"]
    assert (new["action"], new["state"], new["tasks"]) == ("would_create", None, 0)
    assert upsert(name, config, dry_run=True)["action"] == "unchanged"
    assert front.writes == []


def test_tables_that_are_added_are_reported_and_the_log_names_the_remedy(running, upsert, caplog):
    name, config = running
    with caplog.at_level(logging.WARNING):
        report = upsert(name, config | {"table.include.list": ["public.orders", "public.customers"]})

    assert (report["action"], report["not_snapshotted"]) == ("updated", ["public.customers"])
    assert "public.customers: send them with DebeziumSignalOperator" in caplog.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"connector.class": "io.debezium.connector.postgresql.PostgresConector"},
            ["Did you mean", "JdbcSinkConnector"],
        ),
        ({"table.whitelist": "public.orders"}, ["'table.whitelist' is ignored", "'table.include.list'"]),
        ({"database.server.name": "crm"}, ["'topic.prefix'"]),
        ({"database.history.kafka.topic": "h"}, ["'schema.history.internal.kafka.topic'"]),
        ({"snapshot.mode": "sometimes"}, ["'snapshot.mode' is refused"]),
        ({"database.user": "stranger"}, ["does not exist"]),
        ({"database.password": "****"}, ["masked"]),
    ],
)
def test_a_config_that_is_wrong_is_refused_before_any_write(shop, connector, upsert, front, changed, said):
    name = connector()
    with pytest.raises(errors.ConfigurationError) as raised:
        upsert(name, postgres_source(shop, name) | changed)

    assert [one for one in said if one not in str(raised.value)] == []
    assert "ConfigValueInfo" not in str(raised.value)
    assert PASSWORD not in str(raised.value)
    assert front.writes == []


def test_a_wrong_password_is_refused_before_any_write(mariadb_logs, kafka, connector, upsert, front):
    name = connector()
    with fresh_database(mariadb_logs) as database:
        config = connectors.mariadb_source(database, name, kafka.bootstrap) | {"database.password": "guessed-it"}
        with pytest.raises(errors.ConfigurationError, match=r"Access\s+denied\s+for\s+user") as raised:
            upsert(name, config)
    assert "guessed-it" not in str(raised.value)
    assert front.writes == []


def test_all_problems_are_in_one_error(shop, connector, upsert, front):
    name = connector()
    config = postgres_source(shop, name) | {"table.whitelist": "a", "snapshot.mode": "x", "tabel.include.list": "b"}
    with pytest.raises(errors.ConfigurationError) as raised:
        upsert(name, config, on_unknown_key="fail")

    assert "has 3 problems" in str(raised.value)
    assert "'tabel.include.list' (did you mean 'table.include.list'?)" in str(raised.value).replace("\n  ", " ")


def test_a_misspelt_key_is_reported_and_what_is_passed_on_is_not(settled, upsert, caplog):
    name, config = settled
    passed_on = {"driver.application_name": "x", "signal.kafka.consumer.security.protocol": "PLAINTEXT"}
    misspelt = {"tabel.include.list": "public.orders", **passed_on, "column.mask.with.3.chars": "public.orders.note"}
    with caplog.at_level(logging.WARNING):
        report = upsert(name, config | misspelt, dry_run=True)
        quiet = upsert(name, config | misspelt, dry_run=True, on_unknown_key="ignore")

    assert report["unknown"] == {"tabel.include.list": "table.include.list"} == quiet["unknown"]
    assert caplog.text.count("did you mean 'table.include.list'?") == 1


def test_what_drops_records_is_a_warning(settled, upsert, caplog):
    name, config = settled
    tolerant = {"errors.tolerance": "all", "event.processing.failure.handling.mode": "skip"}
    with caplog.at_level(logging.WARNING):
        upsert(name, config | tolerant, dry_run=True)

    assert all(f"{key}={value!r}: the connector drops records" in caplog.text for key, value in tolerant.items())


def test_what_another_connector_uses_is_refused(settled, shop, connector, upsert, front):
    taken, config = settled
    name = connector()
    with pytest.raises(errors.ConfigurationError) as raised:
        upsert(name, postgres_source(shop, name) | {"topic.prefix": taken})
    assert f"connector {taken!r} has topic.prefix {taken!r} too" in str(raised.value)
    with pytest.raises(errors.ConfigurationError) as raised:
        upsert(name, postgres_source(shop, name) | {"slot.name": config["slot.name"]})
    assert f"connector {taken!r} reads slot {config['slot.name']!r}" in str(raised.value)
    with pytest.raises(errors.ConfigurationError) as raised:
        upsert(name, postgres_source(shop, name) | {"topic.prefix": taken, "connector.class": "PostgresConnector"})
    assert f"connector {taken!r} has topic.prefix {taken!r} too" in str(raised.value)
    assert front.writes == []


def test_a_server_id_or_history_topic_of_another_connector_is_refused(mariadb_logs, kafka, connector, upsert, connect):
    first, second = connector(), connector()
    with fresh_database(mariadb_logs) as database:
        config = connectors.mariadb_source(database, first, kafka.bootstrap)
        connect.send(
            "POST",
            "/connectors",
            json={"name": first, "config": {**{k: str(v) for k, v in config.items()}}, "initial_state": "STOPPED"},
        )
        with pytest.raises(errors.ConfigurationError) as raised:
            upsert(second, config | {"topic.prefix": second})

    assert "has schema.history.internal.kafka.topic" in str(raised.value)
    assert "has database.server.id" in str(raised.value)


@pytest.mark.parametrize("name", ["a/b", "ä%2F", "tab\tbed", " edge", ""])
def test_names_that_no_worker_serves_are_refused(upsert, front, name):
    with pytest.raises(errors.ConfigurationError, match="connector="):
        upsert(name, {"connector.class": "X"})
    assert front.received == []


def test_a_name_with_a_blank_and_an_umlaut_has_a_whole_life(shop, connector, upsert, connect):
    name = f"{connector()} ä"
    connect.made.append(name)
    prefix = connector()
    assert upsert(name, postgres_source(shop, prefix))["action"] == "created"
    assert upsert(name, postgres_source(shop, prefix))["action"] == "unchanged"
    assert connect.send("DELETE", f"/connectors/{name}").status_code == 204


def test_a_value_that_the_api_masks_is_no_difference_and_is_never_written(running, upsert, front, caplog):
    name, config = running

    def masked(request, body):
        if request.path == f"/connectors/{name}/config" and request.method == "GET":
            return {**body, "database.password": "****************"}
        return body

    front.change = masked
    with caplog.at_level(logging.WARNING):
        assert upsert(name, config)["action"] == "unchanged"
    assert front.writes == []
    assert caplog.text.count("hides database.password") == 1

    assert [*upsert(name, config | {"max.batch.size": 100})["diff"]] == ["max.batch.size"]
    assert [one.body["database.password"] for one in front.writes] == [PASSWORD]


def test_a_put_of_another_hand_meanwhile_is_noticed(running, upsert, front, connect):
    name, config = running

    def other(request):
        if request.path == f"/connectors/{name}/tasks":
            front.fault = lambda _: None
            connect.send("PUT", f"/connectors/{name}/config", json={**connect.config(name), "max.batch.size": "7"})

    front.fault = other
    with pytest.raises(errors.ConnectError, match=r"(?s)another config while.*max\.batch\.size: '7' -> '100'"):
        upsert(name, config | {"max.batch.size": 100})


def test_a_task_that_fails_with_what_was_written_is_red_with_the_cause(shop, connector, upsert):
    name = connector()
    config = postgres_source(shop, name) | {"publication.autocreate.mode": "disabled", "publication.name": "not_there"}
    with pytest.raises(errors.ConnectorFailedError) as raised:
        upsert(name, config)

    assert "Publication autocreation is disabled" in raised.value.trace
    assert "\tat " not in raised.value.trace
    assert len(raised.value.trace) <= 2_000


def test_a_connector_that_failed_runs_with_a_better_config_and_is_not_hidden_without_one(
    shop, connector, upsert, connect, caplog
):
    name = connector()
    config = postgres_source(shop, name)
    connect.begin(name, config | {"publication.autocreate.mode": "disabled", "publication.name": "not_there"})
    wait_until(lambda: connect.failure(name), "the task failing")
    with caplog.at_level(logging.WARNING):
        found = upsert(name, config | {"publication.autocreate.mode": "disabled", "publication.name": "not_there"})
    assert (found["action"], found["state"]) == ("unchanged", "failed")
    assert "is as declared, but task 0 FAILED" in caplog.text

    report = upsert(name, config)
    assert (report["action"], report["state"], connect.failure(name)) == ("updated", "running", None)


@pytest.mark.parametrize("last", [None, "cut_before"])
def test_what_is_not_stable_in_time_is_red_with_what_was_seen_last(shop, connector, upsert, front, monkeypatch, last):
    name, minute = connector(), dt.timedelta(minutes=1)
    seen = []

    def running(request, body):
        if request.path.endswith("/status") and [task["state"] for task in body.get("tasks", [])] == ["RUNNING"]:
            seen.append(body)
        return body

    front.change = running
    front.fault = lambda _: last if len(seen) > 1 else None
    connectors.time_over_once(monkeypatch, lambda: len(seen) > 1)
    with pytest.raises(errors.ConnectError, match=r"stable_for=0:01:00\s+after") as raised:
        upsert(name, postgres_source(shop, name), stable_for=minute)
    assert "connector RUNNING, task 0 RUNNING" in str(raised.value)


def test_placeholders_are_shown_and_resolved_by_the_worker(shop, connector, upsert, tmp_path):
    name = connector()
    secrets = tmp_path / "crm.properties"
    secrets.write_text(f"password={PASSWORD}\n")
    placeholder = f"${{file:{secrets}:password}}"
    report = upsert(name, postgres_source(shop, name) | {"database.password": placeholder})

    assert (report["state"], report["diff"]["database.password"]["declared"]) == ("running", placeholder)


@pytest.fixture
def target(mariadb_logs, monkeypatch):
    """Puts a connection that leads to a database; returns its id."""
    url = sa.make_url(mariadb_logs.url("mysql"))
    fields = {"conn_type": "mysql", "host": url.host, "port": url.port, "login": url.username, "schema": "mysql"}

    def put(**changed):
        made = fields | {"password": url.password} | changed
        monkeypatch.setenv("AIRFLOW_CONN_TARGET", json.dumps(made))
        return "target"

    return put


def test_a_builders_config_takes_what_it_needs_from_connections(shop, connector, upsert, connect, monkeypatch, caplog):
    name = connector()
    own = postgres_source(shop, name)
    fields = {"host": own["database.hostname"], "port": int(own["database.port"]), "login": own["database.user"]}
    made = {"conn_type": "postgres", **fields, "password": PASSWORD, "schema": shop.name}
    monkeypatch.setenv("AIRFLOW_CONN_CRM_DB", json.dumps(made))
    config = debezium_source(
        connector="postgres",
        source_conn_id="crm_db",
        topic_prefix=name,
        tables=["public.orders"],
        slot_name=connectors.slot_name(name),
        publication_name=connectors.slot_name(name),
    )
    report = upsert(name, config)

    assert (report["action"], report["state"]) == ("created", "running")
    assert report["diff"]["database.password"] == {"live": None, "declared": "***"}
    assert connect.config(name)["database.password"] == PASSWORD
    assert PASSWORD not in json.dumps(report) + caplog.text
    assert upsert(name, config)["action"] == "unchanged"


def test_a_sink_whose_login_is_refused_is_refused_before_any_write(connector, upsert, front, target):
    name = connector()
    sink = jdbc_sink(target_conn_id=target(password="guessed-it"), topics=[name])
    with pytest.raises(errors.ConfigurationError) as raised:
        upsert(name, sink)

    assert "the database refuses connection 'target'" in " ".join(str(raised.value).split())
    assert "guessed-it" not in str(raised.value)
    assert front.writes == []


def test_a_sink_whose_database_is_not_reached_from_here_is_a_warning(connector, upsert, target, caplog):
    name = connector()
    with caplog.at_level(logging.WARNING):
        report = upsert(name, jdbc_sink(target_conn_id=target(port=1), topics=[name]), dry_run=True)

    assert report["action"] == "would_create"
    assert "the login of connection 'target' could not be tried from here" in caplog.text
    caplog.clear()
    assert upsert(name, jdbc_sink(target_conn_id=target(), topics=[name]), dry_run=True)["unknown"] == {}
    assert "could not be tried" not in caplog.text


def test_a_sink_that_validate_lets_through_is_refused(connector, upsert, front):
    name = connector()
    sink = {"connector.class": connectors.JDBC_SINK, "topics": name, "connection.url": "jdbc:postgresql://h/d"}
    with pytest.raises(errors.ConfigurationError, match=r"insert\.mode= must be one of"):
        upsert(name, sink | {"insert.mode": "bogus"})
    assert front.writes == []


@pytest.mark.parametrize("wrong", [{"state": "up"}, {"on_difference": "x"}, {"on_unknown_key": "x"}, {"stable_for": 3}])
def test_arguments_that_are_wrong_stop_the_dag_from_being_loaded(wrong):
    with pytest.raises(errors.ConfigurationError):
        ConnectorUpsertOperator(task_id="t", connector="c", config={"connector.class": "X"}, **wrong)
