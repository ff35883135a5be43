"""Which queries are read, and what is refused instead, on every database."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support.engines import EACH
from tests.support.legacy import reused_database, rows


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


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
    if query in _REFUSED.get(shop.dialect, ()) or query in shop.engine.lacks:  # what its grammar has not
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
    with pytest.raises(ConfigurationError, match=REPEATED.get(shop.dialect, "returns the column names 'at' more than")):
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
        parts.insert(0, "the query returns the column names 'id' more")
    with pytest.raises(ConfigurationError) as error:
        rows(
            shop,
            sql=f"SELECT o.id, o.at{twice} FROM orders o JOIN customers c ON c.id = o.customer",
            watermark_columns=("moment",),
            source_timezone="Nowhere/Land",
            lag=-dt.timedelta(1),
        )
    told = str(error.value)
    first, second, *others = [line for line in told.splitlines()[1:] if line[0].isdecimal()]  # remedies stand below
    assert told.startswith(f"{2 + len(parts)} problems were found before anything was read:\n")
    assert first.startswith("1. source_timezone='Nowhere/Land'")
    assert second.startswith("2. lag=")
    for number, (part, line) in enumerate(zip(parts, others, strict=True), 3):
        assert line.startswith(f"{number}. {part}")
