"""The change log inside Airflow: a slot and a topic per table, first the rows, then every change, once."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from tests.airflow import metadata
from tests.airflow.logs import CONN_ID, HEAD, logged
from tests.airflow.scheduler import Dag
from tests.faults import child
from tests.services.base import wait_until
from tests.support.messages import one_line

TABLES = (
    "CREATE TABLE orders (id int PRIMARY KEY, status text NOT NULL, total numeric(10, 2))",
    "CREATE TABLE customers (id int PRIMARY KEY, name text)",
    "INSERT INTO orders VALUES (1, 'new', 9.90), (2, 'paid', NULL)",
    "INSERT INTO customers VALUES (1, 'Ann')",
)
CHANGES = """
BEGIN;
INSERT INTO orders VALUES (3, 'new', 1);
UPDATE orders SET status = 'sent' WHERE id = 1;
DELETE FROM orders WHERE id = 2;
COMMIT
"""
FIRST = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = (FIRST, FIRST + dt.timedelta(1))


@pytest.fixture
def crm(request, broker):
    """The shop in a database whose log is read."""
    with logged(request.getfixturevalue(getattr(request, "param", "postgres18_logs")), broker) as made:
        for statement in TABLES:
            made.execute(statement)
        yield made


def report(run, map_index=-1):
    found = (metadata.pulled(run, "drain", key, map_index) for key in ("return_value", "report"))
    return next(one for one in found if one is not None)


def state(run):
    return metadata.states(run)["drain"]


@pytest.mark.parametrize("crm", ["postgres_logs", "postgres18_logs"], indirect=True)
def test_the_first_run_sends_the_rows_and_the_next_ones_their_changes(crm):
    dag = crm.dag()
    first = dag.run()
    crm.execute(CHANGES)
    second = dag.run()
    third = dag.run()

    assert [state(run) for run in (first, second, third)] == ["success"] * 3
    assert [(one["op"], one["data"]) for one in crm.events("orders")] == [
        ("r", {"id": 1, "status": "new", "total": "9.90"}),
        ("r", {"id": 2, "status": "paid", "total": None}),
        ("c", {"id": 3, "status": "new", "total": "1.00"}),
        ("u", {"id": 1, "status": "sent", "total": "9.90"}),
        ("d", {"id": 2}),
    ]
    [customer] = crm.events("customers")
    assert (customer["source"], customer["type"]) == (
        f"/{CONN_ID}/public.customers",
        f"{CONN_ID}.public.customers.changed",
    )
    assert [report(run)["rows"] for run in (first, second, third)] == [3, 3, 0]
    assert [report(run)["completeness"] for run in (first, second, third)] == ["exact"] * 3
    log = report(second)["log"]
    assert (log["slot"], log["snapshot_left"], log["wal_status"]) == (crm.slot, [], "reserved")
    assert log["transactions"] >= 1
    assert log["from"] == report(first)["log"]["to"]
    assert report(second)["topics"] == {crm.topic("orders"): 3}


def test_messages_and_transactions_have_topics(crm):
    dag = crm.dag(
        message_topics={"outbox": crm.topic("{aggregate_type}")},
        transaction_topic=crm.topic("transactions"),
        headers={"tenant": "acme"},
    )
    dag.run()
    event = '{"id":"e1","aggregatetype":"invoice","aggregateid":7,"type":"Sent","payload":{"n": 1}}'
    crm.execute(f"{CHANGES.rpartition('COMMIT')[0]} SELECT pg_logical_emit_message(true, 'outbox', '{event}'); COMMIT")
    run = dag.run()

    assert state(run) == "success"
    [sent] = crm.broker.read(crm.topic("invoice"))
    assert (sent.key, sent.value, dict(sent.headers)) == ("7", '{"n": 1}', {"id": "e1", "tenant": "acme"})
    marks = [one.event for one in crm.broker.read(crm.topic("transactions"))]
    assert [(one["status"], one["event_count"]) for one in marks] == [("BEGIN", None), ("END", 3)]
    assert {one["transactionid"] for one in crm.events("orders")[2:]} == {one["id"] for one in marks}
    assert report(run)["topics"] == {
        crm.topic(one): count for one, count in (("orders", 3), ("invoice", 1), ("transactions", 2))
    }


def test_plain_messages_are_rows_and_a_delete_is_a_tombstone(crm):
    dag = crm.dag(envelope="plain", tables=["public.orders"])
    dag.run()
    crm.execute(CHANGES)
    dag.run()

    found = crm.broker.read(crm.topic("orders"))
    assert [(one.key, one.value and one.event["status"]) for one in found] == [
        ("1", "new"),
        ("2", "paid"),
        ("3", "new"),
        ("1", "sent"),
        ("2", None),
    ]
    assert [dict(one.headers)["op"] for one in found] == ["r", "r", "c", "u", "d"]


def test_both_images_and_what_must_not_leave_the_database(crm):
    crm.execute("ALTER TABLE orders REPLICA IDENTITY FULL")
    dag = crm.dag(images="both", tables=["public.orders"], exclude_columns={"public.orders": ["total"]})
    dag.run()
    crm.execute(CHANGES)
    dag.run()

    assert [(one["op"], one["data"]) for one in crm.events("orders")][-2:] == [
        ("u", {"before": {"id": 1, "status": "new"}, "after": {"id": 1, "status": "sent"}}),
        ("d", {"before": {"id": 2, "status": "paid"}, "after": None}),
    ]
    assert all("9.90" not in str(one) for one in crm.broker.read(crm.topic("orders")))


def test_tables_that_a_run_names_are_read_anew(crm):
    dag = crm.dag()
    dag.run()
    again = dag.run(conf={"snapshot": ["public.customers"]})

    assert state(again) == "success"
    assert [one["op"] for one in crm.events("customers")] == ["r", "r"]
    assert [one["op"] for one in crm.events("orders")] == ["r", "r"]
    assert len({one["id"] for one in crm.events("customers")}) == 2
    for conf in ({"snapshot": ["public.custmers"]}, {"snapshot": ["public.customers"], "were": 1}):
        assert state(dag.run(conf=conf)) == "failed"
    assert len(crm.events("customers")) == 2


@pytest.mark.airflow33
def test_a_cleared_task_goes_on_and_says_what_sends_rows_again(crm, caplog):
    dag = crm.dag()
    run = dag.run()
    crm.execute("INSERT INTO customers VALUES (2, 'Bob')")
    cleared = dag.clear(run)

    assert state(cleared) == "success"
    assert [one["op"] for one in crm.events("customers")] == ["r", "c"]
    assert '{"snapshot": ["schema.table"]}' in one_line(caplog.text)


@pytest.mark.parametrize(
    ("run_type", "conf"), [("backfill", None), ("manual", {"replay": {"from": "2026-11-01", "to": "2026-11-02"}})]
)
def test_a_replay_is_refused_and_says_what_to_do(crm, capsys, run_type, conf):
    dag = crm.dag("schedule=CronDataIntervalTimetable('@daily', 'UTC'), catchup=False")
    run = dag.run(run_type, logical_date=FIRST, interval=DAY, conf=conf)

    assert state(run) == "failed"
    said = one_line(capsys.readouterr().out)
    assert all(text in said for text in ("can't be replayed", '{"snapshot": ["schema.table"]}', "IncrementalQuery"))
    assert crm.execute("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()") == []
    assert state(dag.run("scheduled", logical_date=DAY[1], interval=(DAY[1], DAY[1] + dt.timedelta(1)))) == "success"


MAPPED = """
with DAG({dag_id!r}, schedule=None):
    ChangeLogDrainOperator.partial(
        task_id="drain", source_conn_id={conn_id!r}, topic="{prefix}.{{table}}", topic_partitions=1, on_busy="fail"
    ).{expanded}
