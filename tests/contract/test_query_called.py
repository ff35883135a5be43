"""Full loads of what runs functions of others, whose tables nothing watches."""

from __future__ import annotations

import pytest

from tests.support.engines import of
from tests.support.legacy import reused_database

BODIES = {
    "postgresql": "CREATE FUNCTION f(i integer) RETURNS varchar LANGUAGE sql STABLE AS"
    " 'SELECT body FROM u WHERE id = i'",
    "mysql": "CREATE FUNCTION f(i integer) RETURNS varchar(9) READS SQL DATA RETURN (SELECT body FROM u WHERE id = i)",
}
QUERY = "SELECT id, f(id) AS body FROM t"


@pytest.fixture(params=of("postgresql", "mysql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        found.execute("CREATE TABLE u (id integer PRIMARY KEY, body varchar(9))")
        found.execute("INSERT INTO t VALUES (1), (2), (3)")
        yield found


def load(legacy, **options):
    with legacy.source(watermark_columns=(), key_columns=("id",), **options) as source:
        horizon, batches = source.open(None)
        assert sum(batch.count for batch in batches) == 3
        return horizon


@pytest.mark.parametrize("way", ["a view", "a query"])
def test_a_load_that_runs_functions_which_may_read_tables_is_not_called_exact(legacy, way):
    legacy.execute(BODIES[legacy.dialect])
    legacy.execute(f"CREATE VIEW w AS {QUERY}")
    horizon = load(legacy, **({"table": "w"} if way == "a view" else {"sql": QUERY}))
    assert horizon.completeness == "best_effort"
    assert "which may read tables" in horizon.reason or "f() may read tables" in horizon.reason


def test_a_load_that_runs_functions_of_the_server_is_exact(legacy):
    query = "SELECT id, concat('a', upper('b'), coalesce(id, 0)) AS body FROM t"
    assert load(legacy, sql=query).completeness == "exact"


@pytest.mark.parametrize(
    "body",
    [
        "LANGUAGE sql AS 'SELECT i + 1'",
        "LANGUAGE sql IMMUTABLE AS 'SELECT max(id) FROM (VALUES (1)) AS v (id)'",
        "LANGUAGE plpgsql AS 'BEGIN RETURN i + 1; END'",
    ],
)
def test_a_load_that_runs_functions_which_read_nothing_is_exact(legacy, body):
    if legacy.dialect != "postgresql":
        return  # MySQL does not hold a function to what it is declared to read
    legacy.execute(f"CREATE FUNCTION f(i integer) RETURNS integer {body}")
    assert load(legacy, sql=QUERY).completeness == "exact"
