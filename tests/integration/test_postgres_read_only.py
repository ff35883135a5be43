"""Whatever is read runs in a read-only transaction that is rolled back: it writes nothing, and changes no setting."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from tests.support.engines import of
from tests.support.legacy import reused_database

SETTINGS = {
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "serializable",
    "statement_timeout": "0",
    "TimeZone": "Asia/Kolkata",
    "DateStyle": "German, DMY",
    "search_path": "elsewhere",
    "role": "pg_read_all_data",
}


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamptz NOT NULL)")
        found.execute("INSERT INTO t SELECT n, timestamptz '2026-01-01Z' FROM generate_series(1, 30) n")
        found.execute("CREATE TABLE written (id integer)")
        found.execute(
            "CREATE FUNCTION write_behind() RETURNS integer LANGUAGE plpgsql AS"
            " $$ BEGIN INSERT INTO written VALUES (1); RETURN 1; END $$"
        )
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


def setting(database, name: str) -> str:
    [(value,)] = database.read(sa.text(f"SELECT current_setting('{name}')"))
    return value


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_changed_by_what_is_read_is_undone(database, name):
    before = setting(database, name)
    database.read(sa.text(f"SELECT set_config('{name}', '{SETTINGS[name]}', false)"), max_bytes=1_000)
    assert setting(database, name) == before
    with database.snapshot():
        database.read(sa.text(f"SELECT set_config('{name}', '{SETTINGS[name]}', false)"), max_bytes=1_000)
        assert setting(database, name) == before
    assert setting(database, name) == before


@pytest.mark.parametrize("by", ["sql", "table"])
def test_later_pages_can_not_write(legacy, by):
    """The first row lets later transactions write, as far as it can; each row behind it writes where it may."""
    legacy.execute(
        "CREATE FUNCTION sly(n integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN"
        " IF n = 1 THEN PERFORM set_config('default_transaction_read_only', 'off', false);"
        " ELSIF current_setting('transaction_read_only') = 'off' THEN INSERT INTO written VALUES (n); END IF;"
        " RETURN n; END $$"
    )
    query = "SELECT id, sly(id) AS sly FROM t"
    legacy.execute(f"CREATE VIEW v AS {query}")
    what = {"table": None, "sql": query} if by == "sql" else {"table": "v"}
    with legacy.source(watermark_columns=("id",), key_columns=("id",), batch_rows=10, **what) as source:
        assert sum(len(batch.rows) for batch in source.open(None).batches) == 30
    assert legacy.execute("SELECT count(*) FROM written") == [(0,)]


def test_the_questions_of_a_start_can_not_write(legacy, database):
    """A function that calls itself immutable runs while a query is only planned."""
    legacy.execute(
        "CREATE FUNCTION fixed() RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN write_behind(); END $$"
    )
    legacy.execute("CREATE VIEW v AS SELECT id FROM t WHERE fixed() = 1")
    planned = "SELECT fixed() AS w"
    for ask in (
        lambda: database.reflect("v", None),
        lambda: database.reflect(None, planned),
        lambda: database.check(sa.text(planned).columns(sa.column("w"))),
    ):
        with pytest.raises(ConfigurationError, match="read-only transaction"):
            ask()
    assert database.reflect("t", None).primary_key == ("id",)
    assert legacy.execute("SELECT count(*) FROM written") == [(0,)]


def test_a_question_that_fails_leaves_a_session_that_reads(database):
    with pytest.raises(ConfigurationError):
        database.reflect("nowhere", None)
    with pytest.raises(ConfigurationError):
        database.reflect(None, "SELECT nix FROM t")
    assert database.read(sa.text("SELECT 1")) == [("1",)]


def test_a_snapshot_inside_a_snapshot_is_the_same_one(legacy, database):
    count = sa.text("SELECT count(*) FROM t")
    with database.snapshot():
        assert database.read(count) == [("30",)]
        legacy.execute("DELETE FROM t WHERE id = 1")
        with database.snapshot():
            assert database.read(count) == [("30",)]
        assert database.read(count) == [("30",)]
    assert database.read(count) == [("29",)]


def test_a_page_that_fails_in_a_snapshot_leaves_it_as_it_was(legacy, database):
    count = sa.text("SELECT count(*) FROM t")
    with database.snapshot():
        assert database.read(count) == [("30",)]
        legacy.execute("DELETE FROM t WHERE id = 1")
        for _ in range(2):
            with pytest.raises(SourceError):
                database.read(sa.text("SELECT 1 / 0"))
            assert database.read(count) == [("30",)]
