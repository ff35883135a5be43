"""Whether a view, the order of a table and its server are those of the watermark."""

from __future__ import annotations

import shutil

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.set_back import IDS, Table

# Of a column of texts: how it is made to sort otherwise.
SORTED_OTHERWISE = {
    "postgresql": 'ALTER TABLE k ALTER code TYPE varchar(9) COLLATE "POSIX"',
    "mysql": "ALTER TABLE k MODIFY code varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL",
}


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute(f"CREATE TABLE t (id {IDS[found.dialect]}, at timestamp NOT NULL, body varchar(20))")
        yield found


# Views


@pytest.fixture
def viewed(legacy):
    legacy.execute("CREATE VIEW v AS SELECT id, at, body FROM t WHERE id < 100")
    made = Table(legacy, key_columns=("id",))
    made.deliveries.table = "v"
    made.insert("a", "b", "c")
    made.run()
    yield made
    legacy.execute("DROP VIEW v")


def redefine(legacy, select):
    legacy.execute("DROP VIEW v")
    legacy.execute(f"CREATE VIEW v AS {select}")


def test_a_view_that_is_redefined_is_another_query(viewed):
    if viewed.legacy.dialect == "firebird":
        return  # SQLAlchemy tells nothing of what a view selects from
    redefine(viewed.legacy, "SELECT id, at, body FROM t WHERE id < 200")
    with pytest.raises(WatermarkError, match=r"another definition of its view.*on_query_change='keep'"):
        viewed.run()
    assert viewed.run(on_query_change="keep").events == 0
    viewed.insert("d")
    assert viewed.run().events == 1


def test_another_select_list_of_a_view_is_no_other_query(viewed):
    redefine(viewed.legacy, "SELECT id, at, body, id + 1 AS more FROM t WHERE id < 100")
    viewed.insert("d")
    assert viewed.run().events == 1


def test_a_view_that_is_made_anew_as_it_was_is_the_same(viewed):
    redefine(viewed.legacy, "SELECT id, at, body FROM t WHERE id < 100")
    assert viewed.run().events == 0


# Order


@pytest.fixture
def coded(legacy):
    legacy.execute("CREATE TABLE k (code varchar(9) NOT NULL PRIMARY KEY, body varchar(20))")
    made = Table(legacy, watermark_columns=("code",))
    made.deliveries.table = "k"
    legacy.execute("INSERT INTO k VALUES ('a', 'x')")
    made.run()
    return made


def test_a_position_that_sorts_otherwise_is_refused(coded):
    if (statement := SORTED_OTHERWISE.get(coded.legacy.dialect)) is None:
        return
    coded.legacy.execute(statement)
    coded.legacy.execute("INSERT INTO k VALUES ('b', 'x')")
    with pytest.raises(WatermarkError, match=r"written for order .* --accept order"):
        coded.run()


def test_the_order_of_a_column_outside_the_position_does_not_matter(table):
    statement = SORTED_OTHERWISE.get(table.legacy.dialect)
    if statement is None:
        return
    table.legacy.execute(statement.replace("TABLE k", "TABLE t").replace("code", "body").replace("NOT NULL", ""))
    table.insert("f")
    assert table.run().events == 1


@pytest.fixture
def table(legacy):
    made = Table(legacy)
    made.insert("a", "b")
    made.run()
    return made


# Server


def test_an_older_copy_of_the_server_is_refused(table):
    legacy = table.legacy
    if legacy.dialect != "sqlite":
        return  # their servers are promoted and restored in tests of their own
    legacy.execute("PRAGMA journal_mode = DELETE")  # with WAL the file's counter stands still
    table.insert("x")
    table.run()
    shutil.copy(legacy.url.database, f"{legacy.url.database}.copy")
    table.insert("c", "d")
    assert table.run().events == 2
    shutil.copy(f"{legacy.url.database}.copy", legacy.url.database)
    with pytest.raises(WatermarkError, match=r"is behind what was read from it before.*--accept position"):
        table.run()
