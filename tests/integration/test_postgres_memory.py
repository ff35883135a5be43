"""However wide rows are, and wherever they become wide, a worker's memory stays bounded."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.profile import LONG

MIB = 2**20
WIDE_ROWS = 100 if LONG else 14


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def read(legacy, table: str = "t") -> dict:
    """What a process that reads the table tells of itself."""
    url = legacy.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.support.reading_child", url, table]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


WIDE = {
    "text": ("text", "repeat('x', 8000000)", 90),
    "an emoji in each": ("text", "repeat('x', 8000000) || '😀'", 200),
    "as large as a row may be": ("text", "repeat('x', 16700000) || '😀'", 250),
    "bytes": ("bytea", "convert_to(repeat('x', 4000000), 'UTF8')", 90),
    "json": ("json", "to_json(repeat('x', 8000000))", 90),
    "jsonb": ("jsonb", "to_jsonb(repeat('x', 8000000))", 90),
    "an array": ("varchar(10)[]", "array_fill('0123456789'::varchar(10), ARRAY[700000])", 90),
}


@pytest.mark.parametrize("kind", WIDE if LONG else ["text"])
def test_narrow_rows_and_then_wide_ones(legacy, kind):
    type_, value, most = WIDE[kind]
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, v {type_})")
    legacy.execute("INSERT INTO t SELECT n FROM generate_series(1, 2000) n")
    rows = min(WIDE_ROWS, 5) if most > 200 and not LONG else WIDE_ROWS
    legacy.execute(f"INSERT INTO t SELECT n, {value} FROM generate_series(3001, {3000 + rows}) n")
    legacy.execute("INSERT INTO t SELECT n FROM generate_series(4001, 4100) n")
    found = read(legacy)
    assert (found["rows"], found["told"]) == (2100 + rows, None)
    assert found["grown"] <= most * MIB


TOO_LARGE = {
    "ten values that are each below the bound": (
        ", ".join(f"v{at} text" for at in range(10)),
        ", ".join(["repeat('x', 4000000)"] * 10),
        "a row of 40000000 bytes is larger than max_row_bytes=16777216",
    ),
    "an array of short elements": (
        "v varchar(10)[]",
        "array_fill('0123456789'::varchar(10), ARRAY[8000000])",
        "column 'v' holds a value of 88000001 bytes in a row of key columns 'id'",
    ),
    "a long varchar": ("v varchar(10000000)", "repeat('€', 9000000)", "column 'v' holds a value of 27000000 bytes"),
    "bytes whose text is too large": (
        "v bytea",
        "convert_to(repeat('x', 9000000), 'UTF8')",
        "column 'v' holds a value of 18000000 bytes",
    ),
    "an array of nulls": ("v integer[]", "array_fill(NULL::integer, ARRAY[6000000])", "'v' holds a value of 30000001"),
}


@pytest.mark.parametrize("case", TOO_LARGE if LONG else ["bytes whose text is too large", "an array of nulls"])
def test_a_row_that_is_too_large_is_refused_where_it_lies(legacy, case):
    columns, values, told = TOO_LARGE[case]
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {columns})")
    legacy.execute("INSERT INTO t SELECT n FROM generate_series(1, 1500) n")
    legacy.execute(f"INSERT INTO t SELECT 2000, {values}")
    found = read(legacy)
    assert told in found["told"]
    assert "'id'" in found["told"]
    assert found["grown"] <= 20 * MIB


def test_a_view_over_many_wide_columns_is_read(legacy):
    """Rows of a megabyte in many columns, each of them narrow."""
    columns = ", ".join(f"repeat('x', 10000) AS v{at}" for at in range(100))
    legacy.execute(f"CREATE VIEW v AS SELECT n AS id, {columns} FROM generate_series(1, 60) n")
    found = read(legacy, "v")
    assert (found["rows"], found["told"]) == (60, None)
    assert found["grown"] <= 60 * MIB
