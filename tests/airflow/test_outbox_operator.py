"""The drain inside Airflow: real Variables, templates, XComs, assets and command line, an outbox, a real broker."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest

from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.watermarks import variable
from tests.airflow import metadata
from tests.airflow.scheduler import Dag
from tests.support.messages import one_line

FIRST = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
STREAM = "legacy_shop.events@outbox"
OTHER = {"dag": "other", "task": "publish", "run": "r9", "map_index": -1, "try": 1, "host": "h", "pid": 7}
HEAD = """
import datetime as dt
from airflow.sdk import DAG, Asset, CronDataIntervalTimetable
from airflow_legacy_events.operators.outbox import OutboxDrainOperator
"""


@pytest.fixture
def outbox(shop):
    """The application's own connection to a file with an outbox, of which no stream is kept."""
    shop.execute(
        "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, aggregatetype text, aggregateid text, type text,"
        " payload text, created_at datetime NOT NULL, published_at datetime)"
    )
    for key in [key for key in metadata.variables() if STREAM in key]:
        metadata.drop_variable(key)
    return shop


@pytest.fixture
def topics_of(broker):
    """Makes topics of a common beginning; returns that and them."""
    prefix = f"t{uuid.uuid4().hex[:10]}"
    return prefix, [broker.make(f"{prefix}.{name}") for name in ("order", "cart")]


def add(outbox, aggregate, payload="{}", *, of="order", at="2026-11-01 08:00:00"):
    outbox.execute(
        "INSERT INTO events (aggregatetype, aggregateid, type, payload, created_at) VALUES (?, ?, 'made', ?, ?)",
        (of, aggregate, payload, at),
    )


def text_of(dag_id, arguments, words):
    given = {"task_id": "publish", "source_conn_id": "legacy_shop", "table": "events", "on_busy": "fail"} | arguments
    listed = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
    return f"{HEAD}\nwith DAG({dag_id!r}, {words}):\n    OutboxDrainOperator({listed})\n"


def run(prefix, words="schedule=None", **arguments):
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    topic = f"{prefix}.{{aggregate_type}}"
    return metadata.run_dag(text_of(dag_id, {"topic": topic} | arguments, words), dag_id)


def left(outbox, where="published_at IS NULL"):
    return [id_ for (id_,) in outbox.execute(f"SELECT id FROM events WHERE {where} ORDER BY id")]


def values(broker, topic):
    return [message.value for message in broker.read(topic)]


def report(ended):
    return metadata.pulled(ended, "publish") or metadata.pulled(ended, "publish", key="report")


def test_a_run_deletes_what_it_delivered_and_tells_of_each_topic(outbox, broker, topics_of):
    prefix, (orders, carts) = topics_of
    for of in ("order", "cart", "order"):
        add(outbox, "1", f'{{"of":  "{of}"}}', of=of)

    ended = run(prefix, headers={"eventType": "{event_type}", "by": "{{ dag.dag_id }}"})

    assert metadata.states(ended) == {"publish": "success"}
    assert left(outbox, "1 = 1") == []
    found = report(ended)
    assert {key: found[key] for key in ("stream", "rows", "events", "topics", "target_reached")} == {
        "stream": STREAM,
        "rows": 3,
        "events": 3,
        "topics": {orders: 2, carts: 1},
        "target_reached": True,
    }
    assert found["backlog"]["rows"] == 0
    first = broker.read(orders)[0]
    assert (first.key, first.value, dict(first.headers)) == (
        *("1", '{"of":  "order"}'),
        {"id": "1", "eventType": "made", "by": ended.dag_id},
    )
    events = metadata.asset_events(ended)
    assert sorted((uri.rpartition("/")[2], extra["rows"]) for uri, extra, _ in events) == [(carts, 1), (orders, 2)]
    assert {alias for *_, aliases in events for alias in aliases} == {f"legacy-events:{prefix}.{{aggregate_type}}"}


