"""A page whose columns are not those that a run was made for is not handed on, and one whose lengths grew is."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SchemaChangedError
from tests.support.engines import of
from tests.support.legacy import reused_database

CHANGES = {
    "another type": ("ALTER TABLE t ALTER v TYPE text", "column 'v' is text where int4 was expected"),
    "a wider type": ("ALTER TABLE t ALTER v TYPE bigint", "column 'v' is int8 where int4 was expected"),
    "swapped names": (
        "ALTER TABLE t RENAME v TO w; ALTER TABLE t RENAME code TO v; ALTER TABLE t RENAME w TO code",
        r"column 'v' is varchar\(9\) where int4 was expected",
    ),
    "an array": ("ALTER TABLE t ALTER v TYPE integer[] USING ARRAY[v]", r"'v' is int4\[\] where int4 was expected"),
    "other elements": ("ALTER TABLE t ALTER tags TYPE integer[] USING NULL", r"is int4\[\] where varchar\(9\)\[\] was"),
    "json of jsonb": ("ALTER TABLE t ALTER doc TYPE json", "column 'doc' is json where jsonb was expected"),
    "another enum": (
        "CREATE TYPE mood2 AS ENUM ('sad'); ALTER TABLE t ALTER mood TYPE mood2 USING NULL",
        "column 'mood' is mood2 where mood was expected",
    ),
}
ORDINARY = {
    "a length": "ALTER TABLE t ALTER code TYPE varchar(99)",
    "a length of elements": "ALTER TABLE t ALTER tags TYPE varchar(99)[]",
    "a precision": "ALTER TABLE t ALTER n TYPE numeric(20, 2)",
    "a domain over the type": "CREATE DOMAIN d AS integer; ALTER TABLE t ALTER v TYPE d",
    "a label": "ALTER TYPE mood ADD VALUE 'glad'",
    "a column": "ALTER TABLE t ADD more text",
    "an index": "CREATE INDEX ON t (v)",
    "not null": "ALTER TABLE t ALTER v SET NOT NULL",
    "the type made anew": (
        "ALTER TABLE t ALTER mood TYPE text; DROP TYPE mood; CREATE TYPE mood AS ENUM ('sad', 'glad');"
        " ALTER TABLE t ALTER mood TYPE mood USING mood::mood"
    ),
}


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TYPE mood AS ENUM ('sad')")
        found.execute(
            "CREATE TABLE t (id integer PRIMARY KEY, v integer, code varchar(9), tags varchar(9)[], n numeric(9, 2),"
            " mood mood, doc jsonb)"
        )
        found.execute("INSERT INTO t VALUES (1, 1, '1', '{1}', 1, 'sad', '{}')")
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


def page(database):
    columns = database.reflect("t", None).columns
    named = [sa.column(one.name) for one in columns]
    return sa.select(*named).select_from(sa.table("t")).execution_options(expected=columns)


@pytest.mark.parametrize("empty", [False, True], ids=["rows", "no rows"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_before_a_row_is_used(legacy, database, change, empty):
    done, told = CHANGES[change]
    query = page(database)
    assert len(database.read(query, 1_000_000)) == 1
    legacy.execute(done)
    if empty:
        legacy.execute("DELETE FROM t")
    for _ in range(2):
        with pytest.raises(SchemaChangedError, match=told):
            database.read(query, 1_000_000)
    assert database.read(sa.text("SELECT 1")) == [("1",)]


@pytest.mark.parametrize("change", ORDINARY)
def test_an_ordinary_change_goes_on(legacy, database, change):
    query = page(database)
    legacy.execute(ORDINARY[change])
    assert len(database.read(query, 1_000_000)) == 1


def test_a_page_that_was_prefetched_is_checked_too(legacy, database):
    query = page(database)
    legacy.execute("ALTER TABLE t ALTER v TYPE text")
    database.prefetch(query)
    with pytest.raises(SchemaChangedError, match="column 'v' is text"):
        database.read(query, 1_000_000)
    with database.snapshot(), pytest.raises(SchemaChangedError, match="column 'v' is text"):
        database.read(query, 1_000_000)


def test_another_reader_of_the_same_types_looks_them_up_once(legacy, database):
    query = page(legacy.database())
    assert len(database.read(query, 1_000_000)) == 1
    assert len(database.read(query, 1_000_000)) == 1
