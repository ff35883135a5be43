"""Each broker as its contract sees it: made with limits, and read to the last byte."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import Consumer, TopicPartition

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.model import Messages
from airflow_legacy_events.core.stop import Stop
from tests.support.topic_ends import committed_ends


class Found(NamedTuple):
    """A message on a topic, in bytes; its timestamp is in milliseconds."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, str], ...]
    timestamp: int | None = None


@dataclass
class World:
    """A broker under test, with two topics: one takes 30 000 bytes, the other Kafka's default. One is missing.

    A third is compacted. `read` takes the number of a partition, else it is the first one. `make` makes one more topic,
    with so many partitions, that the broker has not met.
    """

    broker: Any
    topic: str
    roomy: str
    missing: str
    read: Callable[..., list[Found]]
    remake: Callable[[str], None]
    compacted: str
    make: Callable[[int], str]

    def send(self, *messages: tuple[str | None, str | bytes | None]) -> Sequence[Any]:
        """Publish to the topic and confirm."""
        self.broker.publish(batch(self.topic, *messages))
        return self.broker.confirm()

    def values(self) -> list[bytes | None]:
        """What lies on the topic."""
        return [found.value for found in self.read(self.topic)]


def batch(topic: str, *messages: tuple[str | None, str | bytes | None]) -> Messages:
    return Messages(topic, [key for key, _ in messages], [value for _, value in messages])


def opened(kafka: Any, *topics: str, seconds: float = 30.0, stop: Stop | None = None, log: Any = None, **config: Any):
    """A broker of the package on these topics; settings as librdkafka spells them."""
    broker = KafkaBroker(
        {"bootstrap.servers": kafka.bootstrap, **config},
        stop=stop,
        delivery_timeout=dt.timedelta(seconds=seconds),
        topics=topics,
        log=log,
    )
    broker.open()
    return broker


def memory_world() -> World:
    existing, partitions = ["small", "roomy", "compact"], dict[str, int]()
    broker = MemoryBroker({"small": 30_000}, topics=existing, compacted=("compact",), partitions=partitions)
    broker.open()

    def read(topic: str, partition: int = 0) -> list[Found]:
        found = broker.topic(topic, partition)
        return [Found(_bytes(one.key), _bytes(one.value), one.headers, one.timestamp) for one in found]

    def make(count: int) -> str:
        existing.append(f"made{count}")
        partitions[existing[-1]] = count
        return existing[-1]

    return World(broker, "small", "roomy", "missing", read, broker.remake, "compact", make)


def kafka_world(kafka: Any, topics: Any) -> World:
    small, roomy = topics.make(max_message_bytes="30000"), topics.make()
    compacted, read = topics.make(cleanup_policy="compact"), partial(raw, kafka)
    broker = opened(kafka, small, roomy, compacted)
    return World(
        *(broker, small, roomy, topics.name(), read, topics.remake, compacted),
        lambda count: topics.make(partitions=count),
    )


def raw(kafka: Any, topic: str, partition: int = 0) -> list[Found]:
    """Every message of a partition, up to the end that it has now."""
    settings = {"bootstrap.servers": kafka.bootstrap, "group.id": uuid.uuid4().hex, "fetch.wait.max.ms": 10}
    consumer = Consumer({**settings, "enable.auto.commit": False, "enable.partition.eof": True})
    found = []
    try:
        consumer.assign([TopicPartition(topic, partition, 0)])
        end = committed_ends(kafka.bootstrap, [TopicPartition(topic, partition)])[topic, partition]
        while len(found) < end:
            message = consumer.poll(10)
            if message is None or message.error():
                break
            headers = tuple((name, value.decode()) for name, value in message.headers() or ())
            found.append(Found(message.key(), message.value(), headers, message.timestamp()[1]))
        return found
    finally:
        consumer.close()


def _bytes(part: str | bytes | None) -> bytes | None:
    return part.encode() if isinstance(part, str) else part