def test_a_poisoned_row_stays_with_its_aggregate_and_the_others_go(outbox, broker, topics_of, capsys):
    prefix, (orders, _) = topics_of
    add(outbox, "1", "a")
    add(outbox, "2", "b")
    outbox.execute("UPDATE events SET aggregatetype = 'order', created_at = 'no time' WHERE id = 1")
    add(outbox, "1", "c")

    failed = run(prefix)

    assert metadata.states(failed) == {"publish": "failed"}
    assert left(outbox) == [1, 3]
    assert values(broker, orders) == ["b"]
    found = metadata.pulled(failed, "publish", key="report")
    assert (found["events"], found["skipped"]) == (1, 2)
    assert "2 rows were left at the source, since 1 of them can't be delivered" in (
        out := one_line(capsys.readouterr().out)
    )
    assert "id 1 (INVALID_TIMESTAMP" in out
    outbox.execute("UPDATE events SET created_at = '2026-11-01 08:00:00'")
    assert metadata.states(run(prefix)) == {"publish": "success"}
    assert values(broker, orders) == ["b", "a", "c"]


def daily(prefix, **arguments):
    """A DAG of one drain, once a day."""
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    start = "start_date=dt.datetime(2026, 10, 1, tzinfo=dt.timezone.utc), catchup=False"
    words = f'schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"), {start}'
    return Dag.write(text_of(dag_id, {"topic": f"{prefix}.{{aggregate_type}}"} | arguments, words), dag_id)


def test_marked_rows_are_sent_again_and_keep_their_marks(outbox, broker, topics_of):
    prefix, (orders, _) = topics_of
    for day in (1, 2, 3):
        add(outbox, "1", f"{day}", at=f"2026-11-0{day} 08:00:00")
    made = daily(prefix, after_publish="mark", batch_rows=1)
    assert report(made.run())["events"] == 3
    add(outbox, "1", "open", at="2026-11-02 09:00:00")
    before = outbox.execute("SELECT id, published_at FROM events").fetchall()

    window = {"from": "2026-11-02T00:00:00Z", "to": "2026-11-04T00:00:00Z"}
    replayed = made.run(conf={"replay": window})

    assert (report(replayed)["mode"], report(replayed)["events"]) == ("replay", 2)
    assert values(broker, orders) == ["1", "2", "3", "2", "3"]
    assert dict(broker.read(orders)[3].headers)["mode"] == "replay"
    assert outbox.execute("SELECT id, published_at FROM events").fetchall() == before
    assert not [key for key in metadata.variables() if STREAM in key and "~23" in key]
    backfilled = made.run("backfill", logical_date=FIRST, interval=(FIRST, FIRST + dt.timedelta(days=1)))
    assert report(backfilled)["events"] == 1


def test_a_replay_goes_to_a_template_of_topics_as_it_is_written_and_to_no_other(outbox, broker, topics_of, capsys):
    prefix, (orders, carts) = topics_of
    again = broker.make(f"again.{orders}")
    add(outbox, "1", "1")
    made = daily(prefix, after_publish="mark", replay_topics=[f"again.{prefix}.{{aggregate_type}}"])
    made.run()
    window = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}

    for asked in (f"again.{prefix}.{{aggregate_type}}", f"{prefix}.{{aggregate_type}}"):
        assert report(made.run(conf={"replay": {**window, "topic": asked}}))["events"] == 1
    for asked in (carts, again, f"{prefix}.{{aggregateid}}"):
        assert metadata.states(made.run(conf={"replay": {**window, "topic": asked}})) == {"publish": "failed"}
        assert f"requests a replay to topic '{asked}'; nothing was read" in one_line(capsys.readouterr().out)

    assert (values(broker, again), values(broker, orders), values(broker, carts)) == (["1"], ["1", "1"], [])


def test_a_replay_of_rows_that_are_deleted_fails_and_names_the_mark(outbox, broker, topics_of, capsys):
    made = daily(topics_of[0])
    add(outbox, "1")
    ended = made.run("backfill", logical_date=FIRST, interval=(FIRST, FIRST + dt.timedelta(days=1)))
    assert metadata.states(ended) == {"publish": "failed"}
    assert "Use after_publish='mark', which keeps them" in one_line(capsys.readouterr().out)
    assert left(outbox) == [1]


