"""Rows of MariaDB and MySQL that no message should hold are refused by the server, and memory stays bounded."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import EnvelopeError
from tests.support.engines import NEW_MYSQL, of
from tests.support.legacy import reused_database
from tests.support.profile import LONG

MOST = 1_000_000
# A row beyond a tenth of its log is none for MySQL 5.6; the others write them for seconds.
MEASURED = tuple(name for name in of("mysql") if LONG and name != "mysql-5.6") or NEW_MYSQL


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.engine.made(legacy.url, conn_id="crm", statement_timeout_seconds=30, max_row_bytes=MOST)
    yield made
    made.close()


def page(database, **what):
    found = database.reflect(what.get("table", "t") if "sql" not in what else None, what.get("sql"))
    columns = [sa.column("id"), *(database.bounded(column) for column in found.columns if column.name != "id")]
    query = sa.select(*columns).select_from(found.selectable).order_by(sa.column("id"))
    return query.execution_options(expected=found.columns, key_columns=("id",))


def declare(legacy, *types: str) -> None:
    columns = ", ".join(f"{name} {type_}" for name, type_ in zip("abcdefghij", types, strict=False))
    legacy.connection._connection.query(f"CREATE TABLE t (id int PRIMARY KEY, {columns}) DEFAULT CHARSET utf8mb4")


def test_a_row_of_many_values_that_are_small_each_is_refused_by_its_key(legacy, database):
    declare(legacy, *["longtext", "mediumblob"] * 5)
    legacy.execute(f"INSERT INTO t VALUES (1, {', '.join(['REPEAT(0x61, 90000)'] * 10)})")
    assert len(database.read(page(database))) == 1
    legacy.execute("UPDATE t SET j = REPEAT('x', 300000), a = NULL")
    with pytest.raises(
        EnvelopeError, match=r"a row of 102000[0-9] bytes is larger than max_row_bytes=1000000; key columns 'id'"
    ):
        database.read(page(database))
    with pytest.raises(EnvelopeError, match=r"a row of 102000[0-9] bytes"):
        database.read(page(database, sql="SELECT * FROM t"))


def test_a_value_that_is_too_large_alone_is_named_beside_others(legacy, database):
    declare(legacy, "longtext", "longblob", "longtext")
    legacy.execute("INSERT INTO t VALUES (1, NULL, REPEAT('x', 1000001), 'y')")
    with pytest.raises(EnvelopeError, match=r"column 'b' holds a value of 1000001 bytes, and at most 1000000 are"):
        database.read(page(database))


def test_a_row_of_small_columns_is_refused_by_its_key(legacy, database):
    declare(legacy, *["text"] * 10)
    legacy.execute("SET sql_mode = ''")
    legacy.execute("INSERT INTO t (id, a) VALUES (1, 'x')")
    assert len(database.read(page(database))) == 1
    legacy.execute(f"UPDATE t SET {', '.join(f'{name} = REPEAT(0xF09FA7BE, 16000)' for name in 'abcdefghij')}")
    query = page(database)
    assert len(database.read(query, 1)) == 1  # 640 kB
    database.max_row_bytes = 600_000
    database._chunks._most = 600_000
    with pytest.raises(
        EnvelopeError, match=r"a row of 64000\d bytes is larger than max_row_bytes=600000; key columns 'id'"
    ):
        database.read(query)


def test_what_a_query_leaves_in_our_variable_is_never_told(legacy, database):
    declare(legacy, "longtext")
    legacy.execute("INSERT INTO t VALUES (1, 'x'), (2, 'secret')")
    found = page(database, sql="SELECT id, (SELECT @legacy_events_too_large := a FROM t t2) AS a FROM t")
    with pytest.raises(Exception, match="more than 1 row") as error:
        database.read(found)
    assert "secret" not in str(error.value)


WIDE = 5 if LONG else 2
CHILD = """
import logging, sys
import sqlalchemy as sa
from airflow_legacy_events.databases.mysql import MysqlDatabase

def high() -> int:
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

database = MysqlDatabase(sa.make_url(sys.argv[1]), conn_id="crm", statement_timeout_seconds=60)
found = database.reflect("t", None)
columns = [sa.column("id"), *(database.bounded(column) for column in found.columns[1:])]
query = sa.select(*columns).select_from(found.selectable).order_by(sa.column("id")).limit(10_000)
before, after, rows = high(), 0, 0
while page := database.read(query.where(sa.column("id") > after), 8 * 2**20):
    after, rows = int(page[-1][0]), rows + len(page)
    del page
print(rows, (high() - before) // 1024)
"""


@pytest.mark.parametrize("legacy", MEASURED, indirect=True)
def test_narrow_rows_before_wide_ones_take_little_memory(legacy):
    declare(legacy, "longtext")
    for begin in range(1, 2001, 500):
        legacy.execute(f"INSERT INTO t VALUES {','.join(f'({n}, 0x61)' for n in range(begin, begin + 500))}")
    for n in range(2001, 2001 + WIDE):
        legacy.execute(f"INSERT INTO t VALUES ({n}, CONCAT(0xF09FA7BE, REPEAT('x', 16000000)))")
    url = legacy.url.render_as_string(hide_password=False)
    found = subprocess.run([sys.executable, "-c", CHILD, url], check=True, capture_output=True, text=True)
    rows, megabytes = map(int, found.stdout.split())
    assert rows == 2000 + WIDE
    assert megabytes <= 250
