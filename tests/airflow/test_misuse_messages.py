"""Errors that name what was asked, what was found and what helps, where each text matters."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.errors import ConfigurationError, DeliveryError
from tests.airflow.desk import VALUE
from tests.support.messages import raises


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"table": ...}, "exactly one of table= and sql= must be given; found neither"),
        ({"sql": "SELECT id FROM orders"}, "exactly one of table= and sql= must be given; found both"),
        ({"watermark_columns": "id"}, "watermark_columns= must be a list of column names, such as ['id']"),
        ({"key_columns": "id"}, "key_columns= must be a list of column names"),
        ({"batch_rows": 0}, "batch_rows= must be a whole number above 0; found 0"),
        ({"max_rows": 1.5}, "max_rows= must be a whole number above 0; found 1.5"),
        ({"rows_per_second": "fast"}, "rows_per_second= must be a number; found 'fast'"),
        ({"lag": 5}, "lag= must be a timedelta; found 5"),
        ({"lag": dt.timedelta(-1)}, "lag= must not be below zero"),
        ({"overlap": 5}, "overlap= must be a timedelta; found 5"),
        ({"overlap": dt.timedelta(-1)}, "overlap= must not be below zero"),
        ({"statement_timeout": dt.timedelta(0)}, "statement_timeout= must be above zero"),
        ({"max_row_bytes": 1_023}, "max_row_bytes= must be a whole number of bytes, 1024 or more; found 1023"),
        ({"max_row_bytes": 2.0**24}, "max_row_bytes= must be a whole number of bytes, 1024 or more; found 16777216.0"),
        ({"topic_config": {"cleanup.policy": "compact"}}, "topic_config= has no effect without topic_partitions="),
        ({"topic_partitions": 0}, "topic_partitions= must be a whole number above 0"),
        ({"on_busy": "later"}, "on_busy= must be one of 'skip', 'wait', 'fail'; found 'later'"),
        ({"null_watermark": "ignore"}, "null_watermark= must be one of 'fail', 'skip', 'first_run_only', 'always'"),
        ({"on_query_change": "warn"}, "on_query_change= must be one of 'fail', 'keep', 'reset'"),
        ({"on_schema_change": "ignore"}, "on_schema_change= must be one of 'evolve', 'fail'"),
        ({"source_timezone": "Mars"}, "source_timezone= must be the name of a time zone"),
    ],
)
def test_what_can_be_known_when_the_dag_is_loaded_stops_it_there(desk, arguments, told):
    with pytest.raises(ConfigurationError) as raised:
        desk.operator(**arguments)
    assert told in str(raised.value)


def test_a_wrong_table_a_missing_topic_and_an_unknown_store_are_all_named_with_what_helps(desk):
    with pytest.raises(ConfigurationError) as raised:
        desk.run(table="order", topic="no-such-topic", watermark_store="redis", lag=dt.timedelta(1))
    told = str(raised.value)
    assert told.startswith("3 problems were found before anything was read:\n1. watermark_store 'redis' is not known")
    assert "\n2. topic 'no-such-topic' was given, but" in told
    assert "\n3. table 'order' was given, but there is no table or view of that name" in told


def test_a_message_over_the_limit_is_named_by_its_size_and_nothing_passes_it(desk):
    desk.topic = desk.topics.make(max_message_bytes="2000")
    desk.rows.execute("UPDATE orders SET body = ? WHERE id = 1", (VALUE * 200,))
    with raises(DeliveryError, match=r"1 of 2 messages were rejected .* MSG_SIZE_TOO_LARGE: 3\d{3} bytes"):
        desk.run(columns=["id", "body"])
    assert desk.pushed["report"]["watermark_to"] is None


def test_a_backfill_that_can_not_know_its_interval_is_refused(desk):
    with raises(ConfigurationError, match=r"belongs to a backfill.* Schedule the DAG with CronDataIntervalTimetable"):
        desk.run(run_type="backfill")
    assert desk.kept() == {}


def test_settings_of_consumers_are_left_out_without_an_error(desk, caplog):
    assert desk.run()["events"] == 2
    assert "group.id" not in caplog.text
