"""Limits of a server of MariaDB or MySQL on time, rows and writes: none of them ends what our sessions hold."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.support.engines import of
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r", "map_index": -1, "try": 1, "host": "h", "pid": 1}
LOW = {
    **dict.fromkeys(("wait_timeout", "net_read_timeout", "net_write_timeout", "lock_wait_timeout"), "1"),
    "sql_select_limit": "1",
    "max_join_size": "1",
    "sql_big_selects": "0",
    "sql_safe_updates": "1",
}
LOW_OF_MARIADB = {
    **dict.fromkeys(("idle_transaction_timeout", "idle_readonly_transaction_timeout"), "1"),
    "idle_write_transaction_timeout": "1",
    "max_statement_time": "0.5",
}


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        name = found.engine.name
        low = LOW | (LOW_OF_MARIADB if name.startswith("mariadb") else {})
        found.begin_with(**low, **({"max_execution_time": "500"} if name == "mysql-9.7" else {}))
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database(timeout=30)
    yield made
    made.close()


def asked(legacy):
    names = [*LOW, *(LOW_OF_MARIADB if legacy.engine.name.startswith("mariadb") else ())]
    names += ["max_execution_time"] if legacy.engine.name == "mysql-9.7" else []
    names.remove("max_join_size")
    return names, sa.text("SELECT " + ", ".join(f"@@SESSION.{name}" for name in names))


SHARED = {
    "net_read_timeout": "600",
    "net_write_timeout": "600",
    "wait_timeout": "86400",
    "sql_select_limit": str(2**64 - 1),
    "sql_big_selects": "1",
    "sql_safe_updates": "0",
}


def test_a_session_that_reads_ends_by_its_own_statement_timeout_alone(legacy, database):
    names, question = asked(legacy)
    found = dict(zip(names, database.read(question)[0], strict=True))
    for name in ("idle_transaction_timeout", "idle_readonly_transaction_timeout", "idle_write_transaction_timeout"):
        assert found.pop(name, "0") == "0"
    assert float(found.pop("max_statement_time", "30")) == 30
    assert found.pop("max_execution_time", "30000") == "30000"
    assert found == SHARED | {"lock_wait_timeout": "30"}


def test_a_session_that_writes_rests_between_acknowledgements_and_leaves_no_transaction_open(legacy, database):
    names, question = asked(legacy)
    with database.lock("s", HOLDER) as lease:
        [answer] = lease.execute([question])
    found = dict(zip(names, answer.rows[0], strict=True))
    for name in ("idle_transaction_timeout", "idle_readonly_transaction_timeout", "idle_write_transaction_timeout"):
        assert found.pop(name, "60") == "60"
    assert float(found.pop("max_statement_time", "0")) == 0
    assert found.pop("max_execution_time", "0") == "0"
    assert found == SHARED | {"lock_wait_timeout": "10"}


def test_a_full_load_outlives_the_limits_of_the_server(legacy):
    """Of many rows of a join that the server would not begin, cut at one row and end after half a second."""
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, body varchar(9))")
    for number in range(30):
        legacy.execute("INSERT INTO t VALUES (%s, 'x')", number)
    query = "SELECT a.id, a.body FROM t a JOIN t b ON b.body = a.body WHERE b.id = 1 AND SLEEP(0.02) = 0"
    with legacy.source(sql=query, watermark_columns=(), key_columns=("id",), batch_rows=10) as source:
        assert sum(len(batch.rows) for batch in source.open(None).batches) == 30
