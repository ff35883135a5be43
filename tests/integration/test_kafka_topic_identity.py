"""A topic of the real cluster that is deleted and recreated."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Messages
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from tests.support.brokers import batch, opened
from tests.support.streams import Deliveries


@pytest.fixture
def table(tmp_path):
    connection = sqlite3.connect(tmp_path / "legacy.db", isolation_level=None)
    connection.execute("CREATE TABLE orders (id integer PRIMARY KEY AUTOINCREMENT, note text NOT NULL)")
    connection.executemany("INSERT INTO orders (note) VALUES (?)", [["x"]] * 60)
    yield connection
    connection.close()


@pytest.fixture
def run(table, kafka, tmp_path):
    store = MemoryWatermarkStore()

    def run(topic):
        broker = opened(kafka, topic)
        options = {"watermark_columns": ("id",)}
        stream = Deliveries(f"sqlite:///{tmp_path / 'legacy.db'}", broker, topic, store=store, options=options)
        try:
            return stream.run(batch_rows=20)
        finally:
            broker.close()

    run.store = store
    return run


def once(store, then):
    """Let something happen behind the first save of a delivered batch."""
    save = store.save

    def saves(stream, new, *, expected):
        save(stream, new, expected=expected)
        if new.values:
            store.save = save
            then()

    store.save = saves


def test_between_two_runs_it_is_told(run, topics, topic, table):
    run(topic)
    topics.remake(topic)
    table.execute("INSERT INTO orders (note) VALUES ('y')")
    with pytest.raises(WatermarkError, match=f"topic '{topic}' was deleted and recreated"):
        run(topic)
    assert topics.read(topic) == []


def test_in_a_run_it_is_told_and_told_again(run, topics, topic):
    once(run.store, lambda: topics.remake(topic))
    with pytest.raises(WatermarkError, match="while this run"):
        run(topic)
    with pytest.raises(WatermarkError, match="was deleted and recreated"):
        run(topic)


def test_what_leaves_the_topic_itself_in_place_is_no_news(run, kafka, topics, topic, table):
    def changed():
        kafka.admin.create_partitions([NewPartitions(topic, 3)])[topic].result(10)
        longer = ConfigEntry("retention.ms", "3600000", incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource("TOPIC", topic, incremental_configs=[longer])
        kafka.admin.incremental_alter_configs([resource])[resource].result(10)

    once(run.store, changed)
    assert run(topic).events == 60
    table.execute("INSERT INTO orders (note) VALUES ('y')")
    assert run(topic).events == 1
    assert len(topics.read(topic)) == 61


def test_a_topic_that_the_run_makes_has_an_identity(kafka, topics):
    name = topics.name()
    broker = KafkaBroker(
        {"bootstrap.servers": kafka.bootstrap},
        delivery_timeout=dt.timedelta(seconds=30),
        topics=[name],
        topic_partitions=2,
    )
    broker.open()
    assert broker.topic_id(name)
    broker.publish(batch(name, ("k", "1")))
    assert list(broker.confirm()) == []
    assert list(broker.remade()) == []
    broker.close()


def test_a_topic_that_is_gone_is_told(kafka, topics, topic):
    broker = opened(kafka, topic)
    broker.publish(batch(topic, ("k", "1")))
    broker.confirm()
    topics.delete(topic)
    assert list(broker.remade()) == [topic]
    broker.close()


def test_names_that_the_cluster_does_not_know_are_not_asked_for(kafka, topics, topic):
    broker = opened(kafka)
    broker.publish(Messages("", ["a", "b", "c"], ["1", "2", "3"], topics=[topic, "a b", topics.name()]))
    assert [one.index for one in broker.confirm()] == [1, 2]
    assert list(broker.remade()) == []
    topics.remake(topic)
    assert list(broker.remade()) == [topic]
    broker.close()
