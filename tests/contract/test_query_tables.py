"""Any table: names, keys, width, what is computed or derived, on every database."""

from __future__ import annotations

import re

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, EnvelopeError
from tests.support.engines import EACH
from tests.support.legacy import reused_database


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def quoted(name):
    """A name as `table=` takes it."""
    return '"' + name.replace('"', '""') + '"'


def read(legacy, at=None, **options):
    """The rows of a run as dictionaries, and the watermark after them."""
    with legacy.source(**options) as source:
        horizon, reading = source.open(at)
        batches = list(reading)
    rows = [
        dict(zip(batch.shape.named(range(len(batch.shape.columns))), map(str, row), strict=True))
        for batch in batches
        for row in batch.rows
    ]
    return rows, batches[-1].after._replace(facts={**horizon.facts, **batches[-1].after.facts}) if batches else at


NAMES = [
    *(
        "Order Lines",
        "select",
        "user",
        "50%",
        "%s",
        "%(id)s",
        "a:b",
        ":a",
        "x.y",
        "käse",
        "表",
        "Mixed",
        'quo"te',
        "it's",
    ),
    *(
        "semi;colon",
        "da--sh",
        "/*c*/",
        "back\\slash",
        "back`tick",
        "[b]",
        "{b}",
        "?",
        "$1",
        "tab\there",
        " lead",
        "trail ",
    ),
]


# Names that MySQL does not take, and whose blanks Firebird's catalog or its dialect's inspector cuts off.
NOT_THERE = {"mysql": {"trail "}, "firebird": {" lead", "trail "}}


def refuse_name(legacy, name):
    """No other column is taken for one whose name is not there as written, and a query gives it a name that is."""
    table = legacy.quoted(name.strip())
    legacy.execute(f"CREATE TABLE {table} (id integer PRIMARY KEY, {table} integer NOT NULL)")
    legacy.execute(f"INSERT INTO {table} VALUES (1, 5)")
    with pytest.raises(ConfigurationError, match=r"there is no table or view of that name|has no column"):
        read(legacy, table=quoted(name), watermark_columns=(name,))
    query = f"SELECT id, {table} AS cut FROM {table}"
    assert read(legacy, sql=query, watermark_columns=("cut",), key_columns=("id",))[0] == [{"id": "1", "cut": "5"}]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_serves_as_table_key_watermark_and_data_column(legacy, name):
    if name in NOT_THERE.get(legacy.dialect, ()):
        refuse_name(legacy, name)
        return
    key, data = f"{name} k", f"{name} d"
    table = legacy.quoted(name)
    legacy.execute(
        f"CREATE TABLE {table} ({legacy.quoted(key)} integer PRIMARY KEY, {table} integer NOT NULL,"
        f" {legacy.quoted(data)} text)"
    )
    legacy.execute(f"INSERT INTO {table} VALUES (1, 5, 'x'), (2, 4, 'y'), (3, 4, 'z')")
    expected = [{key: "2", name: "4", data: "y"}, {key: "3", name: "4", data: "z"}, {key: "1", name: "5", data: "x"}]
    assert read(legacy, table=quoted(name), watermark_columns=(name,), batch_rows=1)[0] == expected
    assert read(legacy, sql=f"SELECT * FROM {table}", watermark_columns=(name,), key_columns=(key,))[0] == expected
    assert [row[key] for row in read(legacy, table=quoted(name))[0]] == ["1", "2", "3"]


