"""Rights of PostgreSQL: those of roles that are inherited, of schemas, of functions, and of what lies below a view."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.readers import Reader


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE SCHEMA shop; CREATE TABLE shop.orders (id integer PRIMARY KEY, total integer)")
        yield found


@pytest.fixture
def reader(legacy):
    made = Reader(legacy)
    made.may(["GRANT CONNECT ON DATABASE crm TO reader", "GRANT USAGE ON SCHEMA public TO reader"])
    yield made
    made.drop()


def look(reader, *, table=None, sql=None, **url):
    database = reader.legacy.engine.made(reader.url.set(**url), conn_id="crm", statement_timeout_seconds=30)
    try:
        return database.reflect(table, sql)
    finally:
        database.close()


def told(reader, error=LegacyEventsError, **asked):
    with pytest.raises(error) as caught:
        look(reader, **asked)
    return str(caught.value).splitlines()


def test_columns_that_an_inherited_role_may_read_are_read(reader):
    group = f"{reader.name}_group"
    reader.legacy.execute(f"CREATE ROLE {group}; GRANT {group} TO {reader.name}; GRANT USAGE ON SCHEMA shop TO {group}")
    try:
        reader.legacy.execute(f"GRANT SELECT (id) ON shop.orders TO {group}")
        found = look(reader, table="shop.orders")
        assert [one.name for one in found.columns] == ["id"]
        assert dict(found.withheld.names) == {"total": "total"}
        reader.legacy.execute(f"GRANT SELECT ON shop.orders TO {group}")
        assert not look(reader, table="shop.orders").withheld.names
    finally:
        reader.legacy.execute(f"DROP OWNED BY {group}; DROP ROLE {group}")


def test_a_schema_that_may_not_be_used_is_named(reader):
    asked = told(reader, table="shop.orders")
    usage, select = f"GRANT USAGE ON SCHEMA shop TO {reader.name}", f"GRANT SELECT ON shop.orders TO {reader.name}"
    assert asked[1:] == [usage, select]
    along = {"query": {"options": "-c search_path=shop,public"}}
    assert told(reader, ConfigurationError, table="orders", **along)[1:] == [usage, select]
    assert told(reader, table="shop.nothing")[1:] == [usage]
    assert "no table or view of that name" in told(reader, ConfigurationError, table="orders")[0]


def test_a_table_below_a_query_is_named_with_its_schema_in_whatever_language(reader):
    reader.may(["GRANT USAGE ON SCHEMA shop TO reader"])
    for options in ({}, {"query": {"options": "-c search_path=shop"}}):
        name = "orders" if options else "shop.orders"
        asked = told(reader, ConfigurationError, sql=f"SELECT total FROM {name} WHERE total > 0", **options)
        assert asked[-1] == f"GRANT SELECT ON shop.orders TO {reader.name}"


def test_a_table_below_a_view_that_asks_for_the_rights_of_its_reader_is_named(reader):
    reader.legacy.execute("CREATE VIEW v WITH (security_invoker) AS SELECT id FROM shop.orders")
    reader.may(["GRANT SELECT ON v TO reader", "GRANT USAGE ON SCHEMA shop TO reader"])
    assert told(reader, ConfigurationError, table="v")[-1] == f"GRANT SELECT ON shop.orders TO {reader.name}"


def test_a_function_of_a_query_is_named(reader):
    reader.legacy.execute("CREATE FUNCTION f(x integer) RETURNS integer LANGUAGE sql AS 'SELECT x'")
    reader.legacy.execute("REVOKE ALL ON FUNCTION f FROM PUBLIC")
    assert told(reader, ConfigurationError, sql="SELECT f(1) AS one")[-1] == (
        f"GRANT EXECUTE ON FUNCTION f(integer) TO {reader.name}"
    )
