"""Signals to a real Debezium: green only when every table was read, and each reason for silence is an error before."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from airflow.sdk.exceptions import TaskDeferred

from airflow_legacy_events.errors import ConfigurationError, ConnectError
from airflow_legacy_events.operators.connect import ConnectorStateOperator, DebeziumSignalOperator
from tests.services.base import wait_until
from tests.support import connectors
from tests.support.connectors import postgres_source
from tests.support.databases import fresh_database
from tests.support.profile import LONG

TABLES = ("public.orders", "public.lines")


@pytest.fixture(scope="module")
def shop(postgres18_logs):
    with fresh_database(postgres18_logs) as found, connectors.without_slots(found):
        for table in ("orders", "lines", "many"):
            found.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, note text)")
        found.execute("CREATE TABLE unsent (id int PRIMARY KEY)")
        found.execute("CREATE TABLE signals (id varchar(42) PRIMARY KEY, type varchar(32), data varchar(2048))")
        found.execute("INSERT INTO orders SELECT g, 'o' FROM generate_series(1, 300) g")
        found.execute("INSERT INTO lines SELECT g, 'l' FROM generate_series(1, 20) g")
        found.execute("INSERT INTO many SELECT g, 'm' FROM generate_series(1, 10000) g")
        yield found


@pytest.fixture
def config(shop, kafka, topics, monkeypatch):
    connectors.database_connection(monkeypatch, shop.url, "postgres")
    broker = {"conn_type": "kafka", "extra": {"bootstrap.servers": kafka.bootstrap}}
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", json.dumps(broker))

    def made(name, **changed):
        given = {
            "snapshot_mode": "no_data",
            "signal_data_collection": "public.signals",
            "signal_poll_interval_ms": 200,
            "notification_enabled_channels": "sink",
            "notification_sink_topic_name": f"{name}.notifications",
            **changed,
        }
        return postgres_source(shop, name, *TABLES, "public.many", "public.signals", **given)

    return made


@pytest.fixture
def source(config, connector, connect, monkeypatch):
    """Begins a source with some settings changed; gives its name."""
    connectors.connection(monkeypatch, connect.url)

    def begin(**changed):
        name = connector()
        connect.begin(name, config(name, **changed))
        connect.wait_running(name)
        return name

    return begin


def signal(name, **arguments):
    arguments = {"source_conn_id": "legacy_shop", "timeout": dt.timedelta(seconds=60), **arguments}
    return DebeziumSignalOperator(task_id="signal", connector=name, **arguments).execute({})


def count(topics, topic):
    try:
        return sum(one.event["op"] == "r" for one in topics.read(topic) if one.value)
    except KeyError:  # the topic is not there yet
        return 0


def words(error):
    return " ".join(str(error.value).split())


def test_a_snapshot_of_two_tables_one_with_a_condition(source, topics):
    name = source()
    report = signal(name, tables=TABLES, conditions={"public.orders": "id > 250"})
    assert report["tables"] == {
        "public.orders": {"status": "SUCCEEDED", "rows": 50},
        "public.lines": {"status": "SUCCEEDED", "rows": 20},
    }
    assert [count(topics, f"{name}.{table}") for table in TABLES] == [50, 20]


@pytest.mark.parametrize(
    ("conditions", "rows"),
    [(None, 20), ({"public.lines": "id > 15"}, 5), ({"public.lines": "SELECT * FROM lines WHERE id > 12"}, 8)],
)
def test_a_blocking_snapshot(source, topics, conditions, rows):
    name = source()
    report = signal(name, tables=["public.lines"], snapshot="blocking", conditions=conditions)
    assert report["tables"] == {"public.lines": {"status": "SUCCEEDED", "rows": rows}}
    assert count(topics, f"{name}.public.lines") == rows


def test_a_condition_that_is_no_sql_is_red(source):
    with pytest.raises(ConnectError) as error:
        signal(source(), tables=["public.lines"], conditions={"public.lines": "no_such_column > 1"})
    assert "did not read every table: public.lines: SQL_EXCEPTION" in words(error)


def test_a_snapshot_that_is_stopped_midway_is_red_and_another_one_waits_for_its_end(source, topics):
    name = source(incremental_snapshot_chunk_size=2)
    failed = []

    def run():
        try:
            signal(name, tables=["public.many"])
        except ConnectError as error:
            failed.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: count(topics, f"{name}.public.many") > 100, "the snapshot going through its rows")
    assert signal(name, signal="stop-snapshot")["tables"] == {}
    thread.join(60)
    assert "was stopped" in " ".join(failed[0].split())
    assert signal(name, tables=["public.lines"])["tables"]["public.lines"]["rows"] == 20


@pytest.mark.parametrize(
    ("changed", "given", "said"),
    [
        ({}, {"tables": ["public.unsent"]}, "does not capture table 'public.unsent'"),
        ({}, {"channel": "kafka"}, "not the channel 'kafka'"),
        ({}, {"source_conn_id": None}, "source_conn_id= is missing"),
        ({"notification_enabled_channels": "log"}, {}, "sends no notifications"),
        ({"column_exclude_list": "public.signals.data"}, {}, "leaves out data of its signal table"),
        ({"publication_autocreate_mode": "disabled"}, {}, "ALTER PUBLICATION"),
    ],
)
def test_what_would_be_ignored_is_an_error_before_anything_is_written(shop, source, changed, given, said):
    if "publication_autocreate_mode" in changed:
        shop.execute("DROP PUBLICATION IF EXISTS only_orders; CREATE PUBLICATION only_orders FOR TABLE orders")
        changed = {**changed, "publication_name": "only_orders"}
    name = source(**changed)
    shop.execute("DELETE FROM signals")
    with pytest.raises(ConfigurationError) as error:
        signal(name, **{"tables": ["public.orders"], **given})
    assert said in words(error)
    assert shop.execute("SELECT count(*) FROM signals") == [(0,)]


def test_a_connector_that_is_paused_takes_no_signal(source):
    name = source()
    ConnectorStateOperator(task_id="pause", connector=name, state="paused").execute({})
    with pytest.raises(ConnectError) as error:
        signal(name, tables=TABLES)
    assert "must be RUNNING to take a signal" in words(error)


def test_a_deferred_signal_is_answered_in_the_triggerer(source):
    name = source()
    operator = DebeziumSignalOperator(
        task_id="signal", connector=name, source_conn_id="legacy_shop", tables=["public.lines"], deferrable=True
    )
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    _, arguments = deferred.value.trigger.serialize()
    made = type(deferred.value.trigger)(**json.loads(json.dumps(arguments)))
    event = asyncio.run(anext(made.run())).payload
    report = operator.execute_complete({}, event)
    assert report["tables"] == {"public.lines": {"status": "SUCCEEDED", "rows": 20}}


def test_two_at_once_follow_one_another(source, topics):
    name = source(incremental_snapshot_chunk_size=100)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(signal, name, tables=["public.many"])
        wait_until(lambda: count(topics, f"{name}.public.many") > 0, "the first snapshot going through its rows")
        second = pool.submit(signal, name, tables=TABLES)
        found = first.result()["tables"] | second.result()["tables"]
    assert {table: one["rows"] for table, one in found.items()} == {
        "public.many": 10_000,
        "public.orders": 300,
        "public.lines": 20,
    }


if LONG:

    @pytest.mark.parametrize("round_", range(3))
    def test_signals_by_a_topic(source, topics, kafka, round_):
        topic = topics.make()
        name = source(
            signal_enabled_channels="kafka",
            signal_kafka_topic=topic,
            signal_kafka_bootstrap_servers=kafka.bootstrap,
            read_only="true",
        )
        assert signal(name, tables=["public.lines"], source_conn_id=None)["tables"]["public.lines"]["rows"] == 20
