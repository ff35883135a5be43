"""Who waits for an outbox: the trigger and the sensor see what the drain with the same arguments would publish."""

import datetime as dt
import sqlite3
import uuid

import pytest
from psycopg.conninfo import conninfo_to_dict

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.sensors.outbox import PendingOutboxSensor
from airflow_legacy_events.triggers.outbox import PendingOutboxTrigger, RefusedTriggerError
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore
from tests.airflow import metadata
from tests.support.outbox import run_outbox
from tests.support.registered import Registered

ROWS = "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload) VALUES ({}, 'order', '1', '{}', '{{}}')"
DELETED = {"after_publish": "delete"}
MARKED = {"after_publish": "mark", "mark_column": "state", "mark_values": (0, 2), "order_columns": ["id"]}


@pytest.fixture
def conn_id(tmp_path):
    """A connection of an outbox in SQLite, with rows of which every second one is somebody else's."""
    name = f"legacy_{uuid.uuid4().hex[:8]}"
    metadata.put_connection(name, conn_type="sqlite", host=str(tmp_path / "crm.db"))
    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute(
            "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, aggregatetype TEXT, aggregateid TEXT NOT NULL,"
            " type TEXT, payload TEXT, state INTEGER NOT NULL DEFAULT 0)"
        )
        for number in range(1, 5):
            connection.execute(ROWS.format(number, "theirs" if number % 2 else "mine"))
    return name


def look(trigger):
    with metadata.as_task():
        try:
            return trigger._probe.look()
        finally:
            trigger._probe.end()


def asked(conn_id, **more):
    return {"source_conn_id": conn_id, "table": "outbox", **more}


@pytest.mark.parametrize("how", [DELETED, MARKED], ids=["delete", "mark"])
@pytest.mark.parametrize(("where", "rows", "bound"), [(None, 4, "4"), ("type = 'theirs'", 2, "3")])
def test_it_fires_for_what_the_drain_publishes_and_never_behind_it(tmp_path, conn_id, how, where, rows, bound):
    outbox = asked(conn_id, **how, where=where, cooldown=0)
    assert look(PendingOutboxTrigger(**outbox)) == {
        "stream": f"{conn_id}.outbox@outbox",
        "rows": rows,
        "bound": [bound],
    }

    url, store = f"sqlite:///{tmp_path / 'crm.db'}", MemoryWatermarkStore()
    report = run_outbox(url, MemoryBroker(), store, **how, where=where)
    assert (report.rows, report.watermark_to) == (rows, [bound])
    assert look(PendingOutboxTrigger(**outbox)) is None

    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute(ROWS.format(9, "theirs"))
    assert look(PendingOutboxTrigger(**outbox))["rows"] == 1


def test_rows_that_stay_are_news_until_the_watermark_has_passed_them(tmp_path, conn_id):
    outbox = asked(conn_id, after_publish="keep", cooldown=0)
    assert look(PendingOutboxTrigger(**outbox))["bound"] == ["4"]

    url, stream = f"sqlite:///{tmp_path / 'crm.db'}", f"{conn_id}.outbox@outbox"
    with metadata.as_server():
        store = Registered(VariableWatermarkStore(), name="variable")
        report = run_outbox(url, MemoryBroker(), store, after_publish="keep", conn_id=conn_id)
    assert (report.stream, report.rows) == (stream, 4)

    assert look(PendingOutboxTrigger(**outbox)) is None
    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute(ROWS.format(9, "mine"))
    assert look(PendingOutboxTrigger(**outbox)) == {"stream": stream, "rows": 1, "bound": ["9"]}


def test_a_lower_id_that_commits_late_is_news_once_the_higher_one_is_delivered(tmp_path, conn_id):
    outbox = asked(conn_id, cooldown=dt.timedelta(hours=1))
    assert look(PendingOutboxTrigger(**outbox))["bound"] == ["4"]
    run_outbox(f"sqlite:///{tmp_path / 'crm.db'}", MemoryBroker(), MemoryWatermarkStore())
    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute(ROWS.format(2, "late"))

    assert look(PendingOutboxTrigger(**outbox)) == {"stream": f"{conn_id}.outbox@outbox", "rows": 1, "bound": ["2"]}
    trigger = PendingOutboxTrigger(**outbox)
    assert look(trigger) is None
    assert dt.timedelta(0) < trigger._probe.held_back <= dt.timedelta(hours=1)


def test_who_watches_needs_no_right_to_write(postgres_database, conn_id):
    reader = f"reader_{uuid.uuid4().hex[:8]}"
    for statement in (
        "CREATE TABLE outbox (id bigint PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload text)",
        ROWS.format(1, "mine"),
        f"CREATE ROLE {reader} LOGIN",
        f"GRANT SELECT ON outbox TO {reader}",
    ):
        postgres_database.execute(statement)
    parts = conninfo_to_dict(postgres_database.dsn)
    metadata.put_connection(
        conn_id,
        conn_type="postgres",
        host=parts["host"],
        port=int(parts["port"]),
        login=reader,
        schema=postgres_database.name,
    )
    try:
        assert look(PendingOutboxTrigger(**asked(conn_id)))["rows"] == 1
        url = f"postgresql+psycopg://{reader}@{parts['host']}:{parts['port']}/{postgres_database.name}"
        with pytest.raises(ConfigurationError, match=r"the DELETE that acknowledges rows .* is refused"):
            run_outbox(url, MemoryBroker(), MemoryWatermarkStore())
    finally:
        postgres_database.execute(f"DROP OWNED BY {reader}; DROP ROLE {reader}")


