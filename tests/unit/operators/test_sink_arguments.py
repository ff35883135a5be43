"""Arguments of the sink: what the stream is called, what may be a template, and all that is wrong in one message."""

import datetime as dt
import subprocess
import sys

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.operators.sink import TopicToTableOperator

GIVEN = {"task_id": "apply", "topics": "legacy.orders", "target_conn_id": "warehouse", "table": "orders"}


def sink(**arguments):
    return TopicToTableOperator(**GIVEN | arguments)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({}, "legacy.orders@warehouse.orders"),
        ({"topics": ["a", "b"]}, "a+b@warehouse.orders"),
        ({"partitions": [0, 1]}, "legacy.orders@warehouse.orders[0,1]"),
        ({"table": "{name}", "allowed_tables": ["orders"]}, "legacy.orders@warehouse.{name}"),
        ({"stream": "mine", "partitions": [0]}, "mine"),
    ],
)
def test_the_stream_is_named_by_topics_target_and_table(arguments, name):
    assert sink(**arguments)._spec().stream("", "d", "t").name == name


WRONG = [
    ({"topics": []}, "topics="),
    ({"topics": ""}, "topics="),
    ({"topics": ["a", "a"]}, "twice"),
    ({"topics": [1]}, "topics="),
    ({"topics": None}, "topics="),
    ({"target_conn_id": ""}, "target_conn_id="),
    ({"target_conn_id": None}, "target_conn_id="),
    ({"broker_conn_id": 7}, "broker_conn_id="),
    ({"table": ""}, "table="),
    ({"table": "{other}"}, "no valid template"),
    ({"table": "{name"}, "no valid template"),
    ({"table": "{name}"}, "allowed_tables="),
    ({"allowed_tables": ["orders"]}, "allowed_tables="),
    ({"partitions": []}, "partitions="),
    ({"partitions": [-1]}, "partitions="),
    ({"partitions": [0, 0]}, "partitions="),
    ({"partitions": "0"}, "partitions="),
    ({"stream": " "}, "stream="),
    ({"envelope": "avro"}, "avro"),
    ({"envelope": object()}, "envelope"),
    ({"mode": "insert"}, "mode="),
    ({"mode": "append", "key_columns": ["id"]}, "key_columns="),
    ({"mode": "append", "version_column": "v"}, "version_column="),
    ({"mode": "append", "on_truncate": "apply"}, "on_truncate="),
    ({"key_columns": "id"}, "key_columns="),
    ({"key_columns": []}, "key_columns="),
    ({"columns": ["a"], "exclude_columns": ["b"]}, "exclude_columns="),
    ({"columns": 5}, "columns="),
    ({"metadata_columns": ["when"]}, "metadata_columns="),
    ({"on_delete": "forget"}, "on_delete="),
    ({"on_delete": "soft"}, "deleted_column="),
    ({"deleted_column": "gone"}, "deleted_column="),
    ({"on_truncate": "event"}, "on_truncate="),
    ({"on_truncate": "apply", "partitions": [0]}, "on_truncate='apply'"),
    ({"first_run": "2026-11-01"}, "first_run="),
    ({"first_run": 5}, "first_run="),
    ({"on_gap": "jump"}, "on_gap="),
    ({"create_table": "yes"}, "create_table="),
    ({"column_types": {"a": "text"}}, "column_types="),
    ({"on_schema_change": "add"}, "on_schema_change="),
    ({"on_loss": "cut"}, "on_loss="),
    ({"epoch_unit": "ms"}, "epoch_unit="),
    ({"envelope": "debezium", "epoch_unit": "s"}, "epoch_unit="),
    ({"decimal_scales": {"a": 2}}, "decimal_scales="),
    ({"target_timezone": "Mars/Olympus"}, "target_timezone="),
    ({"dead_letter_topic": ""}, "dead_letter_topic="),
    ({"dead_letter_topic": "legacy.orders"}, "dead_letter_topic="),
    ({"replay_table": "orders"}, "replay_table="),
    ({"replay_table": "again", "table": "{name}", "allowed_tables": ["a"]}, "replay_table="),
    ({"max_row_bytes": 0}, "max_row_bytes="),
    ({"batch_rows": 0}, "batch_rows="),
    ({"max_rows": -1}, "max_rows="),
    ({"max_seconds": "1"}, "max_seconds="),
    ({"rows_per_second": "fast"}, "rows_per_second="),
    ({"on_busy": "kill"}, "on_busy="),
    ({"on_new_stream": "ask"}, "on_new_stream="),
    ({"statement_timeout": 5}, "statement_timeout="),
    ({"delivery_timeout": dt.timedelta(0)}, "delivery_timeout="),
]


