"""Which columns are read, by which names, from which tables and queries, on every database."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support.legacy import DIALECTS, legacy_database


@pytest.fixture(params=DIALECTS)
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


def rows(legacy, at=None, **options):
    """The rows as dictionaries of texts, and the watermark after them."""
    with legacy.source(**options) as source:
        source.open(at)
        batches = list(source.batches())
    names = batches[0].shape.named(range(len(batches[0].shape.columns)))
    found = [dict(zip(names, map(str, row), strict=True)) for batch in batches for row in batch.rows]
    return found, batches[-1].after


def shape_of(legacy, **options):
    with legacy.source(**options) as source:
        source.open(None)
        return next(source.batches())


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
    with pytest.raises(ConfigurationError, match=r"has no primary key and no unique index .* key_columns="):
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
        (("plain",), ("plain",), "c"),
        (("code",), None, "u"),
        (("at",), None, "u"),
        (("id", "plain"), None, "u"),
        ((), None, "r"),
    ],
)
def test_only_a_single_unique_integer_watermark_means_that_rows_never_change(legacy, watermark, key, op):
    legacy.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, number bigint NOT NULL UNIQUE, plain integer NOT NULL,"
        " code varchar(9) NOT NULL UNIQUE, at timestamp NOT NULL)"
    )
    legacy.execute("INSERT INTO t VALUES (1, 1, 1, 'a', '2026-01-01 00:00:00')")
    batch = shape_of(legacy, watermark_columns=watermark, key_columns=key)
    assert batch.op == op
    assert batch.shape.named(batch.shape.watermark) == watermark
    assert batch.shape.time == (4 if "at" in watermark else None)


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
    with pytest.raises(ConfigurationError, match=r"table 'order' was asked for, .* similar: orders"):
        shape_of(wide, table="order")


@pytest.mark.parametrize("table", ["", "a.b.c", ".t", "t.", '"t'])
def test_what_is_no_table_name_is_refused(wide, table):
    with pytest.raises(ConfigurationError, match=r"is no table name: give 'table' or 'schema.table'"):
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


QUERIES = {
    "join": "SELECT o.id, o.at, c.name FROM orders o JOIN customers c ON c.id = o.customer",
    "CTE": "WITH paid AS (SELECT * FROM orders WHERE status = 'paid') SELECT id, at, status AS name FROM paid",
    "semicolon": "SELECT id, at, 'x' AS name FROM orders;",
    "semicolons and comments": "SELECT id, at, 'x' AS name FROM orders ; -- all of them\n/* really */ ; ",
    "comment": "SELECT id, at, 'x' AS name FROM orders -- all of them",
    "semicolon in a comment": "SELECT id, at, 'x' AS name FROM orders -- all; of them;",
    "per cent": "SELECT id, at, 'x' AS name FROM orders WHERE status LIKE '%ai%' OR id % 2 = 1 OR '%(x)s' = '%s'",
    "order by": "SELECT id, at, 'x' AS name FROM orders ORDER BY id DESC",
    "line breaks": "\n\n SELECT id, at,\n 'x' AS name\n FROM orders \n\n",
    "union": "SELECT id, at, 'x' AS name FROM orders WHERE id = 1 UNION ALL SELECT 2, 20, 'y' FROM orders WHERE id = 2",
    "leading comments": "-- of the shop; \n/* :all % 'them */ SELECT id, at, 'x' AS name FROM orders",
    "comment inside": "SELECT id, /* ; ' */ at, -- at; \"\n 'x' AS name FROM orders",
    "window function": "SELECT id, at, row_number() OVER (PARTITION BY customer ORDER BY id) AS name FROM orders",
    "brackets": "(SELECT id, at, 'x' AS name FROM orders WHERE id = 1) UNION ALL (SELECT 2, 20, 'y')",
    "values": "SELECT column1 AS id, column2 AS at, 'x' AS name FROM (VALUES (1, 10), (2, 20)) AS v",
    "subquery": "SELECT * FROM (SELECT id, at, (SELECT max(name) FROM customers) AS name FROM orders) AS o",
    "quoted names": 'SELECT "id", "at", status AS "name;: %" FROM "orders"',  # spelled by `written`
}
# What Firebird keeps in capitals where it was created without quotes.
_CAPITALS = {"id": "ID", "orders": "ORDERS"}
_REFUSED = {"sqlite": {"brackets"}, "firebird": {"brackets", "values"}, "mysql": {"values"}}


@pytest.fixture
def shop(legacy):
    legacy.execute("CREATE TABLE customers (id integer PRIMARY KEY, name text)")
    legacy.execute("CREATE TABLE orders (id integer PRIMARY KEY, at integer NOT NULL, customer integer, status text)")
    legacy.execute("INSERT INTO customers VALUES (7, 'Ada')")
    legacy.execute("INSERT INTO orders VALUES (1, 10, 7, 'paid'), (2, 20, 7, 'paid')")
    return legacy


def written(legacy, query):
    """A query whose double quotes hold names, in the quotes and the case of the dialect."""

    def name(found):
        return legacy.quoted(_CAPITALS.get(found[1], found[1]) if legacy.dialect == "firebird" else found[1])

    return re.sub('"([^"]+)"', name, QUERIES[query]) if query == "quoted names" else QUERIES[query]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_read_like_a_table(shop, query):
    if query in _REFUSED.get(shop.dialect, ()):  # what its grammar has not
        with pytest.raises(ConfigurationError, match="refused the query"):
            rows(shop, sql=QUERIES[query], watermark_columns=("at",), key_columns=("id",))
        return
    found, after = rows(shop, sql=written(shop, query), watermark_columns=("at",), key_columns=("id",), batch_rows=1)
    assert [(row["id"], row["at"]) for row in found] == [("1", "10"), ("2", "20")]
    assert after.values[1:] == ("2",)


@pytest.mark.parametrize(
    "text",
    [":word", "12:30:45", "a::b", ":a::b:", "C:\\dir", "\\:x", "?", "%s", "50%", "%%", "it''s", ";", "; -- x", "/*"],
)
def test_a_text_in_a_query_arrives_as_it_is(shop, text):
    written = text.replace("\\", "\\\\") if shop.dialect == "mysql" else text
    query = f"SELECT id, at, '{written}' AS name FROM orders"
    found, _ = rows(shop, sql=query, watermark_columns=("at",), key_columns=("id",))
    assert [row["name"] for row in found] == [text.replace("''", "'")] * 2


def test_a_query_needs_key_columns(shop):
    with pytest.raises(ConfigurationError, match="the query has no primary key"):
        rows(shop, sql="SELECT * FROM orders", watermark_columns=("at",))


def test_a_query_that_gives_a_name_twice_is_refused(shop):
    query = "SELECT o.id, o.at, c.id FROM orders o JOIN customers c ON c.id = o.customer"
    names = r"'id' more than once|id was specified multiple times|Duplicate column name 'id'"
    with pytest.raises(ConfigurationError, match=f"(?i){names}"):
        rows(shop, sql=query, watermark_columns=("at",), key_columns=("id",))


@pytest.mark.parametrize(
    "query",
    ["SELECT nix FROM orders", "SELECT * FROM nix", "SELECT FROM FROM", "WITH q AS (SELECT 1) DELETE FROM orders"],
)
def test_a_query_that_the_database_refuses_is_an_error_before_reading(shop, query):
    with pytest.raises(ConfigurationError, match=r"connection 'crm' refused the query: .* correct table= or sql="):
        rows(shop, sql=query, watermark_columns=("at",), key_columns=("id",))


NO_SELECTS = [
    "DELETE FROM orders",
    "DELETE FROM orders RETURNING *",
    "DROP TABLE orders",
    "INSERT INTO orders VALUES (9, 9, 9, '') RETURNING id, at",
    "UPDATE orders SET at = 0 RETURNING id, at",
    "WITH gone AS (SELECT 1) DELETE FROM orders RETURNING id, at",
    "EXPLAIN SELECT id, at FROM orders",
    "SHOW search_path",
    "PRAGMA user_version = 5",
    "SELECT id, at FROM orders; DELETE FROM orders",
    "SELECT 1) AS a; DELETE FROM orders; SELECT * FROM (SELECT 1",
    "",
    "-- nothing",
    ";",
]


@pytest.mark.parametrize("statement", NO_SELECTS)
def test_what_is_not_one_select_is_refused_and_changes_nothing(shop, statement):
    with pytest.raises(ConfigurationError, match=r"[Nn]othing was read"):
        rows(shop, sql=statement, watermark_columns=("at",), key_columns=("id",))
    assert shop.execute("SELECT id, at FROM orders ORDER BY id") == [(1, 10), (2, 20)]


def test_a_watermark_column_that_the_query_does_not_give_is_named_with_those_that_it_gives(shop):
    with pytest.raises(ConfigurationError, match="the query has no column 'at'; it has 'id', 'moment'"):
        rows(shop, sql="SELECT id, at AS moment FROM orders", watermark_columns=("at",), key_columns=("id",))


def test_an_ambiguous_watermark_column_is_refused_before_reading(shop):
    query = "SELECT o.at, c.id, o.at FROM orders o JOIN customers c ON c.id = o.customer"
    with pytest.raises(ConfigurationError, match=REPEATED.get(shop.dialect, "gives the column names 'at' more than")):
        rows(shop, sql=query, watermark_columns=("at",), key_columns=("id",))


# Where a query in brackets may not give a name twice, the database itself refuses it.
REPEATED = {
    "mysql": "refused the query: Duplicate column name 'at'",
    "firebird": "refused the query: .*column at was specified multiple times",
}


def test_all_that_is_wrong_with_the_columns_is_told_at_once(shop):
    """As far as the database looks at a query that gives a name twice."""
    twice = "" if shop.dialect in REPEATED else ", c.id"
    parts = ["the query has no primary key", "the query has no column 'moment'"]
    if twice:
        parts.insert(0, "the query gives the column names 'id' more")
    with pytest.raises(ConfigurationError) as error:
        rows(
            shop,
            sql=f"SELECT o.id, o.at{twice} FROM orders o JOIN customers c ON c.id = o.customer",
            watermark_columns=("moment",),
            source_timezone="Nowhere/Land",
            lag=-dt.timedelta(1),
        )
    told = str(error.value)
    first, second, *others = told.splitlines()[1:]
    assert told.startswith(f"{2 + len(parts)} problems were found before anything was read:\n")
    assert first.startswith("1. source_timezone='Nowhere/Land'")
    assert second.startswith("2. lag=")
    for number, (part, line) in enumerate(zip(parts, others, strict=True), 3):
        assert line.startswith(f"{number}. {part}")
