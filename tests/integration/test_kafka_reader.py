"""Reading of a real broker's topics: transactions, epochs, large messages, groups, silence."""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from contextlib import ExitStack, closing
from itertools import chain

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from airflow_legacy_events.brokers.kafka import clients
from airflow_legacy_events.brokers.kafka.reading import KafkaReader, groups, moments, reading
from airflow_legacy_events.brokers.kafka.reading import topics as looked_up
from airflow_legacy_events.core.errors import DeliveryError, StoppedError, WatermarkError
from airflow_legacy_events.core.ports import Extent, Partition, ReadPosition
from tests.support.profile import LONG
from tests.support.reading import kafka_world, read

ROUNDS = 200 if LONG else 20
PARTITIONS = 5


@pytest.fixture
def world(kafka, topics):
    made = kafka_world(kafka, topics)
    yield made
    made.reader.close()


def test_a_transaction_that_is_open_holds_back_what_lies_behind_it(world, topic, monkeypatch):
    if not LONG:
        monkeypatch.setattr(looked_up, "STABLE_SECONDS", 0.3)
    world.send(topic, ("a", "1"))
    begun = time.time() * 1000
    with world.transaction(topic) as send:
        send(("a", "2"))
        world.send(topic, ("b", "3"))
        at, found = Partition(topic, 0), world.reader.find([topic])
        assert found[topic].partitions == {0: Extent(0, 1, 3)}
        assert world.reader.find([topic], settled=False)[topic].partitions == found[topic].partitions
        assert begun - 60_000 < world.reader.moments({at: 1})[at] < begun + 60_000
        with closing(world.reader.read({at: ReadPosition(0)}, {at: 1})) as first:
            received, after = read(first)
        assert received.values == [b"1"]
    with closing(world.reading(topic, at=after)) as second:
        received, after = read(second)

    assert received.values == [b"2", b"3"]
    assert after[at].offset == 4


def test_what_was_committed_just_now_is_below_the_ends(world, kafka):
    """The last stable offsets may lie behind a commit that has returned."""
    topic, parts = world.make(PARTITIONS), range(PARTITIONS)
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": uuid.uuid4().hex, "log_level": 2})
    producer.init_transactions(30)
    after, missed = {}, []
    for number in range(ROUNDS):
        producer.begin_transaction()
        for part in parts:
            producer.produce(topic, str(number).encode(), partition=part)
        producer.commit_transaction(30)
        with closing(world.reading(topic, at=after)) as one:
            received, more = read(one)
        after |= more
        missed += [number] * (received.values != [str(number).encode()] * PARTITIONS)

    assert missed == []


def test_a_transaction_that_ends_while_the_ends_are_looked_up_is_below_them(world, topic):
    with ExitStack() as transaction:
        transaction.enter_context(world.transaction(topic))(("a", "1"))
        assert world.reader.find([topic], settled=False)[topic].partitions == {0: Extent(0, 0, 1)}
        ends = threading.Timer(0.2, transaction.close)
        ends.start()
        found = world.reader.find([topic])
        ends.join()

    assert found[topic].partitions == {0: Extent(0, 2, 2)}


def test_settings_of_the_connection_do_not_change_what_is_read(kafka, topics, topic, caplog):
    config = {"isolation.level": "read_uncommitted", "auto.offset.reset": "latest", "enable.auto.commit": True}
    of_producers = {"transactional.id": "x", "acks": "1", "enable.idempotence": True, "compression.type": "zstd"}
    caplog.set_level(logging.INFO)
    world = kafka_world(kafka, topics, **config, **of_producers, **{"group.id": "g", "group.protocol": "consumer"})
    with world.transaction(topic, commit=False) as send:
        send(("a", "1"))
    world.send(topic, ("a", "2"))
    with closing(world.reader), closing(world.reading(topic)) as one:
        assert read(one)[0].values == [b"2"]

    assert caplog.text.count("ignoring the connection's isolation.level, auto.offset.reset, enable.auto.commit") == 1


