"""`--dry-run`: the rows that the next run would send."""

import datetime as dt
import json
import sqlite3

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore
from tests.airflow import metadata
from tests.support.commands import refused
from tests.support.registered import Registered


def test_a_dry_run_reads_no_column_that_the_operator_may_have_left_out_for_its_type(call, shop, stream):
    with sqlite3.connect(shop) as connection:
        connection.execute("CREATE TABLE places (id INTEGER PRIMARY KEY, shape)")
        connection.execute("INSERT INTO places VALUES (1, 'POINT(1 1)'), (2, 'POINT(2 2)')")
    metadata.put_connection(
        "legacy_gis", conn_type="generic", extra=json.dumps({"sqlalchemy_url": f"sqlite:///{shop}"})
    )
    facts = {"source": "legacy_gis", "columns": [["id", "INTEGER"]], "watermark_columns": ["id"], "key_columns": ["id"]}
    mark = Watermark(("1",), None, {**facts, "table": "places"})
    Registered(VariableWatermarkStore(), name="variable").save(stream, mark, expected=None)

    assert "leave 2 rows to send" in call("forget", stream, "--dry-run")


def test_a_dry_run_counts_the_rows_of_an_outbox_that_stay(call, shop, stream):
    with sqlite3.connect(shop) as connection:
        connection.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, payload)")
        connection.execute("INSERT INTO outbox VALUES (1, '{}'), (2, '{}'), (3, '{}')")
    metadata.put_connection(
        "legacy_gis", conn_type="generic", extra=json.dumps({"sqlalchemy_url": f"sqlite:///{shop}"})
    )
    facts = {"kind": "outbox", "mode": "keep", "source": "legacy_gis", "columns": [["id", "INTEGER"]]}
    facts |= {"watermark_columns": ["id"], "key_columns": ["id"], "table": "outbox", "where": ""}
    mark = Watermark(("2",), None, facts)
    store = Registered(VariableWatermarkStore(), name="variable")
    store.save(stream, mark, expected=None)

    assert "leave 3 rows to send" in call("rewind", stream, "--to", "1", "--dry-run", "--source-conn-id", "legacy_gis")
    assert "leave 3 rows to send" in call("forget", stream, "--dry-run")
    store.save(stream, mark._replace(facts={**facts, "where": "2:0"}), expected=mark)
    assert "Give --sql with a SELECT" in refused(call, "forget", stream, "--dry-run")


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (("set", "{}", "2026-11-22 09:15:02", "2"), 3),
        (("set", "{}", "2026-11-22 09:15:02"), 4),
        (("rewind", "{}", "--by", "1d"), 4),
        (("forget", "{}"), 5),
    ],
)
def test_a_dry_run_counts_the_rows_to_send_and_changes_nothing(call, stream, mark, words, rows):
    before = metadata.variables()

    said = call(*(word.format(stream) for word in words), "--dry-run")

    assert f"would leave {rows} rows to send" in said
    assert "nothing was changed" in said
    assert metadata.variables() == before


def test_a_dry_run_of_a_query_needs_its_text(call, stream, mark):
    store = VariableWatermarkStore()
    store.save(stream, mark._replace(facts={**mark.facts, "table": None}), expected=mark)

    assert "Give --table or --sql" in refused(call, "forget", stream, "--dry-run")
    said = call("forget", stream, "--dry-run", "--sql", "SELECT * FROM orders WHERE id > 3")
    assert "would leave 2 rows" in said


def test_a_dry_run_counts_the_rows_of_a_table_whose_time_zone_is_ahead_of_utc(call, shop, stream, mark):
    """No watermark tells the zone of naive times: a row that was written just now bears a time to come in UTC."""
    just_now = dt.datetime.now(dt.timezone(dt.timedelta(hours=12))).replace(tzinfo=None)
    with sqlite3.connect(shop) as connection:
        connection.execute("UPDATE orders SET updated_at = ? WHERE id = 5", (just_now.isoformat(sep=" "),))

    assert "would leave 5 rows to send" in call("forget", stream, "--dry-run")
