"""Each reader as its contract sees it: a topic that is written to, and read to an end."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import NewPartitions

from airflow_legacy_events.brokers.kafka.reading import KafkaReader
from airflow_legacy_events.brokers.memory import Kept, MemoryBroker, MemoryReader
from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.ports import Partition, Reading, ReadPosition
from tests.services.base import wait_until

Sent = tuple[str | None, str | None]


@dataclass
class World:
    """A reader under test.

    Attributes:
        reader: of the broker.
        make: makes a topic of so many partitions, with settings as Kafka names them but with underscores.
        send: adds messages of keys and values to a partition of a topic, of one time if that is given.
        transaction: a context with a function like `send`; what it sends is committed or aborted at its end.
        trim: deletes the records of a topic's partition below an offset.
        remake: deletes a topic and makes it again.
        delete: deletes a topic.
        large: adds messages without a key whose values have so many bytes.
        grow: adds partitions to a topic, up to so many.
    """

    reader: Any
    make: Callable[..., str]
    send: Callable[..., None]
    transaction: Callable[..., Any]
    trim: Callable[[str, int, int], None]
    remake: Callable[[str], None]
    delete: Callable[[str], None]
    large: Callable[..., None]
    grow: Callable[[str, int], None]

    def ends(self, *topics: str) -> dict[Partition, int]:
        """Where each partition of the topics ends now."""
        found = self.reader.find(topics)
        return {Partition(name, number): one.end for name in found for number, one in found[name].partitions.items()}

    def reading(self, *topics: str, at: Mapping[Partition, ReadPosition] | None = None) -> Reading:
        """A reading of topics to their present ends, from their beginnings where nothing else is given."""
        ends = self.ends(*topics)
        return self.reader.read({one: (at or {}).get(one, ReadPosition(0)) for one in ends}, ends)


def memory_world() -> World:
    existing, partitions = list[str](), dict[str, int]()
    compacted = set[str]()
    broker = MemoryBroker(topics=existing, partitions=partitions, compacted=compacted)

    def make(count: int = 1, **settings: str) -> str:
        existing.append(f"t{len(existing)}-{uuid.uuid4().hex[:6]}")
        partitions[existing[-1]] = count
        if "compact" in settings.get("cleanup_policy", ""):
            compacted.add(existing[-1])
        return existing[-1]

    def send(topic: str, *messages: Sent, partition: int = 0, timestamp: int | None = None, **headers: str) -> None:
        written = int(time.time() * 1_000) if timestamp is None else timestamp
        kept = (Kept(key, value, tuple(headers.items()), written) for key, value in messages)
        broker.log(topic, partition).append(*kept)

    @contextmanager
    def transaction(topic: str, partition: int = 0, *, commit: bool = True) -> Iterator[Callable[..., None]]:
        broker.log(topic, partition).begin()
        yield lambda *messages: send(topic, *messages, partition=partition)
        broker.log(topic, partition).decide(commit=commit)

    def trim(topic: str, partition: int, start: int) -> None:
        broker.log(topic, partition).trim(start)

    def large(topic: str, *sizes: int) -> None:
        send(topic, *((None, "x" * size) for size in sizes))

    reader = MemoryReader(broker)
    return World(reader, make, send, transaction, trim, broker.remake, existing.remove, large, partitions.__setitem__)


def kafka_world(kafka: Any, topics: Any, **config: Any) -> World:
    """On the real broker; `config` are settings of the connection."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 0, "log_level": 0})

    def make(count: int = 1, **settings: str) -> str:
        return str(topics.make(partitions=count, **settings))

    def send(topic: str, *messages: Sent, partition: int = 0, timestamp: int | None = None, **headers: str) -> None:
        _produce(producer, topic, messages, partition, timestamp, headers)
        producer.flush(30)

    @contextmanager
    def transaction(topic: str, partition: int = 0, *, commit: bool = True) -> Iterator[Callable[..., None]]:
        own = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": uuid.uuid4().hex, "log_level": 0})
        own.init_transactions(30)
        own.begin_transaction()

        def send_within(*messages: Sent) -> None:
            _produce(own, topic, messages, partition, None, {})
            own.flush(30)

        yield send_within
        (own.commit_transaction if commit else own.abort_transaction)(30)

    def trim(topic: str, partition: int, start: int) -> None:
        part = TopicPartition(topic, partition, start)
        kafka.admin.delete_records([part])[part].result(30)

    def large(topic: str, *sizes: int) -> None:
        own = Producer({"bootstrap.servers": kafka.bootstrap, "message.max.bytes": 2 * max(sizes)})
        for size in sizes:
            own.produce(topic, b"x" * size)
        own.flush(30)

    reader = KafkaReader({"bootstrap.servers": kafka.bootstrap, **config}, logging.getLogger(__name__))
    return World(
        reader,
        make,
        send,
        transaction,
        trim,
        topics.remake,
        topics.delete,
        large,
        partial(_grow, kafka, producer, reader),
    )


def _grow(kafka: Any, producer: Any, reader: Any, topic: str, count: int) -> None:
    kafka.admin.create_partitions([NewPartitions(topic, count)])[topic].result(30)
    wait_until(lambda: len(reader.find([topic], settled=False)[topic].partitions) == count, f"growth of {topic}")
    for client in (producer, kafka.admin):
        wait_until(lambda client=client: _led(client, topic) == count, f"leaders of {topic}")


def _led(client: Any, topic: str) -> int:
    """How many partitions of a topic have a leader, as a client knows them from now on."""
    return sum(one.leader >= 0 for one in client.list_topics(topic, timeout=10).topics[topic].partitions.values())


def _produce(
    producer: Producer,
    topic: str,
    messages: Sequence[Sent],
    partition: int,
    timestamp: int | None,
    headers: Mapping[str, str],
) -> None:
    for key, value in messages:
        producer.produce(
            topic, value, key, partition, timestamp=timestamp or 0, headers=list(headers.items()) if headers else None
        )


def read(
    reading: Reading, most: int = 1_000, most_bytes: int = 2**24
) -> tuple[Received, dict[Partition, ReadPosition]]:
    """Everything that a reading still has, together, and where its partitions stand then."""
    together, after = Received([], [], [], [], [], [], []), dict[Partition, ReadPosition]()
    while (taken := reading.take(most, most_bytes)) is not None:
        assert len(taken.received) <= most
        for name in Received.__slots__:
            getattr(together, name).extend(getattr(taken.received, name))
        after |= taken.after
    return together, after
