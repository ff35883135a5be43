"""Rows that are too large for SQLite's reader: refused before Python holds them, with key columns and bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import EnvelopeError, SourceError
from tests.support.legacy import legacy_database
from tests.support.profile import LONG

MOST = 2 * 2**20
VALUE_MB = 15 if LONG else 4
ONE_LARGE_VALUE = [(1, "4")] if LONG else []
CHILD = """
import sys
import sqlalchemy as sa
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.databases.sqlite import SqliteDatabase
from airflow_legacy_events.sources.query import QuerySource
def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024
database = SqliteDatabase(sa.make_url(sys.argv[1]), conn_id="crm", statement_timeout_seconds=60)
source = QuerySource(database=database, stream="s", source="crm", table="t", watermark_columns=("id",))
batches = source.open(None).batches
before = peak()
try:
    print(sum(batch.count for batch in batches))
except Exception as error:
    print(type(error).__name__, error)
print(peak() - before)
"""


@pytest.fixture
def legacy(request):
    with legacy_database(request, "sqlite") as found:
        found.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB, c, n INTEGER, `d``e` JSON)")
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.engine.made(legacy.url, conn_id="crm", statement_timeout_seconds=30, max_row_bytes=MOST)
    yield made
    made.close()


def page(database, *left_out, table="t"):
    columns = [one for one in database.reflect(table, None).columns if one.name not in left_out]
    bounded = [sa.column(one.name) if one.name == "id" else database.bounded(one) for one in columns]
    found = sa.select(*bounded).select_from(sa.table(table)).order_by(sa.column("id")).limit(100)
    return found.execution_options(expected=tuple(columns), key_columns=("id",))


def add(legacy, a="x", b=b"", c=None, json=None, rows=1):
    for _ in range(rows):
        legacy.execute("INSERT INTO t (a, b, c, n, `d``e`) VALUES (?, ?, ?, 7, ?)", a, b, c, json)


@pytest.mark.parametrize(
    "wide",
    [
        {"a": "x" * MOST, "b": b"y" * 100},
        {"a": "ä" * (MOST // 4), "c": b"y" * (MOST // 2), "json": "z"},
        {"a": "\0" * (MOST // 2), "json": "z" * (MOST // 2)},
        {"b": b"\0" * (MOST // 2), "c": "z" * (MOST // 2)},
    ],
)
def test_a_row_is_bounded_and_not_its_values_alone(legacy, database, wide):
    add(legacy, rows=40)
    add(legacy, **wide)
    with pytest.raises(
        EnvelopeError, match=rf"a row of \d+ bytes is larger than max_row_bytes={MOST}; key columns 'id'"
    ) as told:
        database.read(page(database), 2**30)
    assert int(str(told.value).split("a row of ")[1].split()[0]) > MOST
    assert len(database.read(page(database, "a", "c"), 2**30)) == 41


def test_a_row_just_below_the_bound_is_read(legacy, database):
    half = MOST // 2 - 100
    add(legacy, a="x" * half, b=b"y" * half)
    [(_, a, b, _, n, _)] = database.read(page(database))
    assert (len(a), len(b), n) == (half, half, 7)


def test_an_overflow_of_a_view_is_told_as_what_it_is(legacy, database):
    add(legacy, a="x" * 1000)
    legacy.execute("CREATE VIEW v AS SELECT id, a, b, abs(-9223372036854775807 - (n - 6)) AS c FROM t")
    with pytest.raises(SourceError, match="integer overflow"):
        database.read(page(database, table="v"))


def test_a_file_that_is_smaller_than_a_row_may_be_needs_no_bound(legacy, database):
    add(legacy)
    assert database.reflect("t", None).small
    add(legacy, a="x" * (MOST - 100_000), rows=2)
    assert not database.reflect("t", None).small


@pytest.mark.parametrize(("columns", "told"), [(10, "EnvelopeError connection 'crm': a row of "), *ONE_LARGE_VALUE])
def test_memory_stays_bounded_with_an_emoji_in_every_value(legacy, tmp_path, columns, told):
    legacy.execute("DROP TABLE t")
    names = [f"c{at}" for at in range(columns)]
    legacy.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(f'{one} TEXT' for one in names)})")
    value = "\N{GRINNING FACE}" + "x" * (VALUE_MB * 2**20)
    for _ in range(1 if columns > 1 else 4):
        legacy.execute(f"INSERT INTO t ({', '.join(names)}) VALUES ({', '.join('?' * columns)})", *[value] * columns)
    out = subprocess.run(
        [sys.executable, "-c", CHILD, str(legacy.url)], capture_output=True, text=True, check=True, cwd=Path.cwd()
    ).stdout.splitlines()
    assert out[0].startswith(told)
    assert int(out[1]) <= (250 if LONG else 100)
