"""Few open rows of an outbox behind many published ones: a run reads those that are open, by the documented index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.cli.outbox.ddl import debezium
from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.legacy import Legacy, legacy_database
from tests.support.outbox import Drain
from tests.support.profile import LONG
from tests.support.proofs import keep_figures

PUBLISHED = 1_000_000 if LONG else 100_000
OPEN = 1_000
MOST_READ = 10_000
DATABASES = [name for name in of("postgresql", "mysql") if name != "mysql-5.6"]
NAMES = "aggregatetype, aggregateid, type, payload, published_at"


@pytest.fixture(params=DATABASES)
def legacy(request):
    """An outbox as the command prints it, most of whose rows are published."""
    with legacy_database(request, request.param) as found:
        for statement in debezium(found.dialect, "outbox", mark=True).split(";\n"):
            if statement.strip():
                found.execute(statement)
        many = f"INSERT INTO outbox ({NAMES}) VALUES " + ", ".join(
            ["('order', '1', 't', '{}', CURRENT_TIMESTAMP)"] * 500
        )
        rows = 500
        found.execute(many)
        while rows < PUBLISHED:
            more = min(rows, PUBLISHED - rows)
            found.execute(f"INSERT INTO outbox ({NAMES}) SELECT {NAMES} FROM outbox LIMIT {more}")
            rows += more
        for _ in range(OPEN // 500):
            found.execute(many.replace("CURRENT_TIMESTAMP", "NULL"))
        yield found


def reads_of(legacy: Legacy) -> Callable[[], int]:
    """Return what tells how many rows of the table, or entries of its indexes, were read so far."""
    if legacy.dialect == "postgresql":
        return lambda: _postgres_reads(legacy)
    if legacy.engine.name.startswith("mariadb"):
        legacy.execute("SET GLOBAL userstat = 1")
        statement = "SELECT rows_read FROM information_schema.table_statistics WHERE table_schema = DATABASE()"
    else:
        statement = (
            "SELECT count_read FROM performance_schema.table_io_waits_summary_by_table"
            " WHERE object_schema = DATABASE() AND object_name = 'outbox'"
        )
    return lambda: sum(int(count) for (count,) in legacy.execute(statement))


def _postgres_reads(legacy: Legacy) -> int:
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    wait_until(lambda: legacy.execute(others) == [(0,)], "other sessions telling what they read, and ending")
    legacy.execute("SELECT pg_stat_force_next_flush()")  # so does this one, else up to a second later
    [(rows,)] = legacy.execute(
        "SELECT (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'outbox')"
        " + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'outbox')"
    )
    return int(rows)


def test_a_run_reads_open_rows_and_passes_the_published_ones_by(legacy, request):
    broker: Any = MemoryBroker(topics=("outbox.event.order",))
    broker.open()
    reads = reads_of(legacy)
    before = reads()
    report = Drain(legacy.url, broker, arguments={"after_publish": "mark"}).run(batch_rows=100)
    read = reads() - before

    assert report.events == OPEN
    keep_figures(f"{request.node.name}: {read} rows read of {OPEN} open and {PUBLISHED} published ones")
    assert OPEN <= read < MOST_READ
    assert legacy.execute("SELECT count(*) FROM outbox WHERE published_at IS NULL") == [(0,)]
