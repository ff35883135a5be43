"""Replication slots are never forgotten: the commands that list and drop them, and the task that is red in time."""

from __future__ import annotations

import json
import uuid

import pytest

from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.operators.slots import ReplicationSlotCheckOperator
from tests.airflow import metadata
from tests.airflow.logs import CONN_ID, logged
from tests.support.messages import one_line

CHECK = """
from airflow.sdk import DAG
from airflow_legacy_events.operators.slots import ReplicationSlotCheckOperator

with DAG({dag_id!r}, schedule=None):
    ReplicationSlotCheckOperator(task_id="slots", source_conn_id={conn_id!r}, **{arguments!r})
"""


@pytest.fixture
def crm(request, broker):
    """A database with one table and one slot, and Airflow with the DAG that reads it."""
    with logged(request.getfixturevalue(getattr(request, "param", "postgres18_logs")), broker) as made:
        made.execute("CREATE TABLE orders (id int PRIMARY KEY)")
        made.drain = made.dag()
        assert str(made.drain.run().state) == "success"
        yield made


@pytest.fixture
def slots(capsys):
    """Returns a function that calls `airflow legacy-events slots`; it gives what was printed, and the error."""

    def call(*words):
        capsys.readouterr()
        error = None
        try:
            metadata.cli("legacy-events", "slots", *words, "--conn-id", CONN_ID)
        except SystemExit as ended:
            error = str(ended)
        return capsys.readouterr().out, error

    return call


def check(**arguments):
    dag_id = f"check_{uuid.uuid4().hex[:12]}"
    return metadata.run_dag(CHECK.format(dag_id=dag_id, conn_id=CONN_ID, arguments=arguments), dag_id)


def listed(slots, *words):
    out, error = slots("list", "-o", "json", *words)
    return json.loads(out), error


@pytest.mark.parametrize("crm", ["postgres_logs", "postgres18_logs"], indirect=True)
def test_a_healthy_slot_is_listed_and_checked_green(crm, slots):
    [found], error = listed(slots, "--max-wal", "5 GB")

    assert error is None
    assert (found["slot"], found["stream"], found["orphan"], found["findings"]) == (crm.slot, crm.stream, False, [])
    assert (found["holder"], found["wal_status"], found["dag"]) == (None, "reserved", crm.drain.dag.dag_id)
    assert found["held_bytes"] >= 0
    assert crm.slot in slots("list")[0]
    assert [one["slot"] for one in metadata.pulled(check(), "slots")] == [crm.slot]


def test_what_is_wrong_with_a_slot_ends_the_command_with_1_and_the_task_red(crm, slots, capsys):
    crm.execute("CREATE TABLE foreign_log AS SELECT repeat('x', 900) FROM generate_series(1, 2000)")
    [_], error = listed(slots, "--max-wal", "100 kB")
    assert f"slot {crm.slot!r} holds" in error
    assert "of WAL, more than 100 kB" in error

    red = check(max_wal="100 kB")
    assert metadata.states(red) == {"slots": "failed"}
    said = one_line(capsys.readouterr().out)
    assert "more than 100 kB" in said
    assert f"airflow legacy-events slots list --conn-id {CONN_ID}" in said
    assert metadata.states(check(max_wal="1 TB")) == {"slots": "success"}


def test_a_slot_whose_dag_airflow_does_not_have_is_an_orphan(crm, slots, capsys):
    metadata.forget_dag(crm.drain.dag.dag_id)
    [found], error = listed(slots)

    assert found["orphan"]
    assert f"slot {crm.slot!r} is of DAG {crm.drain.dag.dag_id!r}, which Airflow does not have" in error
    assert metadata.states(check()) == {"slots": "failed"}
    assert "which Airflow does not have" in one_line(capsys.readouterr().out)


def test_a_table_whose_application_can_no_longer_update_it_is_said(crm, slots):
    crm.execute("ALTER TABLE orders DROP CONSTRAINT orders_pkey")
    [found], error = listed(slots)

    assert "publishes tables without a replica identity, whose UPDATE and DELETE fail: public.orders" in error
    assert len(found["findings"]) == 1


@pytest.mark.parametrize("crm", ["postgres_logs", "postgres18_logs"], indirect=True)
def test_dropping_takes_publication_watermark_and_registration_along(crm, slots):
    out, error = slots("drop", crm.slot)

    assert error is None
    assert out.startswith(f"dropped: replication slot {crm.slot!r}, publication {crm.slot!r}, watermark of stream")
    assert crm.execute("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()") == []
    assert crm.execute("SELECT pubname FROM pg_publication") == []
    assert [key for key in metadata.variables() if crm.prefix in key] == []
    assert slots("list")[0].strip() == f"connection {CONN_ID!r}: its database has no replication slot of this package"

    assert str(crm.drain.run().state) == "success"  # a first run again
    assert [one["slot"] for one in listed(slots)[0]] == [crm.slot]


def test_a_slot_of_somebody_else_or_in_use_is_left_alone(crm, slots):
    other = f"{crm.prefix}_theirs"
    crm.execute(f"SELECT pg_create_logical_replication_slot('{other}', 'test_decoding')")
    assert "was not made by this package" in slots("drop", other)[1]
    assert "there is no replication slot 'nowhere'" in slots("drop", "nowhere")[1]
    assert [one["slot"] for one in listed(slots)[0]] == [crm.slot]
    assert len(crm.execute("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()")) == 2


def test_forgetting_a_watermark_says_that_the_slot_stays(crm, capsys):
    metadata.cli("legacy-events", "watermark", "forget", crm.stream)
    out = capsys.readouterr().out

    assert f"its replication slot {crm.slot!r} stays" in out
    assert f"airflow legacy-events slots drop {crm.slot} --conn-id {CONN_ID}" in out
    assert len(crm.execute("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()")) == 1
    assert metadata.states(crm.drain.run()) == {"drain": "failed"}

    metadata.cli("legacy-events", "slots", "drop", crm.slot, "--conn-id", CONN_ID)
    assert metadata.states(crm.drain.run()) == {"drain": "success"}


@pytest.mark.parametrize("size", ["much", "5 XB", "", 0, -5, True])
def test_a_size_that_is_none_stops_the_dag_from_being_loaded(size):
    with pytest.raises(ConfigurationError, match="max_wal= must be a number of bytes, or a text such as '5 GB'"):
        ReplicationSlotCheckOperator(task_id="slots", source_conn_id="c", max_wal=size)


def test_a_database_without_slots_is_refused(shop, capsys):
    with pytest.raises(SystemExit, match="does not lead to PostgreSQL"):
        metadata.cli("legacy-events", "slots", "list", "--conn-id", "legacy_shop")
