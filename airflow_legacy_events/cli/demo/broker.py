"""Embedded broker: librdkafka's mock cluster in a process of its own. Only for the demo."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

TOPIC = "shop.orders"


def serve() -> None:
    """Run the cluster until standard input ends; its address is the only line of output."""
    cluster = Producer({"bootstrap.servers": "127.0.0.1", "test.mock.num.brokers": 1, "log_level": 2})
    cluster.list_topics(TOPIC, timeout=10)  # the mock cluster creates a topic that is requested by name
    metadata = cluster.list_topics(timeout=10)
    print(next(str(broker) for broker in metadata.brokers.values()).split("/")[0], flush=True)  # noqa: T201
    sys.stdin.read()


@contextmanager
def running() -> Iterator[str]:
    """Start the broker's process and yield its address; the process ends with the context, or with this process."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process.stdout.readline().strip() if process.stdout else ""
    finally:
        process.communicate(timeout=10)


def read(bootstrap: str, offsets: dict[int, int]) -> Iterator[Any]:
    """Yield the topic's messages from `offsets` (by partition) to its end, and move `offsets` there."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "demo", "enable.auto.commit": False})
    try:
        for number in consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions:
            _, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=10)
            consumer.assign([TopicPartition(TOPIC, number, offsets.get(number, 0))])
            for _ in range(offsets.get(number, 0), end):
                yield consumer.poll(10)
            offsets[number] = end
    finally:
        consumer.close()


if __name__ == "__main__":
    serve()
