"""Offsets of a real connector: refused where it can't have them, and never left stopped."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
import sqlalchemy as sa

from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.operators.connect import (
    ConnectorDeleteOperator,
    ConnectorOffsetsOperator,
    ConnectorStateOperator,
)
from airflow_legacy_events.streams.former_state import FormerState
from tests.airflow import metadata
from tests.services.base import wait_until
from tests.support import connectors
from tests.support.connectors import postgres_source, slot_name
from tests.support.databases import fresh_database


@pytest.fixture(autouse=True)
def _reach():
    with metadata.as_server():
        yield


@pytest.fixture(scope="module")
def shop(postgres18_logs):
    with fresh_database(postgres18_logs) as found, connectors.without_slots(found):
        found.execute("CREATE TABLE orders (id serial PRIMARY KEY, note text)")
        yield found


@pytest.fixture
def source(shop, connector, connect, topics, monkeypatch):
    """A running source with offsets; gives its name."""
    connectors.connection(monkeypatch, connect.url)
    connectors.database_connection(monkeypatch, shop.url, "postgres")
    name = connector()
    connect.begin(name, postgres_source(shop, name))
    connect.wait_running(name)
    shop.execute("INSERT INTO orders (note) VALUES ('x')")
    wait_until(lambda: offsets(name)["after"], "the connector having offsets")
    return name


def offsets(name, **arguments):
    operator = ConnectorOffsetsOperator(task_id="o", connector=name, timeout=dt.timedelta(seconds=60), **arguments)
    return operator.execute({})


def delete(name, **arguments):
    operator = ConnectorDeleteOperator(task_id="d", connector=name, timeout=dt.timedelta(seconds=60), **arguments)
    return operator.execute({})


def state(connect, name):
    return connect.status(name)["connector"]["state"]


def words(error):
    return " ".join(str(error.value).split())


def test_backup_reset_restore(connect, source, tmp_path):
    file = tmp_path / "kept" / "offsets.json"
    before = offsets(source, action="backup", backup=str(file))["after"]
    assert json.loads(file.read_text()) == {"offsets": before}
    ConnectorStateOperator(task_id="p", connector=source, state="paused").execute({})
    assert offsets(source, action="reset")["after"] == []
    assert state(connect, source) == "PAUSED"
    report = offsets(source, action="restore", backup=str(file), force=True)
    assert (report["before"], report["after"]) == ([], before)
    assert state(connect, source) == "PAUSED"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: {**one, "partition": {"server": "another"}}, "has no offset of partition"),
        (lambda one: {**one, "offset": {"foo": "bar"}}, "offsets of another form"),
        (lambda one: {**one, "offset": {**one["offset"], "lsm": 1}}, "offsets of another form"),
        (lambda one: {**one, "offset": {**one["offset"], "lsn": 1}}, "up to which its slot"),
        (lambda one: {**one, "offset": {**one["offset"], "lsn": 1 << 60}}, "is beyond the log of its database"),
    ],
)
def test_what_a_connector_can_not_have_is_refused_and_its_own_stay(connect, source, change, said):
    live = offsets(source)["after"]
    with pytest.raises(ConfigurationError) as error:
        offsets(source, action="alter", offsets=[change(live[0])], source_conn_id="legacy_shop")
    assert said in words(error)
    assert state(connect, source) == "RUNNING"
    assert offsets(source)["after"][0]["partition"] == live[0]["partition"]


def test_an_empty_list_of_offsets_is_no_reset(connect, source):
    with pytest.raises(ConfigurationError) as error:
        offsets(source, action="alter", offsets="[]")
    assert "offsets= is empty" in words(error)
    assert offsets(source)["after"]
    assert state(connect, source) == "RUNNING"


def test_a_run_after_a_killed_one_ends_in_the_former_state(connect, source):
    former = FormerState("kafka_connect_default", source)
    former.remember("running")
    ConnectorStateOperator(task_id="s", connector=source, state="stopped").execute({})
    live = offsets(source)["after"]
    offsets(source, action="alter", offsets=live, source_conn_id="legacy_shop")
    connect.wait_running(source)
    assert former.remembered() is None


def test_an_error_after_the_stop_leaves_the_former_state(connect, source):
    with pytest.raises(ConfigurationError) as error:
        offsets(source, action="reset", backup="/proc/no/such")
    assert "which can't be written" in words(error)
    assert state(connect, source) in ("RUNNING", "UNASSIGNED")


def test_delete_and_begin_again_under_the_same_name(connect, shop, source, topics, tmp_path):
    file = tmp_path / "gone.json"
    report = delete(source, source_conn_id="legacy_shop", drop_slot=True, drop_publication=True, backup=str(file))
    assert report == {
        "connector": source,
        "deleted": True,
        "left": {"slot": None, "publication": None, "held_bytes": None, "sql": None},
    }
    kept = json.loads(file.read_text())
    assert kept["name"] == source
    assert kept["offsets"]
    assert connectors.PASSWORD not in file.read_text()
    assert shop.execute(f"SELECT FROM pg_replication_slots WHERE slot_name = '{slot_name(source)}'") == []
    assert shop.execute(f"SELECT FROM pg_publication WHERE pubname = '{slot_name(source)}'") == []
    rows = len(topics.read(f"{source}.public.orders"))
    connect.begin(source, postgres_source(shop, source))
    connect.wait_running(source)
    count = shop.execute("SELECT count(*) FROM orders")[0][0]
    wait_until(lambda: len(topics.read(f"{source}.public.orders")) == rows + count, "every row arriving again")


def test_a_connection_of_another_database_touches_nothing(connect, shop, source, monkeypatch):
    url = sa.make_url(shop.url).set(database="postgres")
    connectors.database_connection(monkeypatch, url, "postgres", "another")
    live = offsets(source)["after"]
    for call in (
        lambda: delete(source, source_conn_id="another", drop_slot=True),
        lambda: offsets(source, action="alter", offsets=live, source_conn_id="another"),
    ):
        with pytest.raises(ConfigurationError) as error:
            call()
        assert "source_conn_id='another' leads to database 'postgres', but" in words(error)
    assert state(connect, source) == "RUNNING"


def test_what_could_not_be_dropped_is_dropped_by_the_next_try(connect, shop, source, monkeypatch):
    role = f"r_{uuid.uuid4().hex[:10]}"
    shop.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{connectors.PASSWORD}'")
    url = sa.make_url(shop.url).set(username=role, password=connectors.PASSWORD)
    connectors.database_connection(monkeypatch, url, "postgres", "legacy_limited")
    try:
        with pytest.raises(ConfigurationError) as error:
            delete(source, source_conn_id="legacy_limited", drop_slot=True)
        shop.execute(str(error.value).splitlines()[-1])
        report = delete(source, source_conn_id="legacy_limited", drop_slot=True)
    finally:
        shop.execute(f"DROP ROLE {role}")
    assert (report["deleted"], report["left"]["slot"]) == (True, None)
    assert shop.execute(f"SELECT FROM pg_replication_slots WHERE slot_name = '{slot_name(source)}'") == []


def test_what_stays_is_named_with_the_wal_it_holds(source):
    left = delete(source, source_conn_id="legacy_shop")["left"]
    assert (left["slot"], left["publication"]) == (slot_name(source), slot_name(source))
    assert left["held_bytes"] >= 0
    assert left["sql"].startswith("SELECT pg_drop_replication_slot(")


def test_a_slot_that_another_connector_names_stays(connect, connector, shop, source):
    other = connector()
    config = postgres_source(shop, other, slot_name=slot_name(source), publication_name=slot_name(source))
    connect.begin(other, config)
    left = delete(source, source_conn_id="legacy_shop", drop_slot=True, drop_publication=True)["left"]
    assert left["slot"] == slot_name(source)
    connect.end(other)


def test_a_connector_that_is_not_there(connect, monkeypatch):
    connectors.connection(monkeypatch, connect.url)
    assert delete("no-such")["deleted"] is False
    for call in (lambda: delete("no-such", missing="fail"), lambda: offsets("no-such")):
        with pytest.raises(ConfigurationError) as error:
            call()
        assert "there is no connector 'no-such'" in words(error)


def test_offsets_of_a_sink_lie_within_its_topics(connect, connector, shop, topics, kafka, monkeypatch):
    connectors.connection(monkeypatch, connect.url)
    broker = {"conn_type": "kafka", "extra": {"bootstrap.servers": kafka.bootstrap}}
    monkeypatch.setenv("AIRFLOW_CONN_BROKER", json.dumps(broker))
    topic, name = topics.make(), connector()
    sink = postgres_source(shop, name)
    host, port, database = (sink[f"database.{one}"] for one in ("hostname", "port", "dbname"))
    connect.begin(
        name,
        {
            "connector.class": connectors.JDBC_SINK,
            "topics": topic,
            "connection.url": f"jdbc:postgresql://{host}:{port}/{database}",
            "connection.username": sink["database.user"],
            "connection.password": connectors.PASSWORD,
        },
    )
    connect.wait_running(name)

    def at(offset, topic=topic):
        return [{"partition": {"kafka_topic": topic, "kafka_partition": 0}, "offset": {"kafka_offset": offset}}]

    for given, said in ((at(99999), "is outside its log"), (at(0, "no-such-topic"), "does not read topic")):
        with pytest.raises(ConfigurationError) as error:
            offsets(name, action="alter", offsets=given, broker_conn_id="broker")
        assert said in words(error)
    assert offsets(name, action="alter", offsets=at(0), broker_conn_id="broker")["after"] == at(0)
    for argument in ("drop_slot", "drop_publication"):
        with pytest.raises(ConfigurationError) as error:
            delete(name, source_conn_id="legacy_shop", **{argument: True})
        assert f"{argument}=True was given, but" in words(error)
    assert state(connect, name) == "RUNNING"