def test_two_names_that_differ_only_in_case_are_two_tables_where_the_database_tells_them_apart(legacy):
    if legacy.dialect == "sqlite":
        legacy.execute('CREATE TABLE "Orders" (id integer PRIMARY KEY)')
        legacy.execute("INSERT INTO orders VALUES (1)")
        assert read(legacy, table="oRdErS", watermark_columns=("id",))[0] == [{"id": "1"}]
        return
    capital = legacy.quoted("Orders")
    legacy.execute(f"CREATE TABLE {capital} (id integer PRIMARY KEY)")
    legacy.execute("CREATE TABLE orders (id integer PRIMARY KEY)")
    legacy.execute(f"INSERT INTO {capital} VALUES (1)")
    legacy.execute("INSERT INTO orders VALUES (2)")
    assert read(legacy, table="Orders", watermark_columns=("id",))[0] == [{"id": "1"}]
    assert read(legacy, table="orders", watermark_columns=("id",))[0] == [{"id": "2"}]


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_a_key_of_four_columns_of_four_types_orders_ties(legacy, batch_rows):
    legacy.execute(
        f"CREATE TABLE t (at integer NOT NULL, a {legacy.engine.key_text} NOT NULL, b bigint NOT NULL,"
        " c date NOT NULL, d numeric(9, 2) NOT NULL, PRIMARY KEY (c, a, d, b))"
    )
    rows = [
        (1, "x", 2, "2026-01-02", 1),
        (1, "y", 1, "2026-01-01", 2),
        (1, "x", 9, "2026-01-01", 2),
        (1, "x", 8, "2026-01-01", 10),
        (0, "z", 7, "2026-12-31", 9),
    ]
    for row in rows:
        legacy.execute("INSERT INTO t VALUES ({}, '{}', {}, '{}', {})".format(*row))
    found, after = read(legacy, watermark_columns=("at",), batch_rows=batch_rows)
    assert [row["b"] for row in found] == ["7", "9", "8", "1", "2"]
    assert [float(text) if place == 3 else text for place, text in enumerate(after.values)] == [
        *("1", "2026-01-02", "x"),
        1.0,
        "2",
    ]
    assert read(legacy, after, watermark_columns=("at",))[0] == []


def test_a_unique_constraint_over_several_not_null_columns_is_the_key(legacy):
    legacy.execute(
        "CREATE TABLE t (at integer NOT NULL, shop integer NOT NULL, maybe integer, number integer NOT NULL,"
        " UNIQUE (shop, maybe), UNIQUE (shop, number))"
    )
    other = "5" if legacy.dialect == "firebird" else "NULL"  # to its unique constraints one NULL equals another
    legacy.execute(f"INSERT INTO t VALUES (1, 1, NULL, 2), (1, 1, {other}, 1)")
    found, after = read(legacy, watermark_columns=("at",))
    assert [row["number"] for row in found] == ["1", "2"]
    assert after.values == ("1", "1", "2")


def test_key_columns_win_over_the_primary_key(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at integer NOT NULL, code text NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, 1, 'b'), (2, 1, 'a')")
    found, after = read(legacy, watermark_columns=("at",), key_columns=("code",), batch_rows=1)
    assert [row["id"] for row in found] == ["2", "1"]
    assert after.values == ("1", "b")


def test_generated_columns_are_read_like_others(legacy):
    legacy.needs("generated columns")
    legacy.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, net integer NOT NULL,"
        " gross integer GENERATED ALWAYS AS (net * 2) STORED)"
    )
    legacy.execute("INSERT INTO t (id, net) VALUES (1, 9), (2, 5)")
    assert [row["gross"] for row in read(legacy, watermark_columns=("net",))[0]] == ["10", "18"]
    assert [
        row["id"] for row in read(legacy, watermark_columns=("gross",), null_watermark="skip", batch_rows=1)[0]
    ] == ["2", "1"]


def test_500_columns_are_read(legacy):
    names = [f"c{number}" for number in range(499)]
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {', '.join(f'{name} integer' for name in names)})")
    legacy.execute(f"INSERT INTO t VALUES (1, {', '.join(map(str, range(499)))})")
    ((row),) = read(legacy, watermark_columns=("id",))[0]
    assert row == {"id": "1", **{name: str(number) for number, name in enumerate(names)}}


def test_a_view_with_a_join_is_read_by_its_key_columns(legacy):
    legacy.execute("CREATE TABLE customers (id integer PRIMARY KEY, name text)")
    legacy.execute("CREATE TABLE orders (id integer PRIMARY KEY, at integer NOT NULL, customer integer)")
    legacy.execute("INSERT INTO customers VALUES (7, 'Ada')")
    legacy.execute("INSERT INTO orders VALUES (1, 20, 7), (2, 10, 7)")
    legacy.execute(
        f"CREATE VIEW {legacy.quoted('All Orders')} AS"
        " SELECT o.id, o.at, c.name FROM orders o JOIN customers c ON c.id = o.customer"
    )
    found, _ = read(legacy, table="All Orders", watermark_columns=("at",), key_columns=("id",), batch_rows=1)
    assert [(row["id"], row["name"]) for row in found] == [("2", "Ada"), ("1", "Ada")]


