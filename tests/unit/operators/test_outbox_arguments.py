"""Arguments of the drain that are wrong whatever is rendered into them, and what loading a DAG of it costs."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.streams.specs.outbox import OutboxSpec

ROOT = Path(__file__).parents[3]
WEEK = dt.timedelta(days=7)
MARK = {"after_publish": "mark"}


def operator(**arguments):
    required = {"source_conn_id": "c", "table": "outbox"}
    return OutboxDrainOperator(task_id="drain", **{**required, **arguments})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"after_publish": "archive"}, "after_publish= must be one of 'delete', 'mark', 'keep'; found 'archive'"),
        ({"mark_values": (0, 1)}, "mark_values= has no effect without after_publish='mark'"),
        ({"retention": WEEK}, "retention= has no effect without after_publish='mark'"),
        ({"after_publish": "keep", "mark_values": (0, 1)}, "mark_values= has no effect without after_publish='mark'"),
        ({"source_timezone": "database"}, "source_timezone= must be the name of a time zone"),
        ({**MARK, "retention": 7}, "retention= must be a timedelta; found 7"),
        ({**MARK, "retention": -WEEK}, "retention= must be above zero"),
        *(
            ({**MARK, "mark_values": values}, "mark_values= must be")
            for values in ("01", (0,), (0, 1, 2), (0, 0), (0, "0"), (0, True), (0.5, 1), {0, 1}, None)
            if values is not None
        ),
        ({"on_reject": "skip"}, "on_reject= must be one of 'fail', 'dead_letter'; found 'skip'"),
        ({"on_reject": "dead_letter"}, "on_reject='dead_letter' was given without dead_letter_topic="),
        ({"on_reject": "fail", "dead_letter_topic": "d"}, "on_reject='fail' was given beside dead_letter_topic="),
        ({"topic_partitions": 3}, "give allowed_topics="),
        ({"allowed_topics": "orders.*"}, "allowed_topics= must be a list of topics, or patterns"),
        ({"allowed_topics": []}, "allowed_topics= must be a list of topics"),
        ({"allowed_topics": [1]}, "allowed_topics= must be a list of topics"),
        ({"order_columns": "seq"}, "order_columns= must be a list of column"),
        ({"order_columns": []}, "order_columns= must be a list of columns"),
        ({"order_columns": ["a", 1]}, "order_columns= must be a list of columns"),
        ({"layout": "tram"}, "layout= must be one of 'debezium'; found 'tram'"),
        ({"columns": {"kind": "x"}}, "columns= names 'kind', which is not a role of an outbox column"),
        ({"columns": {"payload": None}}, "columns= leaves out 'payload', which every outbox needs"),
        ({"columns": ["id"]}, "columns= must be a dict of roles and column names"),
        ({"columns": {"id": 1}}, "columns= must be a dict of roles and column names"),
        ({"where": " \n"}, "where= is empty"),
        ({"envelope": "plain"}, "envelope 'plain' is not known; known: cloudevents, payload"),
        ({"json_schema": "file.json"}, "json_schema= must be a dict of event types and schemas"),
        ({"source_timezone": "Nowhere"}, "source_timezone= must be the name of a time zone"),
        ({"statement_timeout": 5}, "statement_timeout= must be a timedelta"),
        ({"max_row_bytes": "16MB"}, "max_row_bytes= must be a whole number of bytes, 1024 or more; found '16MB'"),
        ({"headers": {"a": "{"}}, "which is not a valid template"),
        ({"headers": {"id": "{tenant}"}}, "headers= names 'id', which every message has already"),
        ({"replay_topics": "again"}, "replay_topics= must be a list of names of topics; found 'again'"),
        ({"replay_topics": ["again", ""]}, "replay_topics= must be a list of names of topics"),
        ({"batch_rows": 0}, "batch_rows= must be a whole number above 0"),
    ],
    ids=str,
)
def test_a_wrong_argument_stops_the_dag_from_being_loaded(wrong, told):
    with pytest.raises(ConfigurationError) as error:
        operator(**wrong)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "name", ["stream", "on_clear", "decimals", "bigints", "times", "bytes", "event_type", "watermark_columns", "lag"]
)
def test_what_means_nothing_to_an_outbox_is_no_argument(name):
    with pytest.raises(TypeError, match=name):
        operator(**{name: "x"})


@pytest.mark.parametrize("missing", ["source_conn_id", "table"])
def test_what_is_needed_is_named(missing):
    given = {"source_conn_id": "c", "table": "outbox"}
    del given[missing]
    with pytest.raises(TypeError, match=missing):
        OutboxDrainOperator(task_id="drain", **given)


TEMPLATE = "{{ params.x }}"


@pytest.mark.parametrize(
    "late",
    [
        *({name: TEMPLATE} for name in ("table", "layout", "columns", "order_columns", "where", "allowed_topics")),
        {"source_timezone": TEMPLATE},
        {"json_schema": TEMPLATE},
        {"columns": {"id": TEMPLATE}, "order_columns": [TEMPLATE], "allowed_topics": [TEMPLATE]},
        {**MARK, "mark_column": TEMPLATE, "mark_values": TEMPLATE},
        {**MARK, "mark_values": ["{{ 1 }}", "{{ 2 }}"]},
        {"topic": TEMPLATE, "topic_partitions": 3},
        {"topic": "{aggregate_type}", "topic_partitions": 3, "allowed_topics": TEMPLATE},
    ],
    ids=str,
)
def test_what_is_a_template_is_judged_once_it_is_rendered(late):
    operator(**late)


@pytest.mark.parametrize(
    "rendered",
    [
        {"layout": "tram"},
        {"columns": "x"},
        {"order_columns": "seq"},
        {"allowed_topics": []},
        {"json_schema": "file.json"},
        {**MARK, "mark_values": "01"},
    ],
    ids=str,
)
def test_a_rendered_argument_that_is_wrong_is_told_by_the_run(rendered):
    with pytest.raises(ConfigurationError, match=f"{[*rendered][-1]}= "):
        OutboxSpec(conn_id="c", table="outbox", **rendered).resolved()


def test_a_rendered_topic_that_rows_name_needs_those_that_are_allowed():
    made = operator(topic=TEMPLATE, topic_partitions=3)
    made.topic = "t.{tenant}"  # as Airflow renders it
    with pytest.raises(ConfigurationError, match="give allowed_topics="):
        made._spec()


def test_all_that_says_which_rows_and_which_columns_is_rendered():
    of_rows = {"table", "layout", "columns", "order_columns", "mark_column", "mark_values", "where"}
    of_messages = {"topic", "headers", "allowed_topics", "json_schema", "dead_letter_topic"}
    of_messages |= {"replay_topic", "replay_topics"}
    assert of_rows | of_messages | {"source_conn_id", "broker_conn_id"} <= set(OutboxDrainOperator.template_fields)


def test_the_alias_is_the_topic_as_it_is_written():
    assert [one.name for one in operator(topic="o.{tenant}").outlets] == ["legacy-events:o.{tenant}"]
    assert operator(topic=TEMPLATE).outlets == []


LOADED = """
import sys
from airflow.sdk import BaseOperator
BaseOperator(task_id="nothing")
heavy = {"sqlalchemy", "confluent_kafka", "psycopg", "MySQLdb", "jsonschema"}
for name in [name for name in sys.modules if name.partition(".")[0] in heavy]:
    del sys.modules[name]  # Airflow loaded them
from airflow_legacy_events.operators.outbox import OutboxDrainOperator
OutboxDrainOperator(
    task_id="drain", source_conn_id="c", table="outbox", after_publish="mark", mark_values=(0, 1),
    columns={"timestamp": None}, topic_partitions=3, allowed_topics=["a.*"], headers={"x": "{event_type}"},
    json_schema={"*": {}}, watermark_store="asset",
)
print(sorted(heavy & set(sys.modules)))
"""


def test_rows_that_stay_may_be_old_and_in_the_zone_of_their_database():
    made = operator(after_publish="keep", retention=WEEK, source_timezone="database", completeness="bounded")
    assert made._spec().stream("t", "d", "k").source_timezone == "UTC"


def test_loading_a_drain_loads_no_library():
    command = [sys.executable, "-c", LOADED]
    assert subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout == "[]\n"