@pytest.mark.parametrize(("arguments", "named"), WRONG)
def test_a_wrong_argument_is_named_while_the_dag_is_parsed(arguments, named):
    with pytest.raises(ConfigurationError) as caught:
        sink(**arguments)
    assert named in str(caught.value)


def test_all_that_is_wrong_is_in_one_message():
    wrong = {
        "topics": [],
        "target_conn_id": "",
        "partitions": [-1],
        "mode": "insert",
        "key_columns": "id",
        "on_delete": "forget",
        "on_truncate": "event",
        "first_run": "2026-11-01",
        "on_gap": "jump",
        "on_loss": "cut",
        "target_timezone": "Mars/Olympus",
        "envelope": "avro",
        "max_row_bytes": 0,
        "batch_rows": 0,
        "max_rows": -1,
        "on_busy": "kill",
        "on_new_stream": "ask",
        "statement_timeout": 5,
        "delivery_timeout": 5,
    }
    with pytest.raises(ConfigurationError) as caught:
        sink(**wrong)

    text = str(caught.value)
    assert text.startswith(f"{len(wrong)} problems were found before anything was read"), text
    for name in wrong:
        assert name in text


LATE = {
    "topics": ["{{ params.topic }}"],
    "target_conn_id": "{{ params.target }}",
    "table": "{{ params.table }}",
    "broker_conn_id": "{{ params.broker }}",
    "allowed_tables": "{{ params.tables }}",
    "partitions": "{{ params.partitions }}",
    "stream": "{{ params.stream }}",
    "key_columns": ["{{ params.key }}"],
    "exclude_columns": "{{ params.left }}",
    "metadata_columns": {"offset": "{{ params.column }}"},
    "on_delete": "soft",
    "deleted_column": "{{ params.deleted }}",
    "version_column": "{{ params.version }}",
    "first_run": "{{ params.since }}",
    "create_table": True,
    "column_types": {"a": "{{ params.type }}"},
    "target_timezone": "{{ params.zone }}",
    "dead_letter_topic": "{{ params.dead }}",
    "replay_table": "{{ params.again }}",
}


def test_templates_are_checked_once_they_are_rendered():
    made = sink(**LATE)
    assert set(LATE) - {"on_delete", "create_table"} <= set(made.template_fields)
    assert made.outlets == []

    for name in ("table", "deleted_column", "version_column", "stream", "dead_letter_topic", "replay_table"):
        setattr(made, name, None if name in ("stream", "replay_table", "dead_letter_topic") else "ok")
    made.topics, made.target_conn_id, made.first_run, made.key_columns = ["a", "a"], "", "never", "id"
    with pytest.raises(ConfigurationError) as caught:
        made._spec().check(rendered=True)
    for name in ("twice", "target_conn_id=", "first_run=", "key_columns=", "partitions=", "allowed_tables="):
        assert name in str(caught.value)


def test_the_outlet_is_an_alias_of_target_and_table():
    assert [one.name for one in sink().outlets] == ["legacy-events:warehouse.orders"]


@pytest.mark.parametrize(
    ("arguments", "replayable"),
    [
        ({}, False),
        ({"replay_table": "again"}, True),
        ({"version_column": "v"}, True),
        ({"mode": "append"}, False),
        ({"mode": "append", "metadata_columns": {"event_id": "id"}}, True),
    ],
)
def test_a_replay_needs_what_keeps_newer_rows(arguments, replayable):
    assert sink(**arguments)._spec().replayable is replayable


def test_loading_a_sink_loads_no_driver():
    script = (
        "import sys\n"
        "from airflow_legacy_events.operators.sink import TopicToTableOperator\n"
        "TopicToTableOperator(task_id='a', topics='t', target_conn_id='w', table='x')\n"
        "adapters = [f'airflow_legacy_events.{one}' for one in ('databases', 'brokers', 'streams.table_run')]\n"
        "print([one for one in ('confluent_kafka', 'psycopg', 'MySQLdb', *adapters) if one in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip().splitlines()[-1] == "[]"