def test_another_topic_is_refused_until_the_stream_is_forgotten(outbox, broker, topics_of, capsys):
    prefix, (orders, _) = topics_of
    add(outbox, "1", "a")
    run(prefix)
    add(outbox, "1", "b")

    refused = run(prefix, topic=orders)

    assert metadata.states(refused) == {"publish": "failed"}
    error = one_line(capsys.readouterr().out)
    assert f"was written for topic '{prefix}.{{aggregate_type}}', this run has '{orders}'; nothing was read" in error
    assert "an outbox has one stream, since two drains would take each other's rows" in error
    assert f"watermark forget {STREAM}" in error.replace("'", "")
    metadata.cli("legacy-events", "watermark", "show", STREAM)
    shown = one_line(capsys.readouterr().out)
    assert "outbox" in shown
    with metadata.as_server():
        database = LegacyDatabaseHook("legacy_shop").get_database()
    with (
        database.lock("another", OTHER, table=database.writes("events").name),
        pytest.raises(SystemExit, match="is being worked on by dag 'other'"),
    ):
        metadata.cli("legacy-events", "watermark", "forget", STREAM)
    database.close()
    metadata.cli("legacy-events", "watermark", "forget", STREAM)
    assert metadata.states(run(prefix, topic=orders)) == {"publish": "success"}
    assert values(broker, orders) == ["a", "b"]


def test_a_second_drain_of_the_table_finds_it_busy_whatever_it_is_called(outbox, broker, topics_of):
    add(outbox, "1")
    with metadata.as_server():
        database = LegacyDatabaseHook("legacy_crm").get_database()
    with database.lock("legacy_crm.EVENTS@outbox", OTHER, table=database.writes("EVENTS").name):
        assert metadata.states(run(topics_of[0], on_busy="skip")) == {"publish": "skipped"}
    database.close()
    assert left(outbox) == [1]


def test_arguments_are_templates_and_may_be_mapped(outbox, broker, topics_of):
    prefix, (orders, carts) = topics_of
    outbox.execute("ALTER TABLE events RENAME COLUMN type TO kind")
    made = "'k', '2026-11-01 08:00:00'"
    for of in ("order", "cart"):
        outbox.execute(f"INSERT INTO events (aggregatetype, aggregateid, kind, created_at) VALUES ('{of}', 1, {made})")
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    text = f"""{HEAD}
params = {{"prefix": {prefix!r}, "table": "events", "column": "kind", "order": "id"}}
with DAG({dag_id!r}, schedule=None, params=params, max_active_tasks=1):
    OutboxDrainOperator.partial(
        task_id="publish", source_conn_id="legacy_shop", table="{{{{ params.table }}}}",
        topic="{{{{ params.prefix }}}}.{{aggregate_type}}", columns={{"event_type": "{{{{ params.column }}}}"}},
        order_columns=["{{{{ params.order }}}}"], topic_partitions=1, allowed_topics=["{{{{ params.prefix }}}}.*"],
        headers={{"kind": "{{event_type}}"}}, on_busy="wait",
    ).expand(where=["aggregatetype = 'order'", "aggregatetype = 'cart'"])
"""
    ended = metadata.run_dag(text, dag_id)

    assert set(metadata.states(ended).values()) == {"success"}
    assert [dict(broker.read(topic)[0].headers)["kind"] for topic in (orders, carts)] == ["k", "k"]
    assert left(outbox) == []


@pytest.mark.airflow33
def test_an_asset_keeps_the_watermark_of_a_stream_that_needs_no_topic(outbox, broker, topics_of):
    prefix, (orders, _) = topics_of
    add(outbox, "1")
    made = {"topic": "{{ params.prefix }}.{aggregate_type}", "watermark_store": "asset"}
    ended = run(prefix, f"schedule=None, params={{'prefix': {prefix!r}}}", **made)
    assert metadata.states(ended) == {"publish": "success"}
    assert values(broker, orders) == ["{}"]
    assert f"{variable.PREFIX}{STREAM}" not in metadata.variables()


def test_the_watermark_holds_which_rows_were_delivered_until_they_are_acknowledged(outbox, broker, topics_of):
    add(outbox, "1")
    run(topics_of[0])
    mark = json.loads(metadata.variables()[variable.PREFIX + STREAM])
    assert mark["facts"]["kind"] == "outbox"
    assert mark["facts"]["topic"] == f"{topics_of[0]}.{{aggregate_type}}"
    assert not mark.get("receipt")
