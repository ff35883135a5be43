"""Ends of topics: what a consumer of committed records still has to read before them."""

from __future__ import annotations

import logging
import uuid
from contextlib import closing, contextmanager

import pytest
from confluent_kafka import Producer

from airflow_legacy_events.brokers.kafka.topic_ends import KafkaTopicEnds
from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.ports import Bounds, Partition

LOG = logging.getLogger(__name__)


@pytest.fixture
def ends(kafka):
    with closing(KafkaTopicEnds({"bootstrap.servers": kafka.bootstrap, "group.id": "ignored"}, LOG)) as found:
        yield found


@contextmanager
def transaction(kafka, topic, end="commit_transaction"):
    """A producer in a transaction, which is ended behind the block."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": uuid.uuid4().hex})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"x")
    producer.flush(30)
    yield producer
    getattr(producer, end)(30)


def rest(ends, topic, start=0):
    """Whether anything is left to be read from an offset to the end."""
    at = Partition(topic, 0)
    return at in ends.unread({at: Bounds(start, ends.bounds([topic])[at].end)})


def test_a_tail_of_control_records_counts_as_read(kafka, topic, ends):
    with transaction(kafka, topic):
        pass

    assert ends.bounds([topic]) == {Partition(topic, 0): Bounds(0, 2)}
    assert rest(ends, topic)
    assert not rest(ends, topic, 1)


def test_a_record_of_a_transaction_that_was_aborted_is_read_by_none(kafka, topic, ends):
    with transaction(kafka, topic, "abort_transaction"):
        assert rest(ends, topic), "it may be committed yet"

    assert not rest(ends, topic)


def test_each_partition_is_looked_at_and_an_empty_one_holds_nothing(topics, ends):
    topic = topics.make(partitions=3)
    producer = Producer({"bootstrap.servers": topics.kafka.bootstrap})
    for _ in range(3):
        producer.produce(topic, b"x", partition=1)
    producer.flush(30)
    bounds = ends.bounds([topic, "of-no-topic"])

    assert bounds == {Partition(topic, 0): (0, 0), Partition(topic, 1): (0, 3), Partition(topic, 2): (0, 0)}
    assert ends.unread(bounds) == {Partition(topic, 1)}
    assert ends.unread({Partition(topic, 1): Bounds(2, 3)}) == {Partition(topic, 1)}
    assert ends.unread({Partition(topic, 1): Bounds(3, 3)}) == frozenset()
    assert topic in ends.topics()


def test_a_broker_that_is_away_is_named(monkeypatch):
    monkeypatch.setattr("airflow_legacy_events.brokers.kafka.clients.SECONDS", 0.5)
    away = KafkaTopicEnds({"bootstrap.servers": "127.0.0.1:1"}, LOG)

    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:1"):
        away.topics()
