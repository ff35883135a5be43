"""Which columns are read, by which names, from which tables and queries, on every database."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support.engines import EACH
from tests.support.legacy import reused_database, rows


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def shape_of(legacy, **options):
    with legacy.source(**options) as source:
        return next(source.open(None).batches)


def test_a_composite_primary_key_breaks_ties_in_its_order(legacy):
    legacy.execute("CREATE TABLE t (b integer, at integer NOT NULL, a integer, PRIMARY KEY (a, b))")
    legacy.execute("INSERT INTO t VALUES (1, 7, 2), (2, 7, 1), (1, 7, 1), (9, 6, 9)")
    for batch_rows in (1, 10):
        found, after = rows(legacy, watermark_columns=("at",), batch_rows=batch_rows)
        assert [(row["at"], row["a"], row["b"]) for row in found] == [
            ("6", "9", "9"),
            ("7", "1", "1"),
            ("7", "1", "2"),
            ("7", "2", "1"),
        ]
        assert after.values == ("7", "2", "1")


def test_a_unique_index_over_columns_that_are_not_null_is_the_key_where_there_is_no_primary_key(legacy):
    legacy.execute("CREATE TABLE t (at integer NOT NULL, maybe integer UNIQUE, code varchar(9) NOT NULL UNIQUE)")
    legacy.execute("INSERT INTO t VALUES (1, NULL, 'b'), (1, NULL, 'a')")
    batch = shape_of(legacy, watermark_columns=("at",))
    assert batch.shape.named(batch.shape.key) == ("code",)
    assert batch.after.values == ("1", "b")


LEAVING_OUT = {
    "sqlite": ("ON t (code) WHERE at > 5", "ON t (lower(code))"),
    "postgresql": ("ON t (code) WHERE at > 5", "ON t (lower(code))"),
    "firebird": ("ON t COMPUTED BY (lower(code))",),
    "mysql": ("ON t (code(3))",),
}


def test_a_created_unique_index_is_a_key_and_a_partial_or_computed_one_is_not(legacy):
    legacy.execute("CREATE TABLE t (at integer NOT NULL, code varchar(9) NOT NULL)")
    for number, definition in enumerate(LEAVING_OUT[legacy.dialect]):
        legacy.execute(f"CREATE UNIQUE INDEX i{number} {definition}")
    with pytest.raises(ConfigurationError, match=r"has no primary key and no unique index .*\n.* key_columns="):
        shape_of(legacy, watermark_columns=("at",))
    legacy.execute("CREATE UNIQUE INDEX whole ON t (code)")
    batch = shape_of(legacy, watermark_columns=("at",))
    assert batch.shape.named(batch.shape.key) == ("code",)


def test_a_text_primary_key_is_the_key(legacy):
    legacy.execute("CREATE TABLE t (at integer NOT NULL, code varchar(9) PRIMARY KEY)")
    legacy.execute("INSERT INTO t VALUES (1, 'a')")
    assert rows(legacy, watermark_columns=("at",))[1].values == ("1", "a")


def test_a_view_needs_key_columns(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at integer NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (2, 1), (1, 1)")
    legacy.execute("CREATE VIEW v AS SELECT id, at FROM t")
    with pytest.raises(ConfigurationError, match="table 'v' has no primary key"):
        rows(legacy, table="v", watermark_columns=("at",))
    found, _ = rows(legacy, table="v", watermark_columns=("at",), key_columns=("id",), batch_rows=1)
    assert [row["id"] for row in found] == ["1", "2"]


@pytest.mark.parametrize(
    ("watermark", "key", "op"),
    [
        (("id",), None, "c"),
        (("number",), None, "c"),
        (("number",), ("code",), "c"),
        (("plain",), None, "u"),
        (("plain",), ("plain",), "u"),
        (("maybe",), ("code",), "u"),
        (("code",), None, "u"),
        (("at",), None, "u"),
        (("id", "plain"), None, "u"),
        ((), None, "r"),
    ],
)
def test_only_a_single_unique_integer_watermark_means_that_rows_never_change(legacy, watermark, key, op):
    legacy.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, number bigint NOT NULL UNIQUE, plain integer NOT NULL,"
        " code varchar(9) NOT NULL UNIQUE, at timestamp NOT NULL, maybe integer UNIQUE)"
    )
    legacy.execute("INSERT INTO t VALUES (1, 1, 1, 'a', '2026-01-01 00:00:00', 1)")
    batch = shape_of(legacy, watermark_columns=watermark, key_columns=key)
    assert batch.op == op
    assert batch.shape.named(batch.shape.watermark) == watermark
    assert batch.shape.time == (4 if "at" in watermark else None)


@pytest.mark.parametrize("what", [{"table": "v"}, {"sql": "SELECT id, at FROM t"}])
def test_nobody_knows_of_a_view_or_query_that_a_value_is_there_once(legacy, what):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at integer NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, 1)")
    legacy.execute("CREATE VIEW v AS SELECT id, at FROM t")
    assert shape_of(legacy, watermark_columns=("id",), key_columns=("id",), **what).op == "u"


@pytest.fixture
def wide(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at integer NOT NULL, b text, c text)")
    legacy.execute("INSERT INTO t VALUES (2, 5, 'b2', 'c2'), (1, 5, 'b1', 'c1')")
    return legacy


@pytest.mark.parametrize(
    ("options", "data", "hidden"),
    [
        ({}, ("id", "at", "b", "c"), ()),
        ({"columns": ("c", "id", "at")}, ("c", "id", "at"), ()),
        ({"columns": ("c",)}, ("c",), ("at", "id")),
        ({"exclude_columns": ("b",)}, ("id", "at", "c"), ()),
        ({"exclude_columns": ("at", "id")}, ("b", "c"), ("at", "id")),
        ({"columns": ("b", "at"), "exclude_columns": ("at",)}, ("b",), ("at", "id")),
    ],
)
def test_data_holds_the_columns_asked_for_in_their_order_and_the_rest_stays_hidden(wide, options, data, hidden):
    batch = shape_of(wide, watermark_columns=("at",), batch_rows=1, **options)
    shape = batch.shape
    assert shape.named(shape.data) == data
    assert shape.named(range(len(shape.columns))) == (*data, *hidden)
    assert (shape.named(shape.key), shape.named(shape.watermark)) == (("id",), ("at",))
    assert batch.after.values == ("5", "1")


@pytest.mark.parametrize(
    "options",
    [
        {"columns": ("nix",)},
        {"exclude_columns": ("nix",)},
        {"watermark_columns": ("nix",)},
        {"key_columns": ("nix",)},
    ],
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(wide, options):
    with pytest.raises(ConfigurationError, match="table 't' has no column 'nix'; it has 'id', 'at', 'b', 'c'"):
        shape_of(wide, **{"watermark_columns": ("at",), **options})


def test_a_table_that_is_not_there_is_named_with_similar_ones(wide):
    wide.execute("CREATE TABLE orders (id integer PRIMARY KEY)")
    with pytest.raises(ConfigurationError, match=r"table 'order' was given, .* similar: orders"):
        shape_of(wide, table="order")


@pytest.mark.parametrize("table", ["", "a.b.c", ".t", "t.", '"t'])
def test_what_is_no_table_name_is_refused(wide, table):
    with pytest.raises(ConfigurationError, match=r"(?i)no(t a)? table.*give 'table' or 'schema.table'"):
        shape_of(wide, table=table)


NAMES = ["Order Lines", "select", "50%", "a:b", "käse", "x.y", "Mixed", 'quo"te', "%(id)s", "semi;colon"]


@pytest.mark.parametrize("name", NAMES)
def test_any_table_and_column_name_is_read(legacy, name):
    quoted, asked = legacy.quoted(name), '"' + name.replace('"', '""') + '"'
    legacy.execute(f"CREATE TABLE {quoted} (id integer PRIMARY KEY, {quoted} integer NOT NULL)")
    legacy.execute(f"INSERT INTO {quoted} VALUES (1, 5), (2, 4), (3, 4)")
    found, after = rows(legacy, table=asked, watermark_columns=(name,), batch_rows=1)
    assert [row["id"] for row in found] == ["2", "3", "1"]
    assert after.values == ("5", "1")
    query = f"SELECT * FROM {quoted}"
    assert rows(legacy, sql=query, watermark_columns=(name,), key_columns=("id",))[0] == found


SCHEMAS = {"sqlite": ("main",), "postgresql": ("public",), "firebird": ()}


def test_a_name_is_found_as_written_else_in_lower_case(legacy):
    legacy.execute("CREATE TABLE orders (id integer PRIMARY KEY)")
    legacy.execute("INSERT INTO orders VALUES (7)")
    assert rows(legacy, table="ORDERS", watermark_columns=("id",))[0] == [{"id": "7"}]
    schemas = (legacy.url.database,) if legacy.dialect == "mysql" else SCHEMAS[legacy.dialect]
    for schema in schemas:
        assert rows(legacy, table=f"{schema}.orders", watermark_columns=("id",))[0] == [{"id": "7"}]
    with pytest.raises(ConfigurationError, match="in schema 'nix'"):
        rows(legacy, table="nix.orders", watermark_columns=("id",))
