"""From the commit of a row to its message on the topic, with a run of the operator every second."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Sequence

import psycopg
from confluent_kafka import Consumer, TopicPartition

from tests.benchmarks.changelog.drains import Stream
from tests.benchmarks.changelog.world import LogWorld

_RUNS, _EVERY_SECONDS, _BETWEEN_SECONDS = 30, 1.0, 0.37
_INSERT = b"""
INSERT INTO orders (customer_id, status, amount, currency, created_at, updated_at)
VALUES (17, 'PAID', 12.50, 'EUR', now(), now())
"""


def measure(world: LogWorld) -> Sequence[float]:
    """Return seconds from a commit to the message; rows from before the first message came don't count."""
    table = world.logged().empty()
    stream, commits, arrivals, over = Stream(world, table), [], [], threading.Event()

    def write() -> None:
        with psycopg.connect(table.dsn, autocommit=True) as connection:
            while not over.wait(_BETWEEN_SECONDS):
                connection.execute(_INSERT)
                commits.append(time.monotonic())

    def read() -> None:
        settings = {"bootstrap.servers": world.kafka.bootstrap, "group.id": "delay", "fetch.wait.max.ms": 10}
        consumer = Consumer(settings)
        consumer.assign([TopicPartition(stream.topic, 0, 0)])
        while not over.is_set():
            message = consumer.poll(0.05)
            if message is not None and not message.error():
                arrivals.append(time.monotonic())
        consumer.close()

    threads = [threading.Thread(target=target, daemon=True) for target in (write, read)]
    for thread in threads:
        thread.start()
    try:
        stream.run(world, table, runs_in_process=_RUNS, every_seconds=_EVERY_SECONDS)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    pairs = list(zip(commits, arrivals, strict=False))
    return [arrived - committed for committed, arrived in pairs if committed > arrivals[0]]


def table(found: Sequence[float]) -> str:
    """Median with the least and the greatest."""
    lines = ["| from commit to topic | median | least..greatest | of |", "|---|---|---|---|"]
    middle = statistics.median(found)
    lines.append(f"| a run every second | {middle:.2f} s | {min(found):.2f} s..{max(found):.2f} s | {len(found)} |")
    return "\n".join(lines)
