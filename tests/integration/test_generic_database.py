"""What only the database of any dialect does: zones, snapshots that there are none of, secrets, odd columns."""

from __future__ import annotations

import datetime as dt
import sqlite3
import time

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.databases.generic import GenericDatabase
from airflow_legacy_events.sources.query import QuerySource
from tests.support.legacy import legacy_database


@pytest.fixture
def legacy(request):
    with legacy_database(request, "firebird") as found:
        yield found


@pytest.fixture
def plain(tmp_path):
    """SQLite, read through its dialect alone."""
    path = tmp_path / "plain.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, "2026-01-01 00:00:00"), (2, "2026-01-01 00:00:00")])
    connection.close()
    database = GenericDatabase(sa.make_url(f"sqlite:///{path}"), conn_id="crm", statement_timeout_seconds=30)
    yield database
    database.close()


def test_a_load_without_a_snapshot_does_not_claim_to_be_exact(plain):
    source = QuerySource(database=plain, stream="s", source="crm", table="t")
    horizon, reading = source.open(None)
    assert (horizon.completeness, plain.holds_snapshot) == ("best_effort", False)
    assert "has no known snapshot" in horizon.reason
    assert [row for batch in reading for row in batch.rows] == [
        (1, "2026-01-01 00:00:00"),
        (2, "2026-01-01 00:00:00"),
    ]


def test_firebird_is_read_in_transactions_that_it_keeps_read_only(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    database = legacy.database()
    with pytest.raises(SourceError, match="attempted update during read-only transaction"):
        database.read(sa.text("INSERT INTO t VALUES (1) RETURNING id"))
    database.close()


def test_a_dialect_is_read_by_its_own_statements_and_may_not_write(plain):
    with pytest.raises(SourceError, match="readonly"):
        plain.read(sa.text("DELETE FROM t"))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"])
def test_the_clock_of_a_server_in_any_zone_is_read_in_utc(legacy, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        database = legacy.database()
        assert abs(database.now() - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
        database.close()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_password_is_in_no_error(legacy):
    wrong = legacy.database(username="ann", password="s3cret", host="127.0.0.1", port=1)
    with pytest.raises(SourceError, match="connection 'crm' failed") as refused:
        wrong.identity()
    assert "s3cret" not in str(refused.value)
    wrong.close()


def test_an_error_shows_no_value_that_was_bound(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    database = legacy.database()
    query = sa.select(sa.column("nix")).select_from(sa.table("t")).where(sa.column("id") == 4711)
    with pytest.raises(SourceError) as refused:
        database.read(query)
    assert "4711" not in str(refused.value)
    database.close()


def test_columns_that_can_not_be_carried_are_named_with_their_types(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, a integer[3])")
    database = legacy.database()
    found = database.reflect(None, "SELECT id, a FROM t")
    assert ([column.name for column in found.columns], dict(found.refused)) == (["id"], {"a": "list"})
    database.close()


def test_a_large_text_is_carried_and_refused_as_a_key(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, body blob sub_type text, raw blob)")
    legacy.execute("INSERT INTO t VALUES (1, 'ä', x'00ff')")
    with legacy.source(watermark_columns=("id",)) as source:
        assert [row for batch in source.open(None).batches for row in batch.rows] == [(1, "ä", b"\x00\xff")]
    with legacy.source(watermark_columns=("body",)) as source, pytest.raises(ConfigurationError, match="ordered"):
        source.open(None)


def test_a_name_in_quotes_is_found_only_as_it_is_written(legacy):
    legacy.execute("CREATE TABLE orders (id integer PRIMARY KEY)")
    database = legacy.database()
    assert database.reflect("Orders", None).primary_key == ("id",)
    with pytest.raises(ConfigurationError, match=r"table '\"Orders\"' was given, .* similar: orders"):
        database.reflect('"Orders"', None)
    with pytest.raises(ConfigurationError, match="in schema 'sales'"):
        database.reflect("sales.orders", None)
    database.close()
