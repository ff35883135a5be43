"""Comparisons of several columns without row values, against Python's own comparison of tuples."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa

from airflow_legacy_events.databases import keyset

ROWS = {arity: list(itertools.product(range(3), repeat=arity)) for arity in (1, 2, 3)}


def columns(arity: int) -> list[sa.ColumnClause]:
    return [sa.column(name) for name in "abc"[:arity]]


def selected(condition, arity: int) -> list[tuple[int, ...]]:
    engine = sa.create_engine("sqlite://")
    names = "abc"[:arity]
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE TABLE t ({', '.join(names)})")
        marks = ", ".join("?" * arity)
        connection.exec_driver_sql(f"INSERT INTO t VALUES ({marks})", ROWS[arity])
        found = connection.execute(sa.select(*columns(arity)).select_from(sa.table("t")).where(condition))
        return sorted(map(tuple, found))


@pytest.mark.parametrize("arity", ROWS)
def test_conditions_select_what_a_comparison_of_tuples_selects(arity):
    for bound in ROWS[arity]:
        above = keyset.beyond(columns(arity), bound)
        from_here = keyset.beyond(columns(arity), bound, inclusive=True)
        upto = keyset.until(columns(arity), bound)
        assert selected(above, arity) == [row for row in ROWS[arity] if row > bound]
        assert selected(from_here, arity) == [row for row in ROWS[arity] if row >= bound]
        assert selected(upto, arity) == [row for row in ROWS[arity] if row <= bound]


@pytest.mark.parametrize("arity", ROWS)
def test_rows_are_found_among_others(arity):
    for step in (1, 2, 5):
        wanted = ROWS[arity][::step]
        assert selected(keyset.among(columns(arity), wanted, sa.literal), arity) == wanted
    assert selected(keyset.among(columns(arity), [], sa.literal), arity) == []


def text(condition) -> str:
    return str(condition.compile(compile_kwargs={"literal_binds": True}))


def test_the_first_column_of_each_depth_bounds_the_rows_for_an_index():
    two, three = columns(2), columns(3)
    assert text(keyset.beyond(two, (1, 2))) == "a >= 1 AND (a > 1 OR a = 1 AND b > 2)"
    assert text(keyset.beyond(two, (1, 2), inclusive=True)) == "a >= 1 AND (a > 1 OR a = 1 AND b >= 2)"
    assert text(keyset.until(two, (1, 2))) == "a <= 1 AND (a < 1 OR a = 1 AND b <= 2)"
    assert text(keyset.beyond(three, (1, 2, 3))) == (
        "a >= 1 AND (a > 1 OR a = 1 AND b >= 2 AND (b > 2 OR b = 2 AND c > 3))"
    )
    assert text(keyset.until(three, (1, 2, 3))) == (
        "a <= 1 AND (a < 1 OR a = 1 AND b <= 2 AND (b < 2 OR b = 2 AND c <= 3))"
    )


def test_one_column_is_compared_plainly():
    assert text(keyset.beyond(columns(1), (1,))) == "a > 1"
    assert text(keyset.beyond(columns(1), (1,), inclusive=True)) == "a >= 1"
    assert text(keyset.until(columns(1), (1,))) == "a <= 1"