SENSOR = """
from airflow.sdk import DAG
from airflow_legacy_events.sensors.outbox import PendingOutboxSensor

with DAG({dag_id!r}, schedule=None, params={{"table": "outbox", "type": "mine"}}):
    PendingOutboxSensor(
        task_id="wait",
        source_conn_id={conn_id!r},
        table="{{{{ params.table }}}}",
        where="type = '{{{{ params.type }}}}'",
        deferrable={deferrable},
    )
"""


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_sensor_returns_what_is_pending(conn_id, deferrable):
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    run = metadata.run_dag(SENSOR.format(dag_id=dag_id, conn_id=conn_id, deferrable=deferrable), dag_id)

    assert metadata.states(run) == {"wait": "success"}
    assert metadata.pulled(run, "wait") == {"stream": f"{conn_id}.outbox@outbox", "rows": 2, "bound": ["4"]}


def test_the_sensor_defers_to_a_trigger_of_its_own_arguments(conn_id):
    given = asked(conn_id, **MARKED, layout="debezium", columns={"event_type": "type"}, where="type <> ''")
    given |= {"watermark_store": "variable", "source_timezone": "Europe/Vienna", "channel": "news"}
    durations = {name: dt.timedelta(seconds=7) for name in ("poll_interval", "cooldown", "statement_timeout")}
    sensor = PendingOutboxSensor(task_id="wait", deferrable=True, **given, **durations)
    trigger = PendingOutboxTrigger(**given, **durations, waiter="adhoc_airflow.wait")

    assert sensor._trigger().serialize() == trigger.serialize()
    assert sensor._watch() == sensor._trigger().watch


def test_its_arguments_survive_the_metadata_database(conn_id):
    from airflow.models.trigger import Trigger
    from airflow.serialization.decoders import smart_decode_trigger_kwargs

    given = asked(conn_id, **MARKED, columns={"event_type": None}, channel="news", cooldown=dt.timedelta(days=2))
    trigger = PendingOutboxTrigger(**given)
    kept = Trigger.from_object(trigger)
    decoded = {name: smart_decode_trigger_kwargs(value) for name, value in kept.kwargs.items()}

    assert kept.classpath == "airflow_legacy_events.triggers.outbox.PendingOutboxTrigger"
    assert PendingOutboxTrigger(**decoded).serialize() == trigger.serialize()
    assert PendingOutboxTrigger(**decoded).watch.spec.columns == {"event_type": None}
    # Airflow 3.2 gives a watcher no dict as it was.
    assert not [
        name for name, value in trigger.serialize()[1].items() if isinstance(value, dict | tuple | dt.timedelta)
    ]


@pytest.mark.parametrize("made", [PendingOutboxTrigger, lambda **given: PendingOutboxSensor(task_id="wait", **given)])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"after_publish": "archive"}, "after_publish= must be one of 'delete', 'mark', 'keep'"),
        ({"mark_values": (0, 2)}, "mark_values= has no effect without after_publish='mark'"),
        ({"columns": {"kind": "type"}}, "columns= names 'kind'"),
        ({"watermark_store": "xcom"}, "'xcom' can't be read by a triggerer"),
        ({"cooldown": dt.timedelta(seconds=-1)}, "cooldown= must not be below zero"),
    ],
)
def test_what_can_not_work_is_refused_when_the_dag_is_parsed(made, wrong, message):
    with pytest.raises(ConfigurationError, match=message):
        made(**asked("c", **wrong))


def test_a_channel_must_have_a_name_and_somebody_who_listens():
    with pytest.raises(RefusedTriggerError, match="channel= must be the name of a channel"):
        PendingOutboxTrigger(**asked("c", channel=""))
    with pytest.raises(RefusedTriggerError, match=r"channel='\{\{ ds \}\}' is a template"):
        PendingOutboxTrigger(**asked("c", channel="{{ ds }}"))
    with pytest.raises(ConfigurationError, match="channel='news' was given without deferrable=True"):
        PendingOutboxSensor(task_id="wait", **asked("c", channel="news"), deferrable=False)


@pytest.mark.parametrize("name", ["topic", "stream"])
def test_what_does_not_name_an_outbox_is_no_argument(name):
    with pytest.raises(TypeError, match=name):
        PendingOutboxTrigger(**asked("c"), **{name: "x"})
    with pytest.raises(TypeError, match=name):
        PendingOutboxSensor(task_id="wait", **asked("c"), **{name: "x"})
