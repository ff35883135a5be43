"""What templated arguments are after Airflow has rendered them, with native rendering and without."""

import datetime as dt

import pytest
from airflow.sdk import DAG
from jinja2 import TemplateNotFound

from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.sensors.outbox import PendingOutboxSensor
from airflow_legacy_events.sensors.pending import PendingEventsSensor
from airflow_legacy_events.streams import messages

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CONTEXT = {
    "ds_nodash": "20261129",
    "params": {"columns": ["id", "1"], "topic": 5, "nothing": None, "day": START.date()},
}
QUERY = {"source_conn_id": "c", "table": "t", "watermark_columns": ["id"]}
ROLES = {"timestamp": "{{ params.nothing }}", "event_type": "{{ ds_nodash }}"}


def rendered(operator, *, native=True, by_task=False, searchpath=None, mapped=None, **arguments):
    """The arguments of a task after rendering."""
    own = {"render_template_as_native_obj": native} if by_task else {}
    with DAG(
        "d",
        schedule=None,
        start_date=START,
        render_template_as_native_obj=native and not by_task,
        template_searchpath=searchpath,
    ):
        if mapped is None:
            task = operator(task_id="t", **own, **arguments)
        else:
            task = operator.partial(task_id="t", **own, **arguments).expand(**{name: [mapped[name]] for name in mapped})
            task = task.unmap(mapped)
    task.render_template_fields(CONTEXT)
    return {**vars(task), **{name: getattr(task, name) for name in task.template_fields}}


LIKE_OTHERS = ["1.0", "20261129", "0x1F", "1e5", "True", "None", "['a']", "(1, 2)", "'quoted'", "1_000"]


@pytest.mark.parametrize("by_task", [False, True])
@pytest.mark.parametrize("text", LIKE_OTHERS)
def test_a_text_that_looks_like_something_else_stays_a_text(text, by_task):
    asked = dict.fromkeys(("topic", "stream", "subject", "event_type", "event_source", "dead_letter_topic"), text)
    found = rendered(IncrementalQueryOperator, by_task=by_task, **QUERY, **asked, headers={"a": text})
    assert {name: found[name] for name in asked} == asked
    assert messages._headers(found["headers"]) == (("a", text),)


@pytest.mark.parametrize("native", [False, True])
def test_a_text_that_a_template_gives_is_a_text(native):
    found = rendered(
        IncrementalQueryOperator,
        native=native,
        **QUERY | {"table": "{{ ds_nodash }}"},
        topic="{{ params.topic }}",
        time_column="{{ ds_nodash }}",
        first_run="{{ params.day }}",
        headers={"day": "{{ ds_nodash }}", "both": "{{ params.topic }}{{ params.topic }}"},
        topic_partitions=1,
        topic_config={"retention.ms": "604800000", "max.message.bytes": "{{ params.topic }}"},
        replay_topics=["{{ ds_nodash }}"],
    )
    assert found["headers"] == {"day": "20261129", "both": "55"}
    assert found["topic_config"] == {"retention.ms": "604800000", "max.message.bytes": "5"}
    wanted = {"table": "20261129", "topic": "5", "time_column": "20261129", "first_run": "2026-01-01"}
    assert {name: found[name] for name in wanted} == wanted
    assert found["replay_topics"] == ["20261129"]


def test_a_list_that_a_native_template_gives_is_a_list():
    names = {"watermark_columns", "key_columns", "columns", "exclude_columns", "replay_topics"}
    lists = dict.fromkeys(names, "{{ params.columns }}")
    found = rendered(IncrementalQueryOperator, **QUERY | lists, topic="x")
    assert {name: found[name] for name in names} == {name: ["id", "1"] for name in names}
    found = rendered(IncrementalQueryOperator, **QUERY | {"key_columns": "['{{ ds_nodash }}', 'b']"}, topic="x")
    assert found["key_columns"] == ["20261129", "b"]


def test_none_of_a_native_template_leaves_an_argument_out():
    nothing = "{{ params.nothing }}"
    left_out = dict.fromkeys(("dead_letter_topic", "stream", "subject", "timestamp_column"), nothing)
    found = rendered(IncrementalQueryOperator, **QUERY, topic=nothing, **left_out)
    assert {name: found[name] for name in left_out} == dict.fromkeys(left_out)
    assert found["topic"] == "None"


