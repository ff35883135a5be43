"""What is asked of databases that the tests can't start: the statements, as their dialects write them."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, oracle

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.databases.generic import GenericDatabase
from airflow_legacy_events.databases.generic.dialects import traits_of
from airflow_legacy_events.databases.quoting import quote_all
from airflow_legacy_events.databases.reflection import query_source
from airflow_legacy_events.sources.place import Start
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.selection import Selection

COLUMNS = (
    Column("Order No", Kind.INTEGER, "INTEGER"),
    Column("updated_at", Kind.TIMESTAMP, "TIMESTAMP", nullable=False),
)
SELECTION = Selection(Shape(COLUMNS, (0, 1), (0,), (1,)), (1, 0), "u")
AFTER, UNTIL = ("2026-01-01 00:00:00", "7"), ("2026-02-01 00:00:00", "9")


class Writing(GenericDatabase):
    """Keeps what it would ask another database."""

    def __init__(self, dialect: sa.Dialect) -> None:
        super().__init__(sa.make_url("sqlite://"), conn_id="crm", statement_timeout_seconds=5)
        self.backend, self._asked = dialect.name, dialect
        quote_all(dialect)
        self.statements: list[str] = []

    def read(self, query, max_bytes=None):
        compiled = query.compile(dialect=self._asked, compile_kwargs={"render_postcompile": True})
        self.statements.append(" ".join(str(compiled).split()))
        return []


@pytest.fixture(params=[mssql, oracle], ids=["mssql", "oracle"])
def database(request):
    return Writing(request.param.dialect())


def rows(database, selectable=None, selection=SELECTION) -> Rows:
    table = sa.table("Order Lines", schema="sales") if selectable is None else selectable
    return Rows(database, "table", table, selection, "UTC")


TABLE = {"mssql": "[sales].[Order Lines]", "oracle": '"SALES"."Order Lines"'}
NUMBER = {"mssql": "[Order No]", "oracle": '"Order No"'}
TIME = {"mssql": "[updated_at]", "oracle": '"UPDATED_AT"'}


def expected(database, columns: str, rest: str, limit: int) -> str:
    name = database.backend
    number, table = NUMBER[name], TABLE[name]
    top, fetch = (f"TOP {limit} ", "") if name == "mssql" else ("", f" FETCH FIRST {limit} ROWS ONLY")
    text = f"SELECT {top}{columns} FROM {table} {rest}{fetch}"
    return text.replace("#", number).replace("@", TIME[name])


def above(first: int) -> str:
    a, b = f":param_{first}", f":param_{first + 1}"
    return f"@ >= {a} AND (@ > {a} OR @ = {a} AND # > {b})"


def upto(first: int) -> str:
    a, b = f":param_{first}", f":param_{first + 1}"
    return f"@ <= {a} AND (@ < {a} OR @ = {a} AND # <= {b})"


@pytest.fixture
def first(database) -> int:
    """SQL Server's TOP is the first parameter."""
    return 2 if database.backend == "mssql" else 1


def test_the_first_page_is_bounded_above_and_limited(database, first):
    rows(database).page(Start(()), UNTIL, 100)
    where = f"WHERE {upto(first)} ORDER BY @, #"
    assert database.statements == [expected(database, "#, @", where, 100)]


def test_the_next_page_is_bounded_on_both_sides_by_the_first_column_alone(database, first):
    rows(database).page(Start(AFTER), UNTIL, 100)
    where = f"WHERE {above(first)} AND {upto(first + 2)} ORDER BY @, #"
    assert database.statements == [expected(database, "#, @", where, 100)]


def test_rows_of_one_time_are_looked_for_by_it_before_all_that_follow(database, first):
    rows(database).page(Start(AFTER, tied=1), UNTIL, 100)
    tied = f"WHERE @ = :param_{first} AND # > :param_{first + 1} AND {upto(first + 2)} ORDER BY @, #"
    every = f"WHERE {above(first)} AND {upto(first + 2)} ORDER BY @, #"
    assert database.statements == [expected(database, "#, @", where, 100) for where in (tied, every)]


def test_the_highest_row_is_the_first_from_above(database, first):
    found = rows(database)
    found.highest(Start(AFTER), found.ceiling(5.0).condition)
    where = f"WHERE {above(first)} AND # IS NOT NULL AND @ <= :param_{first + 2} ORDER BY @ DESC, # DESC"
    assert database.statements == [expected(database, "@, #", where, 1)]


def test_one_row_without_a_key_is_looked_for(database, first):
    rows(database).refuse_null(Start(AFTER))
    where = f"WHERE @ >= :param_{first} AND # IS NULL"
    assert database.statements == [expected(database, "1", where, 1)]


def test_a_query_stands_in_brackets_under_a_name_without_as(database):
    rows(database, query_source("SELECT * FROM x; -- all", database.sql_dialect)).page(Start(()), None, 10)
    (statement,) = database.statements
    assert f" FROM (SELECT * FROM x ) legacy_events_query ORDER BY {TIME[database.backend]}, " in statement


def test_sql_server_compares_its_datetime_as_it_rounds_it():
    database = Writing(mssql.dialect())
    columns = (COLUMNS[0], COLUMNS[1]._replace(type="DATETIME"))
    rows(database, selection=Selection(Shape(columns, (0, 1), (0,), (1,)), (1, 0), "u")).page(Start(AFTER), None, 10)
    assert "[updated_at] >= CAST(:param_2 AS DATETIME) AND ([updated_at] > CAST(" in database.statements[0]


def test_rows_among_others_are_literals_of_the_statement(database):
    number, name = sa.column("Order No"), sa.column("name")
    values = [[1, "it's"], [1, "50%"], [-2, ":x"]]
    database.read(sa.select(number).where(database.among([number, name], values)))
    written, other = NUMBER[database.backend], {"mssql": "[name]", "oracle": '"NAME"'}[database.backend]
    texts = [f"{'N' if database.backend == 'mssql' else ''}'{text}'" for text in ("it''s", "50%", ":x")]
    one, two = f"{written} = 1 AND {other} IN ({texts[0]}, {texts[1]})", f"{written} = -2 AND {other} IN ({texts[2]})"
    assert database.statements[-1].partition(" WHERE ")[2].replace("%%", "%") == f"{one} OR {two}"


def test_sessions_on_oracle_sort_text_as_they_compare_it():
    """By default a session sorts in the language of the server, and compares code by code."""
    (statement,) = traits_of("oracle").read_only
    assert statement.startswith("ALTER SESSION SET ")
    assert {"NLS_COMP = BINARY", "NLS_SORT = BINARY"} <= set(re.findall(r"NLS_\w+ = \w+", statement))
