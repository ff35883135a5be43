"""What waiting costs the source: CPU and wall time of a quiet look, and of 200 who look once a minute.

`python -m tests.benchmarks.looks` prints it; PostgreSQL must run on this machine.
"""

from __future__ import annotations

import time

import psutil
import psycopg
import sqlalchemy as sa

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.databases.postgres import PostgresDatabase
from airflow_legacy_events.sources.query import QuerySource
from tests.services.postgres import Postgres

ROWS = 1_000_000
LOOKS = 5_000
WAITING, INTERVAL_SECONDS = 200, 60


def measure(server: Postgres, looks: int = LOOKS, rows: int = ROWS) -> tuple[float, float]:
    """Return milliseconds of the server's CPU, and of wall time, for one quiet look at a table of `rows`."""
    server.execute("CREATE DATABASE looks")
    try:
        with psycopg.connect(server.dsn("looks"), autocommit=True) as application:
            application.execute(
                "CREATE TABLE orders (id bigint PRIMARY KEY, updated_at timestamptz NOT NULL, body text)"
            )
            application.execute(
                "INSERT INTO orders SELECT n, timestamptz '2026-01-01' + make_interval(secs => n), 'body'"
                f" FROM generate_series(1, {rows}) n"
            )
            application.execute("CREATE INDEX ON orders (updated_at, id)")
            application.execute("VACUUM ANALYZE orders")
        return _quiet_looks(server, looks)
    finally:
        server.execute("DROP DATABASE looks WITH (FORCE)")


def _quiet_looks(server: Postgres, looks: int) -> tuple[float, float]:
    database = PostgresDatabase(sa.make_url(server.url("looks")), conn_id="looks", statement_timeout_seconds=30)
    source = QuerySource(
        database=database, stream="s", source="looks", table="orders", watermark_columns=("updated_at",)
    )
    try:
        target = source.pending(None).target
        at = Watermark(target, None, {})
        (pid,) = next(iter(server.execute("SELECT pid FROM pg_stat_activity WHERE datname = 'looks'")))
        backend = psutil.Process(pid)
        before, start = backend.cpu_times(), time.perf_counter()
        for _ in range(looks):
            if source.pending(at).target is not None:
                raise RuntimeError("a look that should be quiet found rows")
        wall, after = time.perf_counter() - start, backend.cpu_times()
    finally:
        database.close()
    cpu = after.user + after.system - before.user - before.system
    return cpu / looks * 1_000, wall / looks * 1_000


def main() -> None:
    """Measure and print."""
    server = Postgres()
    try:
        cpu, wall = measure(server)
    finally:
        server.stop()
    share = WAITING * cpu / 1_000 / INTERVAL_SECONDS
    print(f"a quiet look: {cpu:.3f} ms of the source's CPU, {wall:.2f} ms from question to answer")
    print(f"{WAITING} who look every {INTERVAL_SECONDS} s: {share:.2%} of one core of the source")


if __name__ == "__main__":
    main()
