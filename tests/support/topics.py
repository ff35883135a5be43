"""Topics of the real broker as a test sees them: made with a partition count, read with a plain consumer."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import NewTopic

from tests.services.base import wait_until
from tests.services.kafka import Kafka
from tests.support.topic_ends import committed_ends

_numbers = itertools.count()


@dataclass(frozen=True)
class Message:
    """What lies on a topic."""

    key: str | None
    value: str | None
    headers: tuple[tuple[str, str], ...]
    partition: int
    offset: int

    @property
    def event(self) -> Any:
        """The value, parsed by the standard library."""
        return json.loads(self.value or "null")


@dataclass(frozen=True)
class Topics:
    """The topics of one broker."""

    kafka: Kafka

    def name(self) -> str:
        """A name that no other test uses."""
        return f"t{next(_numbers)}-{uuid.uuid4().hex[:12]}"

    def make(self, name: str | None = None, partitions: int = 1, **config: str) -> str:
        """Make a topic; underscores in `config` stand for dots."""
        topic = name or self.name()
        settings = {key.replace("_", "."): value for key, value in config.items()}
        self.kafka.admin.create_topics([NewTopic(topic, partitions, 1, config=settings)])[topic].result(30)
        wait_until(lambda: topic in self.kafka.admin.list_topics(timeout=10).topics, f"topic {topic} being known")
        return topic

    def delete(self, topic: str) -> None:
        """Delete a topic, until the broker knows none of that name."""
        self.kafka.admin.delete_topics([topic])[topic].result(30)
        wait_until(lambda: topic not in self.kafka.admin.list_topics(timeout=10).topics, f"topic {topic} being gone")

    def remake(self, topic: str) -> None:
        """Delete a topic and make another one under its name."""
        self.delete(topic)
        self.make(topic)

    def read(self, topic: str) -> list[Message]:
        """Every committed message from the beginning to the end that the topic has now, partition by partition."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "group.id": uuid.uuid4().hex,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 10,
                "enable.partition.eof": False,
            }
        )
        try:
            numbers = sorted(consumer.list_topics(timeout=10).topics[topic].partitions)
            ends = committed_ends(self.kafka.bootstrap, [TopicPartition(topic, number) for number in numbers])
            return [found for number in numbers for found in _partition(consumer, topic, number, ends[topic, number])]
        finally:
            consumer.close()


def _partition(consumer: Consumer, topic: str, number: int, end: int) -> Iterator[Message]:
    first, _ = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
    if first >= end:
        return
    consumer.assign([TopicPartition(topic, number, 0)])
    at = first
    while at < end:
        # Fewer than asked for are waited for until the time is over, so it asks for no more than there can be.
        for found in consumer.consume(min(end - at, 5_000), timeout=0.2):
            if found.error():
                raise RuntimeError(found.error())
            if found.offset() < end:
                yield message_of(found)
        at = max(at, consumer.position([TopicPartition(topic, number)])[0].offset)


def message_of(found: Any) -> Message:
    """What a consumer of the client library has found."""
    key, value = found.key(), found.value()
    return Message(
        None if key is None else key.decode(),
        None if value is None else value.decode(),
        tuple((name, content.decode()) for name, content in found.headers() or ()),
        found.partition(),
        found.offset(),
    )