"""


def mapped(crm, expanded):
    dag_id = f"log_{uuid.uuid4().hex[:12]}"
    text = MAPPED.format(dag_id=dag_id, conn_id=CONN_ID, prefix=crm.prefix, expanded=expanded)
    return metadata.run_dag(HEAD + text, dag_id)


def test_mapped_tasks_have_a_slot_each(crm, capsys):
    slots = [f"{crm.prefix}_{name}" for name in ("orders", "customers")]
    listed = [{"slot": slot, "tables": [f"public.{slot.split('_')[1]}"]} for slot in slots]
    run = mapped(crm, f"expand_kwargs({listed!r})")

    assert {*metadata.states(run).values()} == {"success"}
    assert {report(run, index)["log"]["slot"] for index in (0, 1)} == {*slots}

    assert "failed" in metadata.states(mapped(crm, "expand(tables=[['public.orders'], ['public.customers']])")).values()
    assert "Name each one with slot= by what it is mapped over" in one_line(capsys.readouterr().out)


def test_topics_that_are_missing_are_one_error_before_anything_is_made(crm, capsys):
    dag = crm.dag(topic_partitions=None)
    assert state(dag.run()) == "failed"
    said = one_line(capsys.readouterr().out)
    assert crm.topic("orders") in said
    assert crm.topic("customers") in said
    assert crm.execute("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()") == []


@pytest.mark.airflow33
def test_a_task_whose_slot_is_renamed_says_how_the_other_one_is_kept_or_dropped(crm, caplog, capsys):
    dag_id = f"log_{uuid.uuid4().hex[:12]}"
    metadata.run_dag(crm.text(dag_id), dag_id)
    other = f"{crm.prefix}_other"
    again = metadata.run_dag(crm.text(dag_id, slot=other, on_new_stream="fail"), dag_id)

    assert state(again) == "failed"
    said = one_line(capsys.readouterr().out)
    assert f"keep its slot: slot={crm.slot!r}" in said
    assert f"airflow legacy-events slots drop {crm.slot} --conn-id {CONN_ID}" in said
    assert state(metadata.run_dag(crm.text(dag_id, slot=other), dag_id)) == "success"
    assert f"keep its slot: slot={crm.slot!r}" in one_line(caplog.text)


def test_a_run_that_is_stopped_has_saved_what_it_sent_and_the_next_one_goes_on(crm):
    crm.execute("INSERT INTO orders SELECT n, 'new', 1 FROM generate_series(10, 200) AS n")
    dag_id = f"log_{uuid.uuid4().hex[:12]}"
    crm.broker.make(crm.topic("orders"))
    arguments = {"tables": ["public.orders"], "batch_rows": 5, "rows_per_second": 20}
    process = child.start_dag(crm.text(dag_id, **arguments), dag_id)
    wait_until(lambda: len(crm.events("orders")) >= 5, "the first rows being sent")
    process.terminate()
    process.join(60)
    stopped = crm.events("orders")

    assert 5 <= len(stopped) < 100
    assert state(metadata.run_dag(crm.text(dag_id, tables=["public.orders"]), dag_id)) == "success"
    ids = [one["id"] for one in crm.events("orders")]
    assert len(ids) == len({*ids}) == 193


def test_another_database_has_no_log_that_is_read(shop, broker, capsys):
    dag_id = f"log_{uuid.uuid4().hex[:12]}"
    task = "ChangeLogDrainOperator(task_id='drain', source_conn_id='legacy_shop', tables=['main.orders'])"
    dag = Dag.write(f"{HEAD}\nwith DAG({dag_id!r}, schedule=None):\n    {task}\n", dag_id)
    assert state(dag.run()) == "failed"
    assert "leads to sqlite, whose change log can't be read; nothing was read" in one_line(capsys.readouterr().out)
