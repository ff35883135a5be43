"""Debezium's connector over the same log, in a warm worker, tuned."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from tests.benchmarks.case import Case, Result, counted
from tests.benchmarks.changelog.drains import prepare
from tests.benchmarks.changelog.logged import DEBEZIUM
from tests.benchmarks.changelog.tables import PUBLICATION
from tests.benchmarks.changelog.world import LOGGED, LogWorld
from tests.benchmarks.legacy.base import Table

TUNED = {
    "max.batch.size": 20_480,
    "max.queue.size": 81_920,
    "producer.override.linger.ms": 50,
    "producer.override.batch.size": 1_048_576,
    "producer.override.compression.type": "lz4",
}
_PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 0.05


def settings(table: Table, slot: str, prefix: str) -> dict[str, Any]:
    """Return those of the connector: from the slot alone, without a snapshot."""
    connection = table.connection
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": 1,
        "plugin.name": "pgoutput",
        "snapshot.mode": "no_data",
        "database.hostname": connection["host"],
        "database.port": connection["port"],
        "database.user": connection["login"],
        "database.password": connection["password"] or "unused",
        "database.dbname": connection["schema"],
        "table.include.list": f"public.{table.name}",
        "topic.prefix": prefix,
        "slot.name": slot,
        "publication.name": PUBLICATION,
        "publication.autocreate.mode": "disabled",
        **TUNED,
    }


def stream(world: LogWorld, rows: int) -> Result:
    """The same rows from a slot made before them; the clock begins when the slot streams, the worker's start aside."""
    logged = world.logged()
    return streamed(world, rows, LOGGED, lambda prefix: settings(logged.written, logged.slot, prefix), logged.slot)


def streamed(
    world: LogWorld, rows: int, on: str, named: Callable[[str], dict[str, Any]], slot: str | None = None, **begin: Any
) -> Result:
    """Let a connector stream the rows; the clock begins when the server sends its log.

    Args:
        world: where.
        rows: that wait in the log.
        on: which server.
        named: returns the settings of the connector for a prefix of topics.
        slot: that it reads, where there are slots.
        begin: further arguments of `Connect.begin`.
    """
    logged, prefix = world.logged(on), world.topics.name()
    table = logged.written
    topic = world.topics.make(f"{prefix}.{logged.schema(table)}.{table.name}")
    name, worker = f"debezium-{uuid.uuid4().hex[:8]}", world.worker
    with logged.watch(table, slot, world.worker_cpu) as sender:
        worker.begin(name, named(prefix), **begin)
        try:
            _arrived(world, name, topic, rows)
            ended, cpu = time.monotonic(), world.worker_cpu()
        finally:
            worker.end(name)
    if sender.began is None:
        raise RuntimeError("the server was never seen sending its log")
    counted(world, topic, rows)
    return Result(rows, ended - sender.began, cpu - sender.metered, extra={"sender": sender.cpu})


def _arrived(world: LogWorld, name: str, topic: str, rows: int) -> None:
    consumer = Consumer({"bootstrap.servers": world.kafka.bootstrap, "group.id": "benchmark"})
    deadline = time.monotonic() + _PATIENCE_SECONDS
    looked = time.monotonic()
    try:
        while consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1] < rows:
            if time.monotonic() - looked > 2:
                looked = time.monotonic()
                if (failure := world.worker.failure(name)) is not None:
                    raise RuntimeError(f"the connector failed: {failure}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"not all rows came within {_PATIENCE_SECONDS:.0f} s:\n{world.worker.tail()}")
            time.sleep(_POLL_SECONDS)
    finally:
        consumer.close()


NAME = "debezium"
CASE = Case(NAME, "Debezium 3.6, streaming, tuned", stream, LOGGED, partial(prepare, reader=DEBEZIUM))
