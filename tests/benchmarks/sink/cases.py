"""COPY of the rows, Debezium's JDBC sink, and ours: all into an empty table with a primary key."""

from __future__ import annotations

import time
import uuid
from functools import partial
from typing import Any

import psycopg

from tests.benchmarks import processes
from tests.benchmarks.budgets import Budget
from tests.benchmarks.case import Case, Result
from tests.benchmarks.sink.world import MARIADB, POSTGRES, SinkWorld

COPY, JDBC, OURS, OURS_MARIADB = "copy", "jdbc-sink", "sink", "sink-mariadb"
FEW, MANY = "sink-few", "sink-many"
JDBC_ROWS = 100_000
_PATIENCE_SECONDS = 600.0
_POLL_SECONDS = 0.2
_CHUNK = 1 << 20
TUNED = {
    "batch.size": 5_000,
    "consumer.override.max.poll.records": 5_000,
    "consumer.override.fetch.min.bytes": 1_000_000,
    "use.reduction.buffer": "true",
    "dialect.postgres.unnest.insert.enabled": "true",
}


def copy(world: SinkWorld, rows: int) -> Result:
    """COPY of the same rows from a file, in one transaction."""
    table, file = world.empty(POSTGRES), world.copied(rows)
    began, cpu = time.monotonic(), time.process_time()
    with (
        psycopg.connect(table.dsn) as session,
        session.cursor() as cursor,
        file.open("rb") as lines,
        cursor.copy("COPY orders FROM STDIN") as into,
    ):
        while chunk := lines.read(_CHUNK):
            into.write(chunk)
    took, used = time.monotonic() - began, time.process_time() - cpu
    world.demand(table, rows)
    return Result(rows, took, used)


def ours(world: SinkWorld, rows: int, on: str) -> Result:
    """A first run of `TopicToTableOperator`; its clock is the report's, which begins before it connects."""
    table, topic = world.empty(on), world.events(rows)
    arguments = {"topics": topic, "table": "orders", "stream": f"sink-{uuid.uuid4().hex}"}
    [found] = world.in_airflow(table.connection, {"kind": "sink", "arguments": arguments})
    report = found["report"]
    if (report["events"], report["target_reached"]) != (rows, True):
        raise RuntimeError(f"{rows} rows were to be applied, the report says {report}")
    world.demand(table, rows)
    return Result(rows, report["seconds"], found["cpu"], found["rss_mb"])


def jdbc(world: SinkWorld, rows: int) -> Result:
    """Debezium's JDBC sink, tuned, in a warm worker; the clock runs between the first rows and the last."""
    wanted = min(rows, JDBC_ROWS)
    table, topic, worker = world.empty(POSTGRES), world.schemad(wanted), world.worker
    name = f"sink-{uuid.uuid4().hex[:8]}"
    worker.begin(name, _settings(table.connection, topic))
    try:
        first, began, cpu = _reached(world, table, 1, name)
        found, ended, used = _reached(world, table, wanted, name)
    finally:
        worker.end(name)
    return Result(found - first, ended - began, used - cpu)


def _reached(world: SinkWorld, table: Any, rows: int, name: str) -> tuple[int, float, float]:
    """Wait for rows; return how many there are, the time, and the worker's CPU seconds."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := world.held(table)) < rows:
        if (failure := world.worker.failure(name)) is not None:
            raise RuntimeError(f"the connector failed: {failure}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {found} of {rows} rows came:\n{world.worker.tail()}")
        time.sleep(_POLL_SECONDS)
    assert world.worker.process is not None
    return found, time.monotonic(), processes.cpu_of_tree(world.worker.process.pid) or 0.0


def _settings(connection: dict[str, Any], topic: str) -> dict[str, Any]:
    """Return those of the connector."""
    return {
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "tasks.max": 1,
        "topics": topic,
        "connection.url": f"jdbc:postgresql://{connection['host']}:{connection['port']}/{connection['schema']}",
        "connection.username": connection["login"],
        "connection.password": connection["password"] or "unused",
        "insert.mode": "upsert",
        "primary.key.mode": "record_key",
        "schema.evolution": "none",
        "collection.name.format": "public.orders",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "true",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "true",
        "consumer.override.auto.offset.reset": "earliest",
        **TUNED,
    }


def _filled(world: Any, rows: int) -> None:
    world.events(rows)


def _sized(size: int) -> Any:
    return lambda world, _rows: ours(world, size, POSTGRES)


CASES = [
    Case(COPY, "`COPY` of the same rows into the same table", copy, POSTGRES, lambda world, rows: world.copied(rows)),
    Case(
        JDBC,
        "Debezium's JDBC sink, tuned",
        jdbc,
        POSTGRES,
        lambda world, rows: world.schemad(min(rows, JDBC_ROWS)),
    ),
    Case(OURS, "**`TopicToTableOperator`**, PostgreSQL", partial(ours, on=POSTGRES), POSTGRES, _filled),
    Case(OURS_MARIADB, "**`TopicToTableOperator`**, MariaDB", partial(ours, on=MARIADB), MARIADB, _filled),
]
MEMORY_CASES = [
    Case(name, f"**`TopicToTableOperator`**, {size:,} messages", _sized(size), POSTGRES, _sized_filling)
    for name, size, _sized_filling in (
        (FEW, 200_000, lambda world, _rows: world.events(200_000)),
        (MANY, 1_000_000, lambda world, _rows: world.events(1_000_000)),
    )
]


def _memory(name: str, title: str) -> Budget:
    return Budget(title, (name,), lambda one: one[name].rss_mb or 0.0, 120, 90, "{:.0f} MB", low=True)


BUDGETS = [
    Budget("rows a second, of COPY's", (OURS, COPY), lambda one: one[OURS].rate / one[COPY].rate, 0.35, 0.60),
    Budget(
        "rows a second, times the tuned JDBC sink's",
        (OURS, JDBC),
        lambda one: one[OURS].rate / one[JDBC].rate,
        4,
        8,
        "{:.1f}x",
    ),
    _memory(FEW, "memory beyond Airflow, 200 k messages"),
    _memory(MANY, "memory beyond Airflow, 1 M messages"),
    Budget(
        "memory, 1 M messages against 200 k",
        (MANY, FEW),
        lambda one: (one[MANY].rss_mb or 0.0) / (one[FEW].rss_mb or 1.0),
        1.1,
        1.0,
        low=True,
    ),
]
