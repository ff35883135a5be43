"""What reading costs PostgreSQL: an index serves every page at any depth, and a quiet poll is a few statements."""

from __future__ import annotations

import json

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.databases.postgres.statement import Statement
from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.legacy import legacy_database, plain

pytestmark = pytest.mark.xdist_group("postgres-plan")  # its table is made once
ROWS = 50_000


@pytest.fixture(scope="module", params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL, body text)")
        found.execute(
            "INSERT INTO t SELECT n, timestamptz '2026-01-01Z' + (n / 100) * interval '1 second', repeat('x', 100)"
            f" FROM generate_series(1, {ROWS}) AS n"
        )
        found.execute("CREATE INDEX ON t (at, id)")
        found.execute("VACUUM ANALYZE t")
        yield found


@pytest.fixture
def statements(monkeypatch):
    """Every statement that the read session sends, with its parameters."""
    seen = []
    execute, send = psycopg.Cursor.execute, Statement.__init__

    def executed(self, query, params=None, **named):
        seen.append((query if isinstance(query, str) else query.decode(), params))
        return execute(self, query, params, **named)

    def sent(self, cursor, text, parameters):
        seen.append((text, parameters))
        send(self, cursor, text, parameters)

    monkeypatch.setattr(psycopg.Cursor, "execute", executed)
    monkeypatch.setattr(Statement, "__init__", sent)
    return seen


def with_values(statements) -> list:
    """Those that read rows: what is asked of the catalog has no parameters."""
    return [one for one in statements if one[1]]


def explained(legacy, statement, parameters) -> tuple[dict, int]:
    """The node that reads the table, and how many blocks were looked at."""
    with psycopg.connect(plain(legacy.url), autocommit=True, cursor_factory=psycopg.RawCursor) as connection:
        query = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
        [(plan,)] = connection.execute(query.encode(), parameters).fetchall()
    node = json.loads(json.dumps(plan))[0]["Plan"]
    while "Plans" in node:
        node = node["Plans"][0]
    return node, node["Shared Hit Blocks"] + node["Shared Read Blocks"]


@pytest.mark.parametrize(("watermark", "index"), [(("at",), "t_at_id_idx"), (("id",), "t_pkey"), ((), "t_pkey")])
def test_every_page_is_an_index_scan_whose_cost_does_not_grow_with_its_depth(legacy, statements, watermark, index):
    with legacy.source(watermark_columns=watermark, batch_rows=1000) as source:
        opened = source.open(None)
        statements.clear()
        pages = [(query, params) for _ in opened.batches for query, params in with_values(statements)[-1:]]
    blocks = []
    for query, parameters in (pages[1], pages[len(pages) // 2], pages[ROWS // 1000 - 5]):
        node, looked_at = explained(legacy, query, parameters)
        assert (node["Node Type"], node["Index Name"]) == ("Index Scan", index)
        assert "Filter" not in node
        assert node["Actual Rows"] == 1000
        blocks.append(looked_at)
    assert max(blocks) < 2 * min(blocks)


def test_the_target_and_the_look_for_nulls_are_index_scans_too(legacy, statements):
    with legacy.source(watermark_columns=("at",)) as source:
        horizon, _ = source.open(None)
        source.open(None)
    query, parameters = statements[-1]
    assert horizon.target == ("2026-01-01 00:08:20+00", str(ROWS))
    node, blocks = explained(legacy, query, parameters)
    assert node["Index Name"] == "t_at_id_idx"
    assert blocks < 10


def test_a_quiet_poll_is_a_handful_of_statements(legacy, statements):
    with legacy.source(watermark_columns=("at",)) as source:
        horizon, reading = source.open(None)
        last = list(reading)[-1].after
    with legacy.source(watermark_columns=("at",)) as source:
        statements.clear()
        assert list(source.open(last._replace(facts={**horizon.facts, **last.facts})).batches) == []
    asked = [query for query, _ in statements]
    assert [statement.split()[0] for statement in asked] == ["RESET", "BEGIN", "SELECT", "BEGIN", "SELECT"]
    assert "LIMIT" in asked[-1]


def test_each_page_outside_a_full_load_is_a_transaction_of_its_own(legacy):
    with legacy.source(watermark_columns=("at",), batch_rows=1000) as source:
        opened = source.open(None)
        [(pid,)] = source.database.read(sa.text("SELECT pg_backend_pid()"))
        state = "SELECT state, backend_xmin::text FROM pg_stat_activity WHERE pid = %s"
        for _ in opened.batches:  # the next page, which was begun meanwhile, is one as well
            wait_until(lambda: legacy.execute(state, int(pid)) == [("idle", None)], "the end of the transaction")
            break
