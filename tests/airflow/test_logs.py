"""A task that a row makes fail, its log at DEBUG: the value of the row is in no line of it."""

from __future__ import annotations

import logging

import pytest

from tests.airflow import metadata
from tests.airflow.runs import one_task
from tests.support.messages import one_line

PLANTED = "planted"
CASES = {
    "value": ("CREATE TABLE odd (id INTEGER PRIMARY KEY, v BOOLEAN)", {"table": "odd"}, "'v' is declared 'BOOLEAN'"),
    "read": (
        "CREATE TABLE odd (id INTEGER PRIMARY KEY, v TEXT)",
        {"table": None, "sql": "SELECT id, json_extract('{}', v) AS v FROM odd", "key_columns": ["id"]},
        "failed while reading: ",
    ),
    "watermark": (
        "CREATE TABLE odd (v TEXT PRIMARY KEY NOT NULL)",
        {"table": "odd", "watermark_columns": ["v"], "watermark_store": "table:odd_marks"},
        "could not be reached while saving",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_row_that_fails_a_task_is_not_in_its_log(shop, broker, topic, case, caplog, capsys, tmp_path):
    made, arguments, says = CASES[case]
    caplog.set_level(logging.DEBUG)
    metadata.put_connection("odd_marks", conn_type="sqlite", host=str(tmp_path / "shop.db"))
    shop.execute(made)
    dag = one_task(topic, **{"watermark_columns": ["id"], "first_run": "all", **arguments})
    if case == "watermark":
        dag.run()
        shop.execute(
            "CREATE TRIGGER refused BEFORE UPDATE ON legacy_events_watermarks"
            " BEGIN SELECT json_extract('{}', NEW.watermark); END"
        )
    shop.execute("INSERT INTO odd (v) VALUES (?)", (PLANTED,))

    failed = dag.run()

    out, err = capsys.readouterr()
    log = out + err + caplog.text
    assert metadata.states(failed) == {"publish": "failed"}
    assert says in one_line(log)
    assert PLANTED not in log
