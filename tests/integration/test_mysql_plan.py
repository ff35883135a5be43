"""What reading costs MariaDB and MySQL: an index serves every page at any depth, within ties too."""

from __future__ import annotations

import pytest
from MySQLdb.cursors import SSCursor

from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.handler_reads import handler_reads
from tests.support.legacy import legacy_database

pytestmark = pytest.mark.xdist_group("mysql-plan")  # its table is made once
ROWS, PAGE = 20_000, 500


@pytest.fixture(scope="module", params=of("mysql", also=("mysql-5.6", "mariadb-10.11")))
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute(
            "CREATE TABLE t (id bigint PRIMARY KEY, at datetime NOT NULL, code varchar(20) CHARACTER SET latin1"
            " COLLATE latin1_german1_ci NOT NULL, body varchar(100) NOT NULL)"
        )
        # Half of the rows share one moment and one code.
        rows = [
            f"({n}, '2026-01-01' + INTERVAL {step} SECOND, '\u00e4 {step:05}', REPEAT('x', 100))"
            for n, step in ((n, max(n, ROWS // 2)) for n in range(1, ROWS + 1))
        ]
        for begin in range(0, ROWS, 2_000):
            found.execute(f"INSERT INTO t VALUES {','.join(rows[begin : begin + 2_000])}")
        found.execute("CREATE INDEX t_at ON t (at, id)")
        found.execute("CREATE INDEX t_code ON t (code, id)")
        found.execute("ANALYZE TABLE t")
        yield found


@pytest.fixture
def statements(monkeypatch):
    """Every statement whose rows are fetched one by one, with its parameters."""
    seen = []
    plain = SSCursor.execute

    def spied(self, query, args=None):
        seen.append((query, args))
        return plain(self, query, args)

    monkeypatch.setattr(SSCursor, "execute", spied)
    return seen


def handled(legacy, statement, parameters) -> tuple[dict, int]:
    """How the optimizer reads the table, and how many rows the storage engine was asked for."""
    plan = legacy.connection.execute(f"EXPLAIN FORMAT=TRADITIONAL {statement}", parameters)
    names = [column[0] for column in plan.description]
    [row] = plan.fetchall()
    return dict(zip(names, row, strict=True)), handler_reads(legacy, statement, parameters)


@pytest.mark.parametrize(
    ("watermark", "index"), [(("at",), "t_at"), (("code",), "t_code"), (("id",), "PRIMARY"), ((), "PRIMARY")]
)
def test_every_page_is_a_range_of_an_index_and_reads_no_more_than_its_rows(legacy, statements, watermark, index):
    with legacy.source(watermark_columns=watermark, batch_rows=PAGE) as source:
        opened = source.open(None)
        statements.clear()
        pages = [statements[-1] for _ in opened.batches]
    for place in (1, ROWS // PAGE // 4, ROWS // PAGE // 2, ROWS // PAGE - 3):
        plan, read = handled(legacy, *pages[place])
        assert (plan["key"], plan["type"]) == (index, "range")
        assert "filesort" not in (plan["Extra"] or "")
        assert PAGE <= read <= PAGE + 10


def test_the_target_is_one_row_of_an_index(legacy, statements):
    with legacy.source(watermark_columns=("at",)) as source:
        assert source.open(None).horizon.target == ("2026-01-01 05:33:20", str(ROWS))
    plan, read = handled(legacy, *statements[-1])
    assert plan["key"] == "t_at"
    assert read < 5


def test_a_quiet_poll_is_a_handful_of_statements(legacy):
    with legacy.source(watermark_columns=("at",)) as source:
        horizon, reading = source.open(None)
        last = list(reading)[-1].after
    with legacy.source(watermark_columns=("at",)) as source:
        assert list(source.open(last._replace(facts={**horizon.facts, **last.facts})).batches) == []
        [(_, asked)] = source.database._session.rows("SHOW SESSION STATUS LIKE 'Questions'")
    assert int(asked) <= 20


def test_each_page_outside_a_full_load_leaves_no_transaction_open(legacy):
    with legacy.source(watermark_columns=("at",), batch_rows=PAGE) as source:
        next(source.open(None).batches)
        number = source.database._session.number
        running = "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = %s"

        def none_runs():
            legacy.execute("DO SLEEP(0.2)")  # the list is renewed only if nobody has read it for 0.1 s
            return legacy.execute(running, number) == [(0,)]

        wait_until(none_runs, "no transaction being open")
