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
from tests.services.connect import ConnectStandalone

COPY, JDBC, JDBC_WARM, OURS, OURS_MARIADB = "copy", "jdbc-sink", "jdbc-warm", "sink", "sink-mariadb"
OURS_SHORT = "sink-short"
FEW, MANY = "sink-few", "sink-many"
SHORT_ROWS = 30_000
"""Of a run of the usual size, which a connector begins in a new worker."""
_PATIENCE_SECONDS = 600.0
_POLL_SECONDS = 0.05
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
    """Debezium's JDBC sink, tuned, in a new worker; its clock begins as ours does: when it is asked for."""
    worker = ConnectStandalone(world.kafka.bootstrap, shared=False, options=["-Xmx2g"])
    try:
        return _connected(world, worker, min(rows, SHORT_ROWS))
    finally:
        worker.stop()


def jdbc_warm(world: SinkWorld, rows: int) -> Result:
    """The same with all rows, in a worker that has run it before."""
    return _connected(world, world.worker, rows)


def _connected(world: SinkWorld, worker: ConnectStandalone, rows: int) -> Result:
    table, topic, last = world.empty(POSTGRES), world.schemad(rows), world.last(rows)
    name = f"sink-{uuid.uuid4().hex[:8]}"
    assert worker.process is not None
    pid = worker.process.pid
    began, cpu = time.monotonic(), processes.cpu_of_tree(pid) or 0.0
    worker.begin(name, _settings(table.connection, topic))
    try:
        with psycopg.connect(table.dsn, autocommit=True) as session:
            _wait(session, last, worker, name)
        took, used = time.monotonic() - began, (processes.cpu_of_tree(pid) or 0.0) - cpu
    finally:
        worker.end(name)
    world.demand(table, rows)
    return Result(rows, took, used)


def _wait(session: psycopg.Connection[Any], last: int, worker: ConnectStandalone, name: str) -> None:
    """Wait for the row of a topic's last message; its only task writes them in their order."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while session.execute("SELECT 1 FROM orders WHERE id = %s", [last]).fetchone() is None:
        if (failure := worker.failure(name)) is not None:
            raise RuntimeError(f"the connector failed: {failure}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"the row {last} did not come:\n{worker.tail()}")
        time.sleep(_POLL_SECONDS)


def ours_short(world: SinkWorld, rows: int) -> Result:
    """A run of as many rows as the connector's in a new worker."""
    return ours(world, min(rows, SHORT_ROWS), POSTGRES)


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
        "Debezium's JDBC sink, tuned, in a new worker",
        jdbc,
        POSTGRES,
        lambda world, rows: world.schemad(min(rows, SHORT_ROWS)),
    ),
    Case(
        JDBC_WARM,
        "Debezium's JDBC sink, tuned, in a warm worker",
        jdbc_warm,
        POSTGRES,
        lambda world, rows: world.schemad(rows),
    ),
    Case(
        OURS_SHORT,
        "**`TopicToTableOperator`**, PostgreSQL, a short run",
        ours_short,
        POSTGRES,
        lambda world, rows: world.events(min(rows, SHORT_ROWS)),
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
        "rows a second, times the tuned JDBC sink's in a new worker",
        (OURS_SHORT, JDBC),
        lambda one: one[OURS_SHORT].rate / one[JDBC].rate,
        4,
        8,
        "{:.1f}x",
    ),
    Budget(
        "rows a second, times the tuned JDBC sink's in a warm worker",
        (OURS, JDBC_WARM),
        lambda one: one[OURS].rate / one[JDBC_WARM].rate,
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
