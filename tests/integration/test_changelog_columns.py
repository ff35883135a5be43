"""Columns of a table in PostgreSQL's change log: those it leaves out, and those that the log never showed."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.model import TableName
from tests.support.engines import of
from tests.support.slots import logged_database

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, n integer GENERATED ALWAYS AS (id + 1) STORED)"
NAME = TableName("public", "orders")


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def logged(request):
    with logged_database(request, request.param, ORDERS) as found:
        yield found


def omitted(logged):
    with logged.log() as log:
        log.look()
        return log.change_log.omitted(NAME)


def test_generated_columns_are_left_out_where_the_log_leaves_them_out(logged):
    new = logged.legacy.engine.name == "postgresql-18"
    assert omitted(logged) == (frozenset() if new else {"n"})
    logged.begin()
    if new:
        logged.execute("ALTER TABLE orders ADD v integer GENERATED ALWAYS AS (id + 2) VIRTUAL")
    assert omitted(logged) == {"v" if new else "n"}
    logged.execute("INSERT INTO orders VALUES (1)")
    assert logged.run() == [("c", "1", "2")] if new else [("c", "1")]


def test_a_given_publication_decides_whether_generated_columns_are_left_out(logged):
    logged.given = True
    assert omitted(logged) == {"n"}
    logged.execute(f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    assert omitted(logged) == {"n"}
    logged.begin()
    logged.execute("INSERT INTO orders VALUES (1)")
    assert logged.run() == [("c", "1")]


def test_columns_that_may_have_come_with_values_are_filled(logged):
    logged.execute(
        "ALTER TABLE orders ADD plain text", "ALTER TABLE orders ADD gone text", "ALTER TABLE orders DROP gone",
        "ALTER TABLE orders ADD fixed integer DEFAULT 5", "ALTER TABLE orders ADD rolled float DEFAULT random()",
    )  # fmt: skip
    with logged.log() as log:
        log.look()
        found = log.change_log.columns(NAME)
        assert log.change_log.columns(TableName("public", "nothing")) == {}
    assert {name: one.number for name, one in found.items()} == {"id": 1, "n": 2, "plain": 3, "fixed": 5, "rolled": 6}
    assert {name for name, one in found.items() if one.filled} == {"id", "n", "fixed", "rolled"}