def test_random_transactions_are_read_as_by_any_other_consumer(world, topics):
    chance = random.Random(7)
    topic = world.make(3)
    for _ in range(8):
        number, commit = chance.randrange(3), chance.random() < 0.6
        with world.transaction(topic, number, commit=commit) as send:
            send(*((str(at), uuid.uuid4().hex * chance.randrange(1, 9)) for at in range(chance.randrange(1, 30))))
        world.send(topic, *(("k", uuid.uuid4().hex) for _ in range(chance.randrange(9))), partition=chance.randrange(3))
    expected = [(one.partition, one.offset, one.value) for one in topics.read(topic)]
    ends, at, found = world.ends(topic), {}, []
    while any(at.get(one, ReadPosition(0)).offset < end for one, end in ends.items()):
        with closing(world.reader.read({one: at.get(one, ReadPosition(0)) for one in ends}, ends)) as again:
            for _ in range(chance.randrange(1, 6)):
                if (taken := again.take(chance.randrange(1, 20), chance.randrange(1, 3_000))) is None:
                    break
                at |= taken.after
                columns = (taken.received.partitions, taken.received.offsets, taken.received.values)
                found += zip(*columns, strict=True)

    assert sorted(found) == sorted((number, offset, value.encode()) for number, offset, value in expected)
    assert {one: place.offset for one, place in at.items()} == {one: end for one, end in ends.items() if end}
    assert all(place.epoch == 0 for place in at.values())


def test_a_message_larger_than_what_is_fetched_at_once_comes_too(world):
    topic = world.make(max_message_bytes="9000000")
    sizes = [10, 6_000_000, 10, 5_000_000]
    world.large(topic, *sizes)
    with closing(world.reading(topic)) as one:
        taken = [one.take(10, 2_000_000) for _ in range(2)]
        assert one.take(10, 2_000_000) is None

    assert [len(value) for value in chain.from_iterable(part.received.values for part in taken)] == sizes
    assert [len(part.received) for part in taken] == [2, 2]


def test_an_epoch_that_the_log_does_not_have_is_another_log(world, topic):
    world.send(topic, *(("a", str(at)) for at in range(5)))
    with (
        closing(world.reading(topic, at={Partition(topic, 0): ReadPosition(3, 9)})) as one,
        pytest.raises(WatermarkError, match=r"from offset 0 on it holds other records.*\n.*watermark set"),
    ):
        one.take(10, 1_000)


def test_noted_offsets_are_on_the_pages_of_lag(world, kafka, topic):
    world.send(topic, ("a", "1"), ("a", "2"))
    group = f"legacy-events.{uuid.uuid4().hex}"
    for offset in (1, 2):
        world.reader.noted(group, {Partition(topic, 0): ReadPosition(offset, 0)})
    world.reader.close()
    with ExitStack() as stack:
        consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
        stack.callback(consumer.close)
        [found] = consumer.committed([TopicPartition(topic, 0)], timeout=10)

    assert found.offset == 2


def test_a_take_that_waits_ends_when_the_reading_is_closed(world, topic):
    world.send(topic, ("a", "1"))
    at, errors = Partition(topic, 0), []
    waiting = world.reader.read({at: ReadPosition(1)}, {at: 100})

    def take():
        try:
            waiting.take(10, 1_000)
        except StoppedError as error:
            errors.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    waiting.close()
    thread.join(10)

    assert len(errors) == 1
    assert not thread.is_alive()


def test_a_broker_that_sends_nothing_is_an_error(world, topic, monkeypatch):
    monkeypatch.setattr(reading, "SILENT_SECONDS", 0.5)
    at = Partition(topic, 0)
    with (
        closing(world.reader.read({at: ReadPosition(0)}, {at: 100})) as one,
        pytest.raises(DeliveryError, match=r"sent no messages within 0.5 s[^\n]*\.\nCheck the address"),
    ):
        one.take(10, 1_000)


def test_a_broker_that_is_away_is_named(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(moments, "_SECONDS", 0.2)
    monkeypatch.setattr(groups, "_SECONDS", 0.5)
    monkeypatch.setattr(clients, "SECONDS", 0.5)
    with closing(KafkaReader({"bootstrap.servers": "127.0.0.1:1"}, logging.getLogger(__name__))) as away:
        for look in (away.cluster_id, lambda: away.find(["t"])):
            with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:1.*\nCheck the address"):
                look()
        at = Partition("t", 0)
        assert away.moments({at: 0}) == {at: None}
        away.noted("g", {at: ReadPosition(0)})
    assert caplog.text.count("page of lag can't be committed") == 1
