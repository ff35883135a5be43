"""A table, topic or connection is renamed: what the next run says before it sends anything, and how it goes on."""

import argparse
import json
import logging
import re
import shlex
import uuid
from collections import defaultdict
from types import SimpleNamespace

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.watermarks import registration, variable
from tests.airflow import metadata
from tests.airflow.desk import Outlet
from tests.support.legacy import legacy_database

pytestmark = pytest.mark.airflow33  # before, no task can list Variables


class Shop:
    """A legacy database, and one task whose arguments change."""

    def __init__(self, legacy, topics):
        self.legacy, self.topics, self.dag = legacy, topics, f"dag_{uuid.uuid4().hex[:12]}"
        self.conn_id = self.connect()
        metadata.put_connection(
            "renamed_kafka", conn_type="kafka", extra=json.dumps({"bootstrap.servers": topics.kafka.bootstrap})
        )
        legacy.execute("CREATE TABLE orders (id integer primary key, status varchar(9))")
        for number in (1, 2, 3):
            legacy.execute(f"INSERT INTO orders VALUES ({number}, 'new')")

    def connect(self):
        """Another connection to the database."""
        conn_id, url = f"crm_{uuid.uuid4().hex[:12]}", self.legacy.url
        if url.get_backend_name() == "sqlite":
            metadata.put_connection(conn_id, conn_type="sqlite", host=url.database)
        else:
            fields = {"host": url.host, "port": url.port, "login": url.username, "password": url.password}
            extra = json.dumps(dict(url.query)) if url.query else None
            metadata.put_connection(conn_id, conn_type="postgres", schema=url.database, extra=extra, **fields)
        return conn_id

    def run(self, topic, *, operator=IncrementalQueryOperator, map_index=-1, rendered=False, task="publish", **given):
        """Execute as a task does; return the report."""
        asked = {"source_conn_id": self.conn_id, "topic": topic, "broker_conn_id": "renamed_kafka", **given}
        if operator is IncrementalQueryOperator:
            asked = {"table": None if "sql" in asked else "orders", "watermark_columns": ["id"]} | asked
        made = operator(task_id=task, **asked)
        if rendered:
            made._do_render_template_fields(
                made, ("table", "stream"), {"name": "sales"}, made.get_template_env(), set()
            )
        ti = SimpleNamespace(dag_id=self.dag, task_id=task, run_id="r", map_index=map_index, try_number=1)
        ti.xcom_push = lambda key, value: None
        ti.get_ti_count = lambda **_: 1
        dag_run = SimpleNamespace(run_type="manual", run_id="r", conf={}, logical_date=None)
        with metadata.as_task():
            return made.execute({"ti": ti, "dag_run": dag_run, "outlet_events": defaultdict(Outlet)})

    def events(self, topic):
        return [message.event for message in self.topics.read(topic)]


@pytest.fixture(params=["sqlite", "postgresql-18"])
def shop(request, topics):
    with legacy_database(request, request.param) as legacy:
        yield Shop(legacy, topics)


@pytest.fixture
def small(request, topics):
    with legacy_database(request, "sqlite") as legacy:
        yield Shop(legacy, topics)


def command(line):
    """Run what a person copies out of a log."""
    from airflow.cli.cli_parser import _add_command

    from airflow_legacy_events.cli import get_cli_commands

    parser = argparse.ArgumentParser(prog="airflow")
    commands = parser.add_subparsers()
    for one in get_cli_commands():
        _add_command(commands, one)
    with metadata.as_server():
        args = parser.parse_args(shlex.split(line)[1:])
        args.func(args)


def renaming(text):
    """The command that a message names, on a line of its own."""
    (line,) = [line for line in text.splitlines() if "watermark rename" in line]
    assert line.strip().startswith(("`airflow", "To continue where the other one ended, rename it: `airflow"))
    return re.search("`(.*)`", line)[1]


@pytest.fixture
def warned(caplog):
    caplog.set_level(logging.WARNING)

    def warned():
        found = [line for line in caplog.messages if "has moved another one" in line]
        caplog.clear()
        return found

    return warned


def table(shop, topic):
    shop.legacy.execute("ALTER TABLE orders RENAME TO sales")
    return {"topic": topic, "table": "sales"}, f"{shop.conn_id}.sales@{topic}"


def another_topic(shop, topic):
    name = shop.topics.make()
    return {"topic": name}, f"{shop.conn_id}.orders@{name}"


def connection(shop, topic):
    shop.conn_id = shop.connect()
    return {"topic": topic}, f"{shop.conn_id}.orders@{topic}"


CHANGES = [table, another_topic, connection]


@pytest.mark.parametrize("change", CHANGES)
def test_the_story_of_a_renaming(shop, topic, warned, change):
    first = shop.run(topic)
    assert (first["rows"], warned()) == (3, [])
    old = first["stream"]
    shop.legacy.execute("INSERT INTO orders VALUES (4, 'new')")
    arguments, new = change(shop, topic)

    with pytest.raises(ConfigurationError) as failed:
        shop.run(**arguments, on_new_stream="fail")
    assert repr(old) in str(failed.value)
    assert repr(new) in str(failed.value)
    assert "This run is about to send 4 rows from the beginning" in str(failed.value)
    assert f"Or keep its name: stream={old!r}" in str(failed.value).splitlines()
    assert len(shop.events(arguments["topic"])) == (0 if change is another_topic else 3)

    command(renaming(str(failed.value)))
    kept = {key for key in metadata.variables() if key.startswith((variable.PREFIX, registration.PREFIX))}
    assert {variable.PREFIX + new, registration.PREFIX + new} <= kept
    assert not {variable.PREFIX + old, registration.PREFIX + old} & kept

    second = shop.run(**arguments, on_new_stream="fail")
    assert (second["stream"], second["rows"], second["watermark_from"]) == (new, 1, first["watermark_to"])
    assert [event["id"] for event in shop.events(arguments["topic"])][-1] == "4"
    third = shop.run(**arguments)
    assert (third["rows"], warned()) == (0, [])
    facts = json.loads(metadata.variables()[variable.PREFIX + new])["facts"]
    assert (facts["topic"], facts["source"]) == (arguments["topic"], shop.conn_id)
    assert facts["table"] == arguments.get("table", "orders")
    assert facts["query"]


