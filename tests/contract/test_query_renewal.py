"""Columns that change while a run reads them, on every database: what the pages behind the change hold."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, SourceError, WatermarkError
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.taken import WAYS, Run

ROWS = 12


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        make(found, {"id": "integer NOT NULL", "at": "integer NOT NULL", "v": "integer", "w": "varchar(20)"})
        yield found


def make(legacy, columns, name="t"):
    """A table with twelve rows; where one is of texts they begin with a quotation mark."""
    listed = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
    legacy.execute(f"CREATE TABLE {name} ({listed}, PRIMARY KEY (id))")
    for number in range(1, ROWS + 1):
        values = (f"'\"{number}'" if "char" in type_ else str(number) for type_ in columns.values())
        legacy.execute(f"INSERT INTO {name} VALUES ({', '.join(values)})")


@pytest.mark.parametrize("way", WAYS)
def test_a_column_that_is_dropped_in_the_run_is_missing_from_there_on(legacy, way, caplog):
    options, window = WAYS[way]
    with legacy.source(batch_rows=2, **options) as source:
        run = Run(source, window)
        if way == "bulk" and not releases(source.database):  # the change waits for the load's end
            return
        run.take()
        legacy.execute("ALTER TABLE t DROP COLUMN w")
        with caplog.at_level(logging.WARNING):
            ids = run.rest()
    assert sorted(set(ids)) == list(range(1, ROWS + 1))
    assert (run.columns(0), run.columns(-1)) == (["id", "at", "v", "w"], ["id", "at", "v"])
    assert run.batches[-1].final
    assert caplog.text.count("the columns of table 't' changed during this run of stream 's': 'w' (") == 1
    assert [name for name, _, _ in run.after.facts["shape"]] == ["id", "at", "v"]


def releases(database):
    """Whether a table can be altered while a snapshot of it is read."""
    return database.url.get_backend_name() == "postgresql"


def test_the_next_run_says_nothing_of_a_change_that_was_taken_over_in_the_last_one(legacy, caplog):
    with legacy.source(batch_rows=2, watermark_columns=("at",)) as source:
        run = Run(source)
        run.take()
        legacy.execute("ALTER TABLE t DROP COLUMN w")
        run.rest()
    caplog.clear()
    with caplog.at_level(logging.WARNING), legacy.source(watermark_columns=("at",)) as source:
        assert Run(source, at=run.after).rest() == []
    assert "changed" not in caplog.text


@pytest.mark.parametrize("way", ["incremental", "a window", "a rerun"])
def test_a_change_in_the_run_fails_it_where_the_user_wants_that(legacy, way):
    options, window = WAYS[way]
    with legacy.source(batch_rows=2, on_schema_change="fail", **options) as source:
        run = Run(source, window)
        run.take()
        legacy.execute("ALTER TABLE t DROP COLUMN w")
        with pytest.raises(WatermarkError, match=r"'w' .* is gone\. No row of that page was sent.*on_schema_change"):
            run.rest()
    assert run.ids == list(range(1, len(run.ids) + 1))


def test_a_watermark_column_that_is_dropped_in_the_run_is_named(legacy):
    with legacy.source(batch_rows=2, watermark_columns=("at",)) as source:
        run = Run(source)
        run.take()
        legacy.execute("ALTER TABLE t DROP COLUMN at")
        with pytest.raises(ConfigurationError, match="has no column 'at'"):
            run.rest()


def test_a_table_that_is_gone_fails_the_run_and_a_retry_may_help(legacy):
    with legacy.source(batch_rows=2, watermark_columns=("at",)) as source:
        run = Run(source)
        run.take()
        legacy.execute("DROP TABLE t")
        with pytest.raises(SourceError, match="failed while reading") as error:
            run.rest()
    assert error.value.retry_helps


def test_a_column_and_an_index_that_are_added_in_the_run_change_nothing(legacy, caplog):
    with legacy.source(batch_rows=2, watermark_columns=("at",), on_schema_change="fail") as source:
        run = Run(source)
        run.take()
        legacy.execute("ALTER TABLE t ADD COLUMN more integer")
        legacy.execute("CREATE INDEX t_at ON t (at)")
        with caplog.at_level(logging.WARNING):
            assert run.rest() == list(range(1, ROWS + 1))
    assert "changed" not in caplog.text
    assert all(len(row) == 4 for batch in run.batches for row in batch.rows)


def test_rows_without_a_watermark_are_read_with_the_columns_that_are_there_by_then(legacy, caplog):
    legacy.execute("CREATE TABLE n (id integer PRIMARY KEY, at integer, v integer, w varchar(20))")
    for number in range(1, ROWS + 1):
        legacy.execute(f"INSERT INTO n VALUES ({number}, {number if number < 5 else 'NULL'}, 1, 'x')")
    with legacy.source(table="n", batch_rows=2, watermark_columns=("at",), null_watermark="always") as source:
        run = Run(source)
        run.take()
        legacy.execute("ALTER TABLE n DROP COLUMN w")
        with caplog.at_level(logging.WARNING):
            assert run.rest() == list(range(1, ROWS + 1))
    assert run.columns(-1) == ["id", "at", "v"]
    assert caplog.text.count("changed during this run") == 1
