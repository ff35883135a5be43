"""From the commit of a row to its message on the topic, in an Airflow with all its processes."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import Consumer, TopicPartition

from airflow_legacy_events.cli.outbox.ddl import debezium
from tests.benchmarks.legacy.base import CONN_ID
from tests.benchmarks.world import World
from tests.services.airflow import Airflow

SAMPLES = 12
TOPICS = "LEGACY_EVENTS_BENCHMARK_TOPICS"
"""Names the variable that holds what the names of the topics begin with."""
_CHANNEL = "legacy_events_bench"
WAYS: Mapping[str, Mapping[str, Any]] = {"looks": {"poll_interval": 1}, "told": {"channel": _CHANNEL}}
"""Arguments of the triggers; what is not named has its default."""

_METADATA = "legacy_events_bench_airflow"
_INSERT = """
WITH written AS (INSERT INTO {} (aggregatetype, aggregateid, type, payload) VALUES ('order', '17', 'OrderPaid', '{{}}'))
SELECT pg_notify(%s, '')
"""
_PATIENCE_SECONDS = 120.0


def measure(world: World) -> dict[str, list[float]]:
    """Return seconds from an INSERT to its message, by the way in which the trigger learns of it."""
    server = world.outboxes("postgres18")
    server.prepare("empty", 0)
    table, prefix = server.ready, world.topics.name()
    with psycopg.connect(table.dsn, autocommit=True) as application:
        for way in WAYS:
            application.execute(debezium("postgresql", way, mark=False).encode())
        with _airflow(world, table.connection, prefix) as airflow:
            airflow.client.unpause(*WAYS)
            found: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(1 + SAMPLES):
                for way, seconds in found.items():
                    seconds.append(_once(application, airflow, world, way, f"{prefix}.{way}"))
    return {way: seconds[1:] for way, seconds in found.items()}  # the first one also waits for the trigger to begin


def table(found: Mapping[str, Sequence[float]]) -> str:
    """Medians with the least and the greatest."""
    titles = {"looks": "a trigger that looks every second", "told": "`channel=`, and a look every minute"}
    lines = ["| from commit to topic | median | least..greatest | of |", "|---|---|---|---|"]
    lines += [
        f"| {titles[way]} | {statistics.median(one):.2f} s | {min(one):.2f} s..{max(one):.2f} s | {len(one)} |"
        for way, one in found.items()
    ]
    return "\n".join(lines)


@contextmanager
def _airflow(world: World, connection: Mapping[str, Any], prefix: str) -> Iterator[Airflow]:
    kafka = {"conn_type": "kafka", "extra": {"bootstrap.servers": world.kafka.bootstrap}}
    environment = {
        f"AIRFLOW_CONN_{CONN_ID.upper()}": json.dumps(connection),
        "AIRFLOW_CONN_KAFKA_DEFAULT": json.dumps(kafka),
        TOPICS: prefix,
    }
    with world.outboxes("postgres18").database(_METADATA) as url:
        airflow = Airflow(url, Path(__file__).parent / "dags", environment)
        try:
            yield airflow
        finally:
            airflow.stop()


def _once(application: psycopg.Connection[Any], airflow: Airflow, world: World, way: str, topic: str) -> float:
    """Insert a row, wait for its message and the end of the run; return seconds from the one to the other."""
    before = world.count(topic) if topic in world.kafka.admin.list_topics(timeout=10).topics else 0
    began = time.monotonic()
    application.execute(_INSERT.format(way).encode(), (_CHANNEL if way == "told" else f"{_CHANNEL}_not",))
    _arrived(world, topic, before)
    seconds = time.monotonic() - began
    airflow.client.wait(lambda: all(run["state"] == "success" for run in airflow.client.runs(way)), "the run ending")
    return seconds


def _arrived(world: World, topic: str, offset: int) -> None:
    """Wait for the message at an offset of a topic that may not be there yet."""
    consumer = Consumer({"bootstrap.servers": world.kafka.bootstrap, "group.id": "latency", "fetch.wait.max.ms": 10})
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while topic not in consumer.list_topics(timeout=10).topics:
            if time.monotonic() > deadline:
                raise TimeoutError(f"topic {topic!r} was not made within {_PATIENCE_SECONDS:.0f} s")
            time.sleep(0.05)
        consumer.assign([TopicPartition(topic, 0, offset)])
        while (message := consumer.poll(0.05)) is None or message.error():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no message at offset {offset} of {topic!r} within {_PATIENCE_SECONDS:.0f} s")
    finally:
        consumer.close()