def test_arguments_of_an_outbox_stay_what_they_are():
    asked = {"source_conn_id": "c", "table": "1", "where": "1", "columns": ROLES, "mark_values": ["0", "2"]}
    found = rendered(
        OutboxDrainOperator,
        **asked,
        after_publish="mark",
        allowed_topics=["1", "{{ ds_nodash }}"],
        json_schema={"1": {"const": "1"}, "2": "{{ params.columns }}"},
        topic="20261129",
    )
    assert (found["table"], found["where"], found["topic"]) == ("1", "1", "20261129")
    assert found["columns"] == {"timestamp": None, "event_type": "20261129"}
    assert found["mark_values"] == ["0", "2"]
    assert found["allowed_topics"] == ["1", "20261129"]
    assert found["json_schema"] == {"1": {"const": "1"}, "2": ["id", "1"]}


def test_arguments_of_sensors_stay_what_they_are():
    found = rendered(PendingEventsSensor, **QUERY, topic="20261129", stream="1.0", key_columns="{{ params.columns }}")
    assert (found["topic"], found["stream"], found["key_columns"]) == ("20261129", "1.0", ["id", "1"])
    found = rendered(PendingOutboxSensor, source_conn_id="c", table="1", channel="2", deferrable=True)
    assert (found["table"], found["channel"]) == ("1", "2")


def test_arguments_of_mapped_tasks_stay_what_they_are():
    found = rendered(
        IncrementalQueryOperator,
        source_conn_id="c",
        watermark_columns="{{ params.columns }}",
        stream="{{ ds_nodash }}",
        mapped={"table": "1.0", "topic": "a.sql"},
    )
    assert [found[name] for name in ("table", "topic", "stream")] == ["1.0", "a.sql", "20261129"]
    assert found["watermark_columns"] == ["id", "1"]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("operator", [IncrementalQueryOperator, PendingEventsSensor])
def test_only_a_query_may_be_a_file(tmp_path, operator, native):
    for name in ("orders.sql", "reports.sql"):
        (tmp_path / name).write_text("SELECT 1 AS id, '{{ ds_nodash }}' AS day")
    asked = {"source_conn_id": "c", "watermark_columns": ["id"], "searchpath": str(tmp_path), "native": native}
    found = rendered(operator, **asked, sql="orders.sql", topic="reports.sql", stream="orders.sql")
    assert (found["topic"], found["stream"]) == ("reports.sql", "orders.sql")
    assert found["sql"] == "SELECT 1 AS id, '20261129' AS day"
    assert rendered(operator, **asked, table="orders.sql", topic="x")["table"] == "orders.sql"


def test_every_text_and_list_may_end_like_a_file(tmp_path):
    (tmp_path / "orders.sql").write_text("SELECT 1")
    named = {"dead_letter_topic": "orders.sql", "headers": {"a": "orders.sql"}, "columns": ["orders.sql"]}
    found = rendered(IncrementalQueryOperator, searchpath=str(tmp_path), **QUERY, topic="x", **named)
    assert {name: found[name] for name in named} == named


def test_a_file_is_read_when_the_dag_is_loaded_and_no_other_field_is(tmp_path):
    (tmp_path / "orders.sql").write_text("SELECT * FROM dbo.sql")
    with DAG("d", schedule=None, start_date=START, template_searchpath=str(tmp_path)) as dag:
        task = IncrementalQueryOperator(
            task_id="t", source_conn_id="c", sql="orders.sql", topic="orders.sql", watermark_columns=["id"]
        )
    dag.resolve_template_files()
    assert (task.sql, task.topic) == ("SELECT * FROM dbo.sql", "orders.sql")
    task.render_template_fields(CONTEXT)
    assert (task.sql, task.sql_as_written) == ("SELECT * FROM dbo.sql",) * 2


def test_a_query_may_end_like_a_file():
    query = "SELECT * FROM dbo.sql"
    asked = {"source_conn_id": "c", "watermark_columns": ["id"], "topic": "x"}
    assert rendered(IncrementalQueryOperator, **asked, sql=query)["sql_as_written"] == query
    with pytest.raises(TemplateNotFound):
        rendered(IncrementalQueryOperator, **asked, sql="missing.sql")