def test_by_default_the_run_goes_on_and_says_so_before(small, topic, warned):
    small.run(topic)
    arguments, new = table(small, topic)
    assert small.run(**arguments)["rows"] == 3
    (line,) = warned()
    assert "This run is about to send 3 rows from the beginning" in line
    assert small.run(**arguments)["stream"] == new
    assert warned() == []
    with pytest.raises(SystemExit) as refused:
        command(renaming(line))
    assert f"stream {new!r} has begun already" in str(refused.value)
    assert f"watermark forget {new}" in str(refused.value)


@pytest.mark.parametrize("change", [table, another_topic])
def test_the_name_may_be_kept_instead(small, topic, warned, change):
    old = small.run(topic)["stream"]
    small.legacy.execute("INSERT INTO orders VALUES (4, 'new')")
    arguments, _ = change(small, topic)
    kept = {"stream": old, "on_query_change": "keep"}
    if change is another_topic:
        with pytest.raises(WatermarkError, match=r"To continue on the new topic instead,\s+`airflow") as red:
            small.run(**arguments, **kept)
        command(re.search("`(airflow legacy-events watermark set [^`]*--accept topic)`", str(red.value))[1])
    assert small.run(**arguments, **kept)["rows"] == 1
    assert warned() == []


def test_ids_of_rows_that_change_stay_those_of_the_old_name(small, topic):
    small.legacy.execute("CREATE TABLE times (id integer primary key, at timestamp)")
    small.legacy.execute("INSERT INTO times VALUES (1, '2026-11-01 08:00:00')")
    named = {"watermark_columns": ["at"], "on_new_stream": "fail"}
    small.run(topic, table="times", **named)
    other = small.topics.make()
    with pytest.raises(ConfigurationError) as failed:
        small.run(other, table="times", **named)
    command(renaming(str(failed.value)))
    command(f"airflow legacy-events watermark rewind {small.conn_id}.times@{other} --by 1h")
    small.run(other, table="times", **named)
    assert [event["id"] for event in small.events(other)] == [event["id"] for event in small.events(topic)]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({}, {"map_index": 3}, False),
        ({}, {"rendered": True, "table": "{{ name }}"}, False),
        ({}, {"rendered": True, "stream": "{{ name }}"}, False),
        ({}, {"task": "other"}, False),
        ({"first_run": "now"}, {}, True),
        ({}, {"watermark_columns": []}, True),
        ({"stream": "a {}"}, {"stream": "b {}"}, True),
        ({"sql": "SELECT id FROM orders", "key_columns": ["id"]}, {}, True),
    ],
)
def test_who_is_asked(small, topic, warned, first, second, told):
    def named(asked):
        return {name: one.format(small.dag) if name == "stream" and "{}" in one else one for name, one in asked.items()}

    small.legacy.execute("CREATE TABLE sales (id integer primary key)")
    small.legacy.execute("INSERT INTO sales SELECT id FROM orders")
    small.run(topic, **named(first))
    small.run(**{"topic": small.topics.make(), "table": "sales", **named(second)})
    assert bool(warned()) is told


def test_a_full_load_and_a_first_run_from_now_say_what_they_send(small, topic, warned):
    small.run(topic)
    small.run(small.topics.make(), watermark_columns=[])
    assert "about to send all rows from the beginning" in warned()[0]
    small.run(small.topics.make(), first_run="now")
    assert "about to send no rows" in warned()[0]


def test_rows_are_counted_to_ten_thousand(small, topic, warned):
    small.run(topic)
    small.legacy.execute(
        "INSERT INTO orders SELECT n, 'new' FROM"
        " (WITH RECURSIVE a(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM a WHERE n < 10100) SELECT n FROM a)"
    )
    small.run(small.topics.make(), max_rows=1)
    assert "about to send more than 10000 rows from the beginning" in warned()[0]


def test_an_outbox_that_is_renamed(small, topic, warned):
    columns = "id integer primary key autoincrement, aggregatetype text, aggregateid text, type text, payload text"
    small.legacy.execute(f"CREATE TABLE box ({columns})")
    small.legacy.execute("INSERT INTO box VALUES (1, 'order', '7', 'made', '{}')")
    drain = {"operator": OutboxDrainOperator, "on_new_stream": "fail"}
    assert small.run(topic, table="box", **drain)["rows"] == 1
    small.legacy.execute("ALTER TABLE box RENAME TO mailbox")
    small.legacy.execute("INSERT INTO mailbox VALUES (2, 'order', '7', 'made', '{}')")
    with pytest.raises(ConfigurationError, match="about to send 1 row from") as failed:
        small.run(topic, table="mailbox", **drain)
    command(renaming(str(failed.value)))
    facts = json.loads(metadata.variables()[f"{variable.PREFIX}{small.conn_id}.mailbox@outbox"])["facts"]
    assert facts["table"] == "mailbox"
    assert "mailbox" in facts["lock"]
    assert small.run(topic, table="mailbox", **drain)["rows"] == 1
