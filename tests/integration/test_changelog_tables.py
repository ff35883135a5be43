"""Tables of PostgreSQL's change log: what patterns name, and what has no log."""

from __future__ import annotations

import pytest

from tests.support.engines import of
from tests.support.slots import logged_database

SHOP = (
    "CREATE SCHEMA shop",
    "CREATE SCHEMA dropped_soon",
    "CREATE TABLE shop.orders (id integer PRIMARY KEY)",
    'CREATE TABLE shop."My.Table" (id integer PRIMARY KEY)',
    "CREATE TABLE shop.days (id integer, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
    "CREATE TABLE shop.days_1 PARTITION OF shop.days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "CREATE VIEW shop.seen AS SELECT 1 AS id",
    "CREATE MATERIALIZED VIEW shop.kept AS SELECT 1 AS id",
    "CREATE SEQUENCE shop.numbers",
    "CREATE UNLOGGED TABLE shop.fleeting (id integer PRIMARY KEY)",
)


@pytest.fixture(params=of("postgresql"))
def shop(request):
    with logged_database(request, request.param, *SHOP) as found:
        yield found


def found(shop, *patterns):
    shop.patterns = patterns
    with shop.log() as log:
        return [str(one) for one in log.change_log.tables(patterns)]


def test_a_star_stands_for_the_base_tables_of_a_schema(shop, caplog):
    assert found(shop, "shop.*", "shop.orders") == ["shop.My.Table", "shop.days", "shop.orders"]
    assert [one for one in caplog.messages if "UNLOGGED" in one and "shop.fleeting" in one]


def test_names_are_looked_up_as_written_then_in_lower_case(shop):
    assert found(shop, "Shop.Orders", 'shop."My.Table"') == ["shop.orders", "shop.My.Table"]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("orders", "names no schema; give 'schema.table', such as 'public.orders'"),
        ("shop.order", "similar: orders"),
        ("nowhere.*", "schema 'nowhere' has no table with a log"),
        ("dropped_soon.*", "schema 'dropped_soon' has no table with a log"),
        ("pg_catalog.pg_class", "is of the system catalog"),
        ("shop.seen", "'shop.seen' is a view"),
        ("shop.kept", "is a materialized view"),
        ("shop.numbers", "is a sequence"),
        ("shop.fleeting", "is UNLOGGED"),
        ("shop.days_1", "is a partition of shop.days"),
        ("", "is not a table name"),
    ],
)
def test_what_has_no_log_is_refused(shop, pattern, says):
    shop.patterns = (pattern,)
    [said] = shop.check()
    assert says in said


def test_all_patterns_are_judged_at_once(shop):
    shop.patterns = ("shop.seen", "shop.nothing", "shop.orders")
    assert shop.check()[0].startswith("2 problems were found")


def test_a_foreign_table_is_read_where_its_rows_are(shop):
    shop.execute("CREATE FOREIGN DATA WRAPPER none", "CREATE SERVER far FOREIGN DATA WRAPPER none")
    shop.execute("CREATE FOREIGN TABLE shop.away (id integer) SERVER far")
    shop.patterns = ("shop.away",)
    assert "is a foreign table" in shop.check()[0]


def test_a_table_with_inheriting_ones_is_refused_and_each_of_those_is_read_by_itself(shop):
    shop.execute("CREATE TABLE shop.young (PRIMARY KEY (id)) INHERITS (shop.orders)")
    shop.patterns = ("shop.*",)
    [said, mended] = shop.check()
    assert mended.startswith("Name the inheriting tables one by one")
    assert "'shop.orders' ('shop.*' in tables=) is inherited by shop.young" in said
    shop.patterns = ("shop.young",)
    shop.begin()
    shop.execute("INSERT INTO shop.orders VALUES (1)", "INSERT INTO shop.young VALUES (2)")
    assert shop.run() == [("c", "2")]
