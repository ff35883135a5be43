"""A database that tests share is lent again only if the last of them left it as it was made."""

import psycopg
import pytest

from tests.support.engines import of
from tests.support.reused import Reused

OF_TESTS = (
    "CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE SCHEMA crm; CREATE VIEW crm.v AS SELECT * FROM t",
    "CREATE EXTENSION citext; CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "ALTER DATABASE {here} SET timezone = 'Asia/Tokyo'",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "CREATE ROLE {here}_r; GRANT ALL ON SCHEMA public TO {here}_r; DROP OWNED BY {here}_r; DROP ROLE {here}_r",
    "BEGIN; CREATE TABLE t (); PREPARE TRANSACTION '{here}'",
)
BEYOND = (
    "REVOKE ALL ON DATABASE {here} FROM PUBLIC",
    "CREATE ROLE {here}_reader",
    "ALTER DATABASE {here} CONNECTION LIMIT 9",
    "ALTER DATABASE {here} OWNER TO pg_monitor",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO PUBLIC",
    "REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC",
    "REVOKE USAGE ON SCHEMA pg_catalog FROM PUBLIC",
    "CREATE EXTENSION citext SCHEMA pg_catalog",
    "CREATE FOREIGN DATA WRAPPER w",
    "CREATE PUBLICATION p FOR ALL TABLES",
    "SELECT lo_create(0)",
    "SELECT pg_create_logical_replication_slot('{here}', 'pgoutput')",
)


@pytest.fixture(scope="module", params=of("postgresql"))
def lender(request):
    found = Reused(request.getfixturevalue("postgres18" if request.param == "postgresql-18" else "postgres"))
    yield found
    found.close()


def used(lender, statement):
    """Run a statement in the database that is lent; its name, and that of the next one."""
    with lender.lent() as database, psycopg.connect(database.dsn, autocommit=True) as session:
        session.execute(statement.format(here=database.name).encode())
    with lender.lent() as following:
        return database.name, following.name


@pytest.mark.parametrize("statement", OF_TESTS)
def test_what_most_tests_do_is_undone(lender, statement):
    before, after = used(lender, statement)
    assert before == after


@pytest.mark.parametrize("statement", BEYOND)
def test_after_anything_else_the_next_test_gets_another_one(lender, statement):
    before, after = used(lender, statement)
    assert before != after
    lender._server.execute(f"DROP ROLE IF EXISTS {before}_reader")
    assert lender._server.execute(f"SELECT 1 FROM pg_database WHERE datname = '{before}'") == []
