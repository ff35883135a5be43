"""What a database says of a row that it can't read: the error and the log keep the code, and never the value."""

from __future__ import annotations

import logging
import traceback

import pytest

from airflow_legacy_events.core.errors import SourceError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.sources.query import QuerySource
from tests.support.engines import of
from tests.support.legacy import legacy_database

PLANTED = "planted"
QUERIES = {
    "sqlite": ("json_extract('{}', v)", r"JSON path.* '\.\.\.'"),
    "postgresql": ("v::regclass::text", r'relation "\.\.\." does not exist \(SQLSTATE 42P01\)'),
    "mysql": ("whole(v)", r"Incorrect integer value: '\.\.\.' for column .*\bx\W at row \d \(error 1366\)"),
    "firebird": ("CAST(v AS integer)", r'conversion error from string "\.\.\."'),
}
RAISING = {
    "postgresql": """CREATE FUNCTION told(v text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'not %', v USING DETAIL = v, HINT = v; END $$""",
    "mysql": """CREATE FUNCTION told(v varchar(9)) RETURNS varchar(9) DETERMINISTIC NO SQL
        BEGIN SIGNAL SQLSTATE '45000' SET message_text = v; RETURN v; END""",
}


@pytest.fixture(params=of())
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY, v varchar(9))")
        found.execute(f"INSERT INTO t VALUES (1, '{PLANTED}')")
        yield found


@pytest.fixture
def shown(caplog):
    """Returns what a log at DEBUG and the whole chain of an error show."""
    caplog.set_level(logging.DEBUG)
    return lambda error: "".join([*traceback.format_exception(error), *map(repr, caplog.records), caplog.text])


def read(legacy, after=None, **arguments):
    database = legacy.database()
    try:
        source = QuerySource(
            database=database, stream="s", source="crm", watermark_columns=("id",), key_columns=("id",), **arguments
        )
        return [row for batch in source.open(after).batches for row in batch.rows]
    finally:
        database.close()


def test_a_value_that_a_read_fails_on_is_quoted_nowhere(legacy, shown):
    expression, told = QUERIES[legacy.dialect]
    if legacy.dialect == "mysql":
        legacy.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES'")  # which the function keeps
        legacy.execute(
            "CREATE FUNCTION whole(v varchar(9)) RETURNS integer DETERMINISTIC NO SQL"
            " BEGIN DECLARE x integer; SET x = v; RETURN x; END"
        )
    with pytest.raises(SourceError, match=f"connection 'crm' failed while reading: .*{told}") as failed:
        read(legacy, sql=f"SELECT id, {expression} AS v FROM t")
    assert PLANTED not in shown(failed.value)


@pytest.mark.parametrize("legacy", of(*RAISING), indirect=True)
def test_an_exception_that_a_function_raises_is_named_without_its_text(legacy, shown):
    legacy.execute(RAISING[legacy.dialect])
    with pytest.raises(SourceError, match="raised an exception") as failed:
        read(legacy, sql="SELECT id, told(v) AS v FROM t")
    assert PLANTED not in shown(failed.value)


def test_a_watermark_that_is_no_value_of_its_column_is_not_shown(legacy, shown):
    at = Watermark((PLANTED,), None, {})
    with pytest.raises((SourceError, WatermarkError), match=r"column .id. that is not a|SQLSTATE 22P02") as failed:
        read(legacy, at, table="t")
    assert PLANTED not in shown(failed.value)
