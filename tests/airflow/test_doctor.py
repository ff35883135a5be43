"""The doctor: what it says of a task equals what the next run of that task reports, and nothing is sent or made."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.airflow import metadata
from tests.airflow.scheduler import Dag

HEAD = """
from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.operators.query import IncrementalQueryOperator
"""


@pytest.fixture
def examined(shop, broker, topic, capsys):
    """Returns a function that writes a DAG of one task and calls the doctor; it gives findings, error and DAG."""

    def examine(made="IncrementalQueryOperator", **arguments):
        if made != "EmptyOperator":
            arguments = {"source_conn_id": "legacy_shop", "table": "orders", "topic": topic} | arguments
        dag_id = f"dag_{uuid.uuid4().hex[:12]}"
        words = "".join(f", {name}={value!r}" for name, value in arguments.items() if value is not None)
        dag = Dag.write(f"{HEAD}\nwith DAG({dag_id!r}, schedule=None):\n    {made}(task_id='publish'{words})\n", dag_id)
        capsys.readouterr()
        error = None
        try:
            metadata.cli("legacy-events", "doctor", dag_id, "publish", "-o", "json")
        except SystemExit as ended:
            error = str(ended)
        printed = capsys.readouterr().out
        return (json.loads(printed) if printed else []), error, dag

    return examine


def results(findings):
    return {one["check"]: one["result"] for one in findings}


def text_of(findings, check):
    return "\n".join(one["text"] for one in findings if one["check"] == check)


@pytest.mark.parametrize(
    ("made", "arguments", "completeness"),
    [
        ("IncrementalQueryOperator", {"watermark_columns": []}, "exact"),
        ("IncrementalQueryOperator", {"watermark_columns": ["id"]}, "best_effort"),
        (
            "IncrementalQueryOperator",
            {"watermark_columns": ["updated_at"], "completeness": "best_effort"},
            "best_effort",
        ),
        ("OutboxDrainOperator", {"table": "outbox", "allowed_topics": None}, "exact"),
        (
            "IncrementalQueryOperator",
            {
                "table": None,
                "sql": "SELECT id FROM orders WHERE status <> '{{ dag.dag_id }}'",
                "watermark_columns": ["id"],
                "key_columns": ["id"],
            },
            "best_effort",
        ),
    ],
    ids=["bulk", "id", "time", "outbox", "query"],
)
def test_what_it_says_equals_what_the_run_reports(examined, broker, topic, made, arguments, completeness):
    findings, error, dag = examined(made, **arguments)
    assert error is None
    assert "problem" not in results(findings).values()
    said = text_of(findings, "completeness")
    assert said.startswith(f"{completeness}: ")
    assert broker.read(topic) == []
    run = dag.run()
    report = metadata.pulled(run, "publish")
    assert f"{report['completeness']}: {report['completeness_reason']}" == said


@pytest.mark.parametrize(
    ("arguments", "check", "says"),
    [
        ({"watermark_columns": ["id"], "completeness": "exact"}, "completeness", "completeness='exact' is required"),
        ({"watermark_columns": ["nothing"]}, "source", "has no column 'nothing'"),
        ({"table": "nothing", "watermark_columns": ["id"]}, "source", "nothing"),
        ({"source_conn_id": "not_there", "watermark_columns": ["id"]}, "connection", "not_there"),
        ({"watermark_columns": ["id"], "topic": "not there"}, "topic not there", "character"),
        ({"watermark_columns": ["id"], "topic": "nobody_made_this"}, "topic nobody_made_this", "topic_partitions"),
        ({"watermark_columns": ["id"], "dead_letter_topic": "nor_this"}, "topic nor_this", "topic_partitions"),
        ({"watermark_columns": ["id"], "timestamp_column": "status"}, "messages", "message timestamp"),
    ],
)
def test_a_problem_ends_the_command_with_1_and_the_run_red(examined, arguments, check, says):
    findings, error, dag = examined(**arguments)
    assert error == "the next run of this task would fail"
    assert results(findings)[check] == "problem"
    assert says in text_of(findings, check)
    assert metadata.states(dag.run()) == {"publish": "failed"}


def test_a_topic_that_the_run_creates_is_not_created_yet(examined, broker):
    name = f"made_{uuid.uuid4().hex[:12]}"
    findings, error, _ = examined(watermark_columns=["id"], topic=name, topic_partitions=3)
    assert error is None
    assert text_of(findings, f"topic {name}") == "is missing; the first run creates it, with topic_partitions=3"
    assert name not in broker.kafka.admin.list_topics(timeout=10).topics


def test_warnings_of_the_source_are_findings(examined, shop):
    shop.execute("DROP INDEX orders_updated_at")
    findings, error, _ = examined(watermark_columns=["updated_at"])
    assert error is None
    assert "index" in text_of(findings, "source")


def test_a_task_that_moves_no_stream_is_refused(examined):
    _, error, _ = examined("EmptyOperator")
    assert "is a EmptyOperator, which moves no stream" in error


def test_the_table_of_findings_is_readable(examined, capsys, topic):
    _, _, dag = examined(watermark_columns=["id"])
    capsys.readouterr()
    metadata.cli("legacy-events", "doctor", dag.dag.dag_id, "publish")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"task 'publish' of DAG {dag.dag.dag_id!r}, stream 'legacy_shop.orders@{topic}'"
    assert "ok       connection" in printed
    assert "warning  completeness" in printed