@pytest.mark.parametrize("name", ["body", "Body Text", "order"])
def test_a_column_of_any_name_that_is_dropped_between_two_pages_is_left_out_from_there_on(legacy, name):
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {legacy.quoted(name)} text)")
    legacy.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    with legacy.source(watermark_columns=("id",), batch_rows=1) as source:
        pages = source.open(None).batches
        batches = [next(pages)]
        legacy.execute(f"ALTER TABLE t DROP COLUMN {legacy.quoted(name)}")
        batches.extend(pages)
    found = [tuple(map(str, row)) for batch in batches for row in batch.rows]
    assert (found[0], found[-1]) == (("1", "a"), ("3",))
    assert found[1] in [("2",), ("2", "b")]  # PostgreSQL may have begun with it before


def test_a_column_that_is_added_between_two_pages_belongs_to_the_next_run(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
    legacy.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    with legacy.source(watermark_columns=("id",), batch_rows=1) as source:
        horizon, pages = source.open(None)
        batches = [next(pages)]
        legacy.execute("ALTER TABLE t ADD COLUMN more text")
        batches += pages
    assert [len(row) for batch in batches for row in batch.rows] == [2, 2, 2]
    legacy.execute("INSERT INTO t VALUES (4, 'd', 'e')")
    after = batches[-1].after._replace(facts=horizon.facts)
    assert read(legacy, after, watermark_columns=("id",))[0] == [{"id": "4", "body": "d", "more": "e"}]


UNORDERED = {"sqlite": "json", "postgresql": "json", "mysql": "json", "firebird": "blob"}


@pytest.mark.parametrize("where", ["watermark", "key"])
def test_a_column_without_an_order_is_refused_before_reading(legacy, where):
    type_ = UNORDERED[legacy.dialect]
    legacy.needs(type_.upper())
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, doc {type_} NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, '{}')")
    columns = {
        "watermark": {"watermark_columns": ("doc",)},
        "key": {"watermark_columns": ("id",), "key_columns": ("doc",)},
    }
    with pytest.raises(
        ConfigurationError, match=rf"column 'doc' of table 't' is (?i:{type_}).*, which can't be ordered"
    ):
        read(legacy, **columns[where])


@pytest.mark.parametrize("name", ["body", 'Bo"dy %'])
def test_a_value_that_no_message_can_hold_is_refused_before_it_fills_the_memory(legacy, name):
    legacy.needs("rows beyond a tenth of its log")
    type_, mark = legacy.engine.long_text, legacy.engine.mark
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {legacy.quoted(name)} {type_}, b {type_})")
    legacy.execute("INSERT INTO t VALUES (1, 'a', 'b'), (3, 'c', 'b')")
    legacy.execute(f"INSERT INTO t VALUES (2, {mark}, 'b')", "x" * 70_000_000)
    told = ".*" if legacy.dialect == "sqlite" else f".*{re.escape(repr(name))} holds a value of 70000000 bytes"
    with legacy.source(watermark_columns=("id",), batch_rows=1) as source:
        pages = source.open(None).batches
        next(pages)
        with pytest.raises(
            EnvelopeError, match=rf"connection 'crm': {told}.*at most 16777216 are read.*exclude_columns="
        ):
            next(pages)
    options = {"watermark_columns": ("id",), "exclude_columns": (name,)}
    assert [row["id"] for row in read(legacy, **options)[0]] == ["1", "2", "3"]


def test_a_large_value_below_the_bound_is_read(legacy):
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, body {legacy.engine.long_text})")
    legacy.execute(f"INSERT INTO t VALUES (1, {legacy.engine.mark})", "0" * 10_000_000)
    assert [row["body"] for row in read(legacy, watermark_columns=("id",))[0]] == ["0" * 10_000_000]


def test_a_row_of_several_values_that_are_each_below_the_bound_is_refused(legacy):
    type_, mark = legacy.engine.long_text, legacy.engine.mark
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, a {type_}, b {type_})")
    for id_, length in ((1, 1), (2, 60_000), (3, 1)):
        legacy.execute(f"INSERT INTO t VALUES ({mark}, {mark}, {mark})", id_, "a" * length, "b" * length)
    told = r"connection 'crm': a row of 120\d\d\d bytes is larger than max_row_bytes=100000; key columns 'id'"
    with legacy.source(watermark_columns=("id",), batch_rows=1, max_row_bytes=100_000) as source:
        pages = source.open(None).batches
        next(pages)
        with pytest.raises(EnvelopeError, match=told) as error:
            next(pages)
    assert "aaa" not in str(error.value)
