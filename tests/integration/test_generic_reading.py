"""What a generic connection reads: the columns of each page, and texts that a driver of several statements gets."""

from __future__ import annotations

import contextlib

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError, SchemaChangedError, SourceError
from airflow_legacy_events.core.sql_text import one_select
from airflow_legacy_events.databases.generic import GenericDatabase
from tests.support.legacy import reused_database

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+mysqldb"}


@pytest.fixture(params=["postgresql-18", "mariadb-11.8", "firebird"])
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, v integer, w varchar(90))")
        found.execute("INSERT INTO t VALUES (1, 7, 'a')")
        yield found


@pytest.fixture
def database(legacy):
    url = legacy.url.set(drivername=DRIVERS.get(legacy.dialect, legacy.url.drivername))
    made = GenericDatabase(url, conn_id="crm", statement_timeout_seconds=30)
    yield made
    made.close()


def page(database, *names):
    found = {column.name: column for column in database.reflect("t", None).columns}
    expected = tuple(found[name] for name in names)
    query = sa.select(*map(sa.column, names)).select_from(sa.table("t"))
    return query.execution_options(expected=expected)


def test_pages_of_the_columns_that_are_expected_are_read(database):
    query = page(database, "id", "v", "w")
    for _ in range(2):
        assert database.read(query) == [(1, 7, "a")]


def retyped(legacy):
    """Make a text of the number; not every database does so in one statement."""
    if legacy.dialect == "postgresql":
        legacy.execute("ALTER TABLE t ALTER v TYPE varchar(90) USING v || ' times'")
    elif legacy.dialect == "mysql":
        legacy.execute("ALTER TABLE t MODIFY v varchar(90)")
    else:
        legacy.execute("ALTER TABLE t DROP v")
        legacy.execute("ALTER TABLE t ADD v varchar(90)")


def test_a_column_that_is_of_another_type_by_the_next_page_is_told(legacy, database):
    query = page(database, "id", "v")
    database.read(query)
    retyped(legacy)
    with pytest.raises(SchemaChangedError, match=r"'crm': column 'v' was \S+, found was \S+, while the rows"):
        database.read(query)


def test_a_column_that_is_of_another_kind_by_the_first_page_is_told(legacy, database):
    query = page(database, "id", "v")
    retyped(legacy)
    with pytest.raises(SchemaChangedError, match=r"column 'v' was INTEGER\S*, found was \S+, while the rows"):
        database.read(query)


def test_columns_of_other_names_are_told(database):
    wrong = (Column("id", Kind.INTEGER, "INTEGER"), Column("u", Kind.TEXT, "VARCHAR"))
    query = sa.select(sa.column("id"), sa.column("w")).select_from(sa.table("t")).execution_options(expected=wrong)
    with pytest.raises(SchemaChangedError, match="columns 'id', 'w' were returned instead"):
        database.read(query)


@pytest.mark.parametrize("legacy", ["firebird"], indirect=True)
def test_a_table_that_the_user_may_not_read_is_told_with_its_grant(legacy):
    made = GenericDatabase(legacy.url.set(username="READER"), conn_id="crm", statement_timeout_seconds=30)
    asked = sa.select(sa.column("id")).select_from(sa.table("t"))
    with contextlib.closing(made):
        for error, ask in ((ConfigurationError, made.check), (SourceError, made.read)):
            with pytest.raises(error, match=r"(?m)^GRANT SELECT ON T TO READER$"):
                ask(asked)


def test_a_snapshot_within_a_snapshot_is_the_same_one(legacy, database):
    with database.snapshot():
        with database.snapshot():
            assert len(database.read(page_of(database))) == 1
        legacy.execute("INSERT INTO t VALUES (2, 8, 'b')")
        assert len(database.read(page_of(database))) == 1
    assert len(database.read(page_of(database))) == 2


def page_of(database):
    return sa.select(sa.column("id")).select_from(sa.table("t"))


def test_keys_prove_what_is_distinct_only_over_numbers_and_where_they_are_kept(legacy, database):
    legacy.execute("CREATE TABLE u (code varchar(9) PRIMARY KEY, n integer NOT NULL UNIQUE, m integer UNIQUE)")
    kept = legacy.dialect != "postgresql"  # a parent of inheriting tables has a primary key that does not hold for them
    assert database.reflect("u", None).state.distinct == ((("n",),) if kept else ())


HIDDEN = [
    r"SELECT id, '\' AS a, ' FROM t) x; COMMIT; BEGIN READ WRITE; DROP TABLE t; --' AS b FROM t",
    r"SELECT id, 'it\' || ' FROM t) x; COMMIT; DROP TABLE t; -- ' AS b FROM t",
    "SELECT id, '[' AS a FROM t) x; COMMIT; DROP TABLE t; -- ]",
    "SELECT id, $$ ' $$ AS a FROM t) x; COMMIT; DROP TABLE t; --'",
    "SELECT id FROM t WHERE w # '\n) x; COMMIT; DROP TABLE t; -- '",
    "SELECT id FROM t -- a\r) x; COMMIT; DROP TABLE t; --",
    "SELECT id FROM t /* /* */ ) x; COMMIT; DROP TABLE t; -- */",
    "SELECT id FROM t WHERE w <> `) x; COMMIT; DROP TABLE t; --`",
    "SELECT id FROM t /*! ) x; COMMIT; DROP TABLE t; -- */",
]


@pytest.mark.parametrize("sql", HIDDEN)
def test_statements_behind_what_one_reading_takes_for_a_text_are_not_run(legacy, database, sql):
    with contextlib.suppress(ConfigurationError):  # Firebird is known to have one reading
        database.reflect(None, sql)
    assert legacy.execute("SELECT v FROM t") == [(7,)]


@pytest.mark.parametrize("sql", HIDDEN)
def test_without_knowing_the_database_they_are_refused_before_it_is_asked(sql):
    with pytest.raises(ConfigurationError, match="nothing was read or executed"):
        one_select(sql)
