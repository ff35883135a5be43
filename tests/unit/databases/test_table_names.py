"""What a table's name may mean, by the quotes of each dialect."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases.table_names import QUOTES, looked_up, no_such_table, readings, split_name


@pytest.mark.parametrize(
    ("dialect", "written", "meant"),
    [
        ("postgresql", "orders", []),
        ("postgresql", "sales.orders", [("sales", "orders")]),
        ("postgresql", '"sales.eu"."or""ders"', [("sales.eu", 'or"ders')]),
        ("postgresql", '"t.2"', [(None, "t.2")]),
        ("postgresql", 'sales."t.2"', [("sales", "t.2")]),
        ("postgresql", "`a`.`b`", [("`a`", "`b`")]),
        ("postgresql", "[a].[b]", [("[a]", "[b]")]),
        ("mysql", "`a``b`.`c.d`", [("a`b", "c.d")]),
        ("mariadb", '"a"."b"', [("a", "b")]),
        ("sqlite", "main.[o.x]", [("main", "o.x")]),
        ("sqlite", "[a]]b]", [(None, "a]b")]),
        *(
            ("postgresql", one, [])
            for one in ("a.b.c", 'odd"name', '"', '""', '"a"b', ".a", "a.", "it's", "a b", "{x}")
        ),
    ],
)
def test_a_name_as_the_catalog_has_it_comes_before_schema_and_name(dialect, written, meant):
    assert readings(written, QUOTES[dialect]) == ((None, written), *meant)


def test_a_name_is_looked_for_as_written_and_then_in_lower_case():
    assert looked_up("Sales.Orders") == (
        (None, "Sales.Orders"),
        ("Sales", "Orders"),
        (None, "sales.orders"),
        ("Sales", "orders"),
        ("sales", "orders"),
    )
    assert looked_up("orders") == ((None, "orders"),)


@pytest.mark.parametrize("written", ["", "a\0b"])
def test_what_no_database_has_is_refused(written):
    with pytest.raises(ConfigurationError, match="is not a table name"):
        readings(written)


@pytest.mark.parametrize("written", ["", "a.b.c", '"a', "a\0.b"])
def test_a_table_that_is_to_be_made_has_a_schema_and_a_name_at_most(written):
    with pytest.raises(ConfigurationError, match=r"is not a table name: give 'table' or 'schema.table'"):
        split_name(written)


def test_an_error_says_both_that_were_looked_for_and_how_to_write_a_dot():
    told = str(no_such_table("sales.order", ["orders", "customers"]))
    assert "table 'sales.order' was given, but there is no table or view of that name" in told
    assert "nor 'order' in schema 'sales', that this user can see; similar: orders" in told
    assert '"my.schema"."my table"' in str(no_such_table("a.b.c", []))
    assert "my.schema" not in told
