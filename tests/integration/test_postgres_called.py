"""A view or query that calls functions of somebody's lets them run with the reader's rights: one warning names them."""

from __future__ import annotations

import pytest

from tests.support.engines import of
from tests.support.legacy import reused_database

TOLD = "calls functions that are neither the server's nor an extension's: "


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, v text)")
        found.execute("CREATE FUNCTION mine(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n'")
        found.execute("CREATE VIEW v AS SELECT id, mine(id) AS m FROM t")
        found.execute("CREATE VIEW above AS SELECT id, lower('x') AS x FROM v")
        yield found


def warned(legacy, caplog, table=None, sql=None) -> list[str]:
    caplog.clear()
    database = legacy.database()
    for _ in range(2):
        database.reflect(table, sql)
    database.close()
    return [record.getMessage().partition(TOLD)[2].partition(". ")[0] for record in caplog.records]


@pytest.mark.parametrize("what", [{"table": "v"}, {"table": "above"}, {"table": "public.V"}])
def test_a_view_is_warned_of_once(legacy, caplog, what):
    assert warned(legacy, caplog, **what) == ["public.mine"]


def test_an_operator_calls_a_function_too(legacy, caplog):
    legacy.execute("CREATE FUNCTION same(a text, b text) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    legacy.execute("CREATE OPERATOR === (FUNCTION = same, LEFTARG = text, RIGHTARG = text)")
    legacy.execute("CREATE VIEW w AS SELECT id FROM t WHERE v === 'x'")
    assert warned(legacy, caplog, "w") == ["public.same"]


@pytest.mark.parametrize(
    "sql",
    ["SELECT id, mine(id) AS m FROM t", "SELECT id FROM above", 'SELECT a.id FROM t a, "v"', "SELECT id FROM public.v"],
)
def test_a_query_is_warned_of_once(legacy, caplog, sql):
    assert warned(legacy, caplog, sql=sql) == ["public.mine"]


def test_what_is_the_server_s_or_an_extension_s_is_not_warned_of(legacy, caplog):
    legacy.execute("CREATE EXTENSION citext SCHEMA public")
    legacy.execute("CREATE VIEW plain AS SELECT id, upper(v) AS u FROM t WHERE v::citext = 'x'::citext")
    assert warned(legacy, caplog, "plain") == []
    assert warned(legacy, caplog, "t") == []
    assert warned(legacy, caplog, sql="SELECT id, upper(v) AS u, 'mine(1)' AS s FROM t /* mine(id) */") == []
