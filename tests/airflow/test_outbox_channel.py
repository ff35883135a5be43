"""A trigger that is told by NOTIFY: it looks every hour, so whatever it tells within a test it was woken for."""

import contextlib
import datetime as dt
import threading
import uuid

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from airflow_legacy_events.databases.postgres import listening
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.triggers import stream
from airflow_legacy_events.triggers.outbox import PendingOutboxTrigger
from tests.airflow import metadata
from tests.airflow.waiting import OTHERS, Outbox, Running, connect
from tests.services.base import wait_until
from tests.support.pooler import pooler


@pytest.fixture
def outbox(postgres_database):
    return Outbox(postgres_database, f"legacy_{uuid.uuid4().hex[:8]}")


def test_a_notification_brings_one_look_however_many_come_and_the_session_ends_with_the_trigger(outbox):
    with Running(outbox.trigger()) as running:
        running.begun()
        outbox.add(1, notifications=500)
        running.hears(1)
        assert running.looks == 3
        assert running.told == [{"stream": f"{outbox.conn_id}.outbox@outbox", "rows": 1, "bound": ["1"]}]
    wait_until(lambda: not outbox.listeners(), "the end of the listening session")


def test_a_notification_that_comes_while_a_look_runs_is_not_lost(outbox):
    heard = threading.Event()

    def commit():
        with outbox.subscribed(heard.set):
            outbox.add(2)
            assert heard.wait(30)

    with Running(outbox.trigger()) as running:
        running.begun()
        running.during = commit
        outbox.add(1)
        running.hears(1)
        running.hears(2)


def test_a_lower_id_that_commits_late_fires_when_the_cooldown_is_over(outbox):
    with Running(outbox.trigger(cooldown=2)) as running:
        running.begun()
        outbox.add(10)
        running.hears(10)
        outbox.add(3)
        wait_until(lambda: len(running.told) == 2, "the event for the late row")

    assert [(one["rows"], one["bound"]) for one in running.told] == [(1, ["10"]), (2, ["10"])]


def test_a_notification_of_a_row_above_the_horizon_is_looked_for_until_it_moves(outbox, postgres_database, monkeypatch):
    """The row's own look finds a lower id open; the commit of that one notifies nobody."""
    monkeypatch.setattr(stream, "_HORIZON_SECONDS", (0.1, 0.2))
    with Running(outbox.trigger(after_publish="keep")) as running:
        running.begun()
        with psycopg.connect(postgres_database.dsn) as late:
            late.execute("INSERT INTO outbox VALUES (3, 'order', '1', 'placed', '{}')")
            outbox.add(10)
            wait_until(lambda: running.looks >= 5, "three looks at the row above the horizon")
            assert running.told == []
        running.hears(10)
    assert [(one["rows"], one["bound"]) for one in running.told] == [(2, ["10"])]


def test_all_who_wait_share_one_listening_session_until_the_last_one_leaves(outbox):
    heard = [threading.Event() for _ in range(20)]
    with metadata.as_task(), contextlib.ExitStack() as others:
        for one in heard:
            others.enter_context(outbox.subscribed(one.set))
        assert heard[0].wait(30), "the first one was not told that it listens"
        for one in heard:
            one.clear()
        outbox.execute("SELECT pg_notify('news', '')")
        assert all(one.wait(30) for one in heard)
        assert len(outbox.listeners()) == 1
    wait_until(lambda: not outbox.listeners(), "the end of the listening session")


def test_a_lost_session_is_opened_anew_and_what_came_meanwhile_is_looked_for(outbox):
    """The sessions of looks are lost, too: the first look behind it fails, and is repeated."""
    with Running(outbox.trigger()) as running:
        [lost] = running.begun() and outbox.listeners()
        outbox.execute("INSERT INTO outbox VALUES (1, 'order', '1', 't', '{}')")
        outbox.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")
        running.hears(1)
        assert lost not in outbox.listeners()
        outbox.add(2)
        running.hears(2)


def test_behind_a_pooler_that_loses_notifications_one_warning_says_so_and_looking_goes_on(
    outbox, postgres_database, monkeypatch, caplog
):
    monkeypatch.setattr(listening, "_ARRIVAL_SECONDS", 0.2)
    parts = conninfo_to_dict(postgres_database.dsn)
    with pooler(parts["host"], int(parts["port"])) as port:
        extra = '{"sslmode": "disable", "gssencmode": "disable"}'
        connect(postgres_database, outbox.conn_id, host="127.0.0.1", port=port, extra=extra)
        with Running(outbox.trigger(poll_interval=dt.timedelta(milliseconds=50))) as running:
            wait_until(lambda: "PgBouncer, loses LISTEN" in caplog.text, "the warning")
            outbox.add(1)
            running.hears(1)
    assert [one.levelname for one in caplog.records if one.name.endswith("streams.listening")] == ["WARNING"]
    wait_until(lambda: not outbox.listeners(), "the end of the listening session")


def test_a_channel_where_there_are_none_is_refused_at_the_first_look(shop):
    trigger = PendingOutboxTrigger(source_conn_id="legacy_shop", table="outbox", channel="news")

    with (
        metadata.as_task(),
        pytest.raises(ConfigurationError, match="'legacy_shop' leads to sqlite, which has no NOTIFY"),
    ):
        trigger._probe.look()


SENSOR = """
import datetime
from airflow.sdk import DAG
from airflow_legacy_events.sensors.outbox import PendingOutboxSensor

with DAG({dag_id!r}, schedule=None):
    PendingOutboxSensor(
        task_id="wait",
        source_conn_id={conn_id!r},
        table="outbox",
        channel="news",
        poll_interval=datetime.timedelta(hours=1),
        deferrable=True,
    )
"""


def test_a_deferred_sensor_is_woken(outbox):
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"

    def commit():
        wait_until(outbox.listeners, "the trigger listening")
        outbox.add(1)

    application = threading.Thread(target=commit)
    application.start()
    run = metadata.run_dag(SENSOR.format(dag_id=dag_id, conn_id=outbox.conn_id), dag_id)
    application.join()

    assert metadata.states(run) == {"wait": "success"}
    assert metadata.pulled(run, "wait")["bound"] == ["1"]
    wait_until(lambda: outbox.execute(f"SELECT count(*) {OTHERS}") == [(0,)], "the end of the trigger's sessions")
