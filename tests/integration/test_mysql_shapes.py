"""A page of MariaDB and MySQL has the columns that it was made for, or it is no page."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SchemaChangedError
from tests.support.engines import MARIADB, of
from tests.support.legacy import reused_database

CHANGED = {
    "an integer becomes a text": ("v int", "MODIFY v varchar(20)", "'v' was int, found was 'v', varchar"),
    "an integer becomes larger": ("v int", "MODIFY v bigint", "'v' was int, found was 'v', bigint"),
    "an integer loses its sign": ("v int", "MODIFY v int unsigned", "'v' was int, found was 'v', int unsigned"),
    "a text becomes bytes": ("v varchar(9)", "MODIFY v varbinary(9)", "'v' was varchar, found was 'v', varbinary"),
    "a time becomes a point in time": ("v datetime", "MODIFY v timestamp NULL", "'v' was datetime"),
    "a point in time becomes a text": ("v timestamp NULL", "MODIFY v varchar(30)", "'v' was timestamp"),
    "a point in time becomes a time": ("v timestamp NULL", "MODIFY v datetime", "'v' was timestamp"),
    "a float becomes a double": ("v float", "MODIFY v double", "'v' was float, found was 'v', double"),
    "bits become a number": ("v bit(4)", "MODIFY v int", "'v' was bit, found was 'v', int"),
    "a long text becomes bytes": ("v longtext", "MODIFY v longblob", "'v' was text, found was 'v', blob"),
    "a text without Unicode becomes a number": ("v varchar(9) CHARACTER SET cp1251", "MODIFY v int", "'v' was varchar"),
    "a text becomes one of a list": ("v varchar(9)", "MODIFY v enum('1', '2')", "'v' was varchar, found was 'v', enum"),
}
KEPT = {
    "a text becomes longer": ("v varchar(9)", "MODIFY v varchar(90)"),
    "a decimal becomes wider": ("v decimal(8,2)", "MODIFY v decimal(12,2)"),
    "a point in time becomes finer": ("v timestamp NULL", "MODIFY v timestamp(3) NULL"),
    "a NULL is forbidden": ("v int", "MODIFY v int NOT NULL"),
    "a column is added": ("v int", "ADD w int FIRST"),
    "an index is added": ("v int", "ADD INDEX (v)"),
    "the order of columns changes": ("v int", "MODIFY v int FIRST"),
    "a collation changes": ("v varchar(9)", "MODIFY v varchar(9) COLLATE utf8mb4_bin"),
}


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


def made(legacy, database, declared: str, what: str = "table"):
    """A page of a table or query, as it was looked up."""
    legacy.connection._connection.query(f"CREATE TABLE t (id int PRIMARY KEY, {declared}) DEFAULT CHARSET utf8mb4")
    found = database.reflect("t", None) if what == "table" else database.reflect(None, "SELECT id, v FROM t")
    columns = [database.bounded(column) for column in found.columns]
    page = sa.select(*columns).select_from(found.selectable).order_by(sa.column("id")).limit(10)
    return page.execution_options(expected=found.columns)


@pytest.mark.parametrize("rows", [0, 1], ids=["empty", "full"])
@pytest.mark.parametrize("what", ["table", "query"])
@pytest.mark.parametrize("change", CHANGED)
def test_a_page_whose_columns_changed_is_none(legacy, database, change, what, rows):
    declared, altered, said = CHANGED[change]
    page = made(legacy, database, declared, what)
    if rows:
        legacy.execute("INSERT INTO t (id) VALUES (1)")
    assert len(database.read(page)) == rows
    legacy.execute(f"ALTER TABLE t {altered}")
    with pytest.raises(SchemaChangedError, match=said):
        database.read(page)


@pytest.mark.parametrize("change", KEPT)
def test_what_changes_no_value_is_no_change(legacy, database, change):
    declared, altered = KEPT[change]
    page = made(legacy, database, declared)
    legacy.execute(
        "INSERT INTO t (id, v) VALUES (1, '2026-01-01')" if "point" in change else "INSERT INTO t VALUES (1, 2)"
    )
    before = database.read(page)
    legacy.execute(f"ALTER TABLE t {altered}")
    after = database.read(page)
    assert [row[0] for row in before] == [row[0] for row in after] == ["1"]


def test_columns_that_swap_their_names_are_told(legacy, database):
    page = made(legacy, database, "v int, w varchar(9)")
    database.read(page)
    legacy.execute("ALTER TABLE t CHANGE v w int, CHANGE w v varchar(9)")
    with pytest.raises(SchemaChangedError, match=r"'v' was int, found was 'v', varchar"):
        database.read(page)


@pytest.mark.parametrize("legacy", MARIADB, indirect=True)
def test_json_of_mariadb_is_no_change(legacy, database):
    page = made(legacy, database, "v json")
    legacy.execute("INSERT INTO t VALUES (1, '{}')")
    assert database.read(page) == [("1", "{}")]
    legacy.execute("DELETE FROM t")
    legacy.execute("ALTER TABLE t MODIFY v int")
    with pytest.raises(SchemaChangedError, match=r"'v' was json, found was 'v', int"):
        database.read(page)
