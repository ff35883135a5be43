"""What `doctor` and `watermark` say of a task that applies a topic."""

import json
import uuid

import pytest

from tests.airflow import metadata
from tests.airflow.test_sink_operator import dag_text


@pytest.fixture
def sink(topic):
    """Returns a function that writes a DAG of query and sink on `topic`; gives its id."""
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"

    def sink(**arguments):
        metadata.write_dag(dag_text(dag_id, topic, **arguments), dag_id)
        return dag_id

    return sink


def doctor(dag_id, capsys):
    """Return whether the next run would fail, and the findings."""
    capsys.readouterr()
    failed = False
    try:
        metadata.cli("legacy-events", "doctor", dag_id, "apply", "-o", "json")
    except SystemExit as ended:
        failed = bool(ended.code)
    return failed, json.loads(capsys.readouterr().out.strip().splitlines()[-1])


def test_a_task_that_may_run_is_found_well(shop, broker, warehouse, sink, capsys):
    failed, findings = doctor(sink(), capsys)

    assert not failed, findings
    assert {one["check"] for one in findings} >= {"arguments", "connection", "position table", "tables", "broker"}
    assert [one["text"].partition(":")[0] for one in findings if one["check"] == "completeness"] == ["exact"]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"table": "nowhere"}, ("tables", "nowhere")),
        ({"topics": "nothing.of.the.kind"}, ("source", "nothing.of.the.kind")),
        ({"target_conn_id": "not_there"}, ("tables", "not_there")),
        ({"dead_letter_topic": "no.letters"}, ("topic no.letters", "no.letters")),
        ({"key_columns": ["status"]}, ("tables", "status")),
    ],
)
def test_what_would_fail_is_a_problem(shop, broker, warehouse, sink, capsys, arguments, found):
    failed, findings = doctor(sink(**arguments), capsys)

    assert failed
    problems = [one for one in findings if one["result"] == "problem"]
    check, text = found
    assert any(text in one["text"] for one in problems if one["check"] == check), problems


def test_positions_that_can_not_be_written_are_a_problem(shop, broker, warehouse, sink, capsys):
    dag_id = sink()
    warehouse.execute(
        "CREATE TABLE legacy_events_watermarks (id TEXT, stream TEXT, watermark TEXT, revision INTEGER,"
        " saved_at TEXT, CHECK (length(stream) < 2))"
    )

    failed, findings = doctor(dag_id, capsys)

    assert failed
    assert [one["check"] for one in findings if one["result"] == "problem"] == ["writing positions"], findings
    assert warehouse.execute("SELECT count(*) FROM legacy_events_watermarks").fetchone() == (0,)


def test_positions_are_shown_counted_set_and_forgotten(shop, broker, warehouse, sink, topic, capsys):
    dag_id = sink()
    metadata.run_dag(dag_text(dag_id, topic), dag_id)
    stream = f"{topic}@warehouse.orders"

    def said(*words):
        capsys.readouterr()
        metadata.cli("legacy-events", "watermark", *words)
        return capsys.readouterr().out

    assert f"{topic}[0]=3" in said("show", stream, "--output", "json")
    assert "would leave 2 rows" in said("rewind", stream, "--by", "2", "--dry-run")
    assert "moved back" in said("rewind", stream, "--by", "1h")
    assert "would leave 3 rows" in said("set", stream, f"{topic}[0]=0", "--dry-run")
    assert "watermark set" in said("set", stream, f"{topic}[0]=1")
    assert f"{topic}[0]=1" in said("show", stream)
    assert stream in said("list", "--output", "json")
    assert "forgotten" in said("forget", stream)
    assert warehouse.execute("SELECT count(*) FROM legacy_events_watermarks").fetchone() == (0,)
