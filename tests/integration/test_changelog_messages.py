"""Messages of PostgreSQL's change log, from the application's statement to the topic."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging

import pytest

from airflow_legacy_events.brokers.kafka import KafkaBroker
from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from tests.support.crashes import World
from tests.support.engines import of
from tests.support.log_runs import LogProcess, ended, logged_source
from tests.support.slots import logged_database

ORDERS = (
    "CREATE TABLE orders (id integer PRIMARY KEY, total numeric(10, 2), note text, doc jsonb)",
    "ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL",
    "CREATE TABLE customers (id integer PRIMARY KEY, name text)",
    "INSERT INTO orders VALUES (1, 10.50, 'grün', '{\"a\": 1}')",
    "INSERT INTO customers VALUES (7, 'Ann')",
)
LONG = "repeat('x', 9000)"


@pytest.fixture(params=of("postgresql"))
def logged(request):
    with logged_database(request, request.param, *ORDERS) as found:
        yield found


class Messages:
    """Runs of a stream, and what they put on their topics."""

    def __init__(self, logged, broker, envelope, prefix="cdc", tombstones=None):
        self.logged, self.broker, self.envelope, self.world = logged, broker, envelope, World()
        self.prefix, self.tombstones = prefix, tombstones

    def run(self, **options):
        source = logged_source(self.logged, **options)
        source.stream = source.stream._replace(topic=f"{self.prefix}.{{schema}}.{{table}}")
        process = LogProcess(self.world, source, None, float)
        process.broker, process.envelope = self.broker, self.envelope
        process.relay.stream = process.relay.stream._replace(tombstones=self.tombstones)
        with contextlib.closing(source.database), contextlib.closing(source):
            try:
                process.relay.run()
            finally:
                ended()
        return process.relay.report


def events(broker, topic):
    return [json.loads(kept.value) for kept in broker.topic(topic)]


def brief(event):
    return event["op"], event.get("subject"), event["data"], event.get("unchanged")


def test_each_change_is_a_cloud_event_on_the_topic_of_its_table(logged):
    broker = MemoryBroker(partitions={"cdc.public.orders": 2})
    made = Messages(logged, broker, CloudEventsEnvelope())
    first = made.run(on_truncate="event")
    logged.execute(
        "INSERT INTO orders VALUES (2, NULL, '', NULL)",
        f"UPDATE orders SET note = {LONG} WHERE id = 1",
        "UPDATE orders SET total = 11 WHERE id = 1",
        "DELETE FROM orders WHERE id = 1",
        "UPDATE customers SET id = 8",
        "TRUNCATE orders",
    )
    second = made.run(on_truncate="event")

    whole = {"id": 1, "total": "10.50", "note": "grün", "doc": {"a": 1}}
    found = events(broker, "cdc.public.orders")
    assert [brief(one) for one in found] == [
        ("r", "1", whole, None),
        ("c", "2", {"id": 2, "total": None, "note": "", "doc": None}, None),
        ("u", "1", {**whole, "note": "x" * 9000}, None),
        ("u", "1", {"id": 1, "total": "11.00", "doc": {"a": 1}}, '["note"]'),
        ("d", "1", {"id": 1}, None),
        ("t", None, None, None),
        ("t", None, None, None),
    ]
    assert [brief(one) for one in events(broker, "cdc.public.customers")] == [
        ("r", "7", {"id": 7, "name": "Ann"}, None),
        ("d", "7", {"id": 7}, None),
        ("c", "8", {"id": 8, "name": "Ann"}, None),
    ]
    assert {one["source"] for one in found} == {"/legacy/public.orders"}
    assert {one["type"] for one in found} == {"legacy.public.orders.changed"}
    ids = [one["id"] for one in found]
    assert ids[0].startswith("1@:")
    assert [one.partition("@")[0] for one in ids[1:]] == ["2", "1", "1", "1", "", ""]
    assert len(set(ids)) == len(ids) - 1  # the truncation is one event, on each partition
    assert (first.rows, first.events, second.rows, second.events) == (2, 2, 7, 7)
    assert second.topics == {"cdc.public.orders": 5, "cdc.public.customers": 2}


def test_old_rows_and_tombstones(logged):
    logged.execute("ALTER TABLE orders REPLICA IDENTITY FULL")
    broker = MemoryBroker()
    made = Messages(logged, broker, CloudEventsEnvelope(), tombstones=True)
    made.run(images="both")
    logged.execute(
        f"UPDATE orders SET note = {LONG}",
        "UPDATE orders SET total = 11",
        "DELETE FROM orders",
        "UPDATE customers SET name = 'Bob'",
        "DELETE FROM customers",
    )
    report = made.run(images="both")

    first = {"id": 1, "total": "10.50", "note": "grün", "doc": {"a": 1}}
    second = {**first, "note": "x" * 9000}
    third = {**second, "total": "11.00"}
    kept = broker.topic("cdc.public.orders")
    found = [(one["op"], one["data"]) for one in (json.loads(one.value) for one in kept if one.value)]
    assert found == [
        ("r", {"before": None, "after": first}),
        ("u", {"before": first, "after": second}),
        ("u", {"before": second, "after": third}),
        ("d", {"before": third, "after": None}),
    ]
    assert [(one.key, one.value is None) for one in kept[-2:]] == [("1", False), ("1", True)]
    others = [json.loads(one.value)["data"] for one in broker.topic("cdc.public.customers") if one.value]
    assert others[1:] == [
        {"before": {"id": 7}, "after": {"id": 7, "name": "Bob"}},
        {"before": {"id": 7}, "after": None},
    ]
    assert (report.rows, report.events) == (5, 5)


def test_plain_messages_rebuild_a_table_by_their_last_value(logged):
    broker = MemoryBroker()
    made = Messages(logged, broker, PlainEnvelope())
    made.run()
    logged.execute("DELETE FROM orders", "UPDATE customers SET name = 'Bob'")
    made.run()

    found = [
        (one.key, one.value and json.loads(one.value), dict(one.headers)["op"])
        for one in (*broker.topic("cdc.public.orders"), *broker.topic("cdc.public.customers"))
    ]
    assert found == [
        ("1", {"id": 1, "total": "10.50", "note": "grün", "doc": {"a": 1}}, "r"),
        ("1", None, "d"),
        ("7", {"id": 7, "name": "Ann"}, "r"),
        ("7", {"id": 7, "name": "Bob"}, "u"),
    ]


def test_a_compacted_topic_refuses_truncations_and_warns_of_values_that_it_loses(logged, caplog):
    logged.execute("UPDATE orders SET note = repeat('x', 9000)", "CREATE TABLE notes (id integer PRIMARY KEY, n text)")
    broker = MemoryBroker(compacted=("cdc.public.orders", "cdc.public.customers"))
    made = Messages(logged, broker, PlainEnvelope())
    with pytest.raises(ConfigurationError, match="on_truncate='event' sends messages without a key") as refused:
        made.run(on_truncate="event")
    assert "cleanup.policy=delete on 'cdc.public.customers', 'cdc.public.orders'" in str(refused.value)
    assert made.world.saved == []

    made.run()
    caplog.clear()
    logged.execute("UPDATE orders SET id = 2")  # the value is read by the new key
    made.run()
    assert [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING] == []
    logged.execute(*(f"UPDATE orders SET total = {total}" for total in (1, 2)), "UPDATE customers SET name = 'Bob'")
    made.run()

    [warning] = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert warning.startswith("table 'public.orders': an update left out 'note', which did not change; topic 'cdc.pub")
    remedy = warning[warning.index("ALTER TABLE") : warning.rindex(")")]
    logged.execute(remedy, "UPDATE orders SET total = 3")
    made.run()
    assert json.loads(broker.topic("cdc.public.orders")[-1].value)["note"] == "x" * 9000


def test_an_excluded_column_is_not_named_among_the_unchanged_ones(logged):
    logged.execute("UPDATE orders SET note = repeat('x', 9000)")
    broker = MemoryBroker()
    made = Messages(logged, broker, CloudEventsEnvelope())
    made.run(exclude_columns={"public.orders": ("note",)})
    logged.execute("UPDATE orders SET total = 1")
    made.run(exclude_columns={"public.orders": ("note",)})

    assert "note" not in broker.topic("cdc.public.orders")[-1].value
    assert brief(events(broker, "cdc.public.orders")[-1]) == (
        "u",
        "1",
        {"id": 1, "total": "1.00", "doc": {"a": 1}},
        None,
    )


def kafka_broker(kafka, **arguments):
    settings = {"bootstrap.servers": kafka.bootstrap}
    broker = KafkaBroker(settings, delivery_timeout=dt.timedelta(seconds=30), topics=(), **arguments)
    broker.open()
    return broker


def test_topics_are_made_before_the_first_read_and_a_truncation_is_on_each_partition(request, kafka, topics):
    prefix = topics.name()
    with logged_database(request, "postgresql-18", *ORDERS) as logged:
        with contextlib.closing(kafka_broker(kafka)) as broker:
            made = Messages(logged, broker, CloudEventsEnvelope(), prefix)
            with pytest.raises(ConfigurationError, match="2 problems were found") as missing:
                made.run()
        assert f"{prefix}.public.orders" in str(missing.value)
        assert f"{prefix}.public.customers" in str(missing.value)
        assert made.world.saved == []

        config = {"replication.factor": "1"}
        with contextlib.closing(kafka_broker(kafka, topic_partitions=3, topic_config=config)) as broker:
            made = Messages(logged, broker, CloudEventsEnvelope(), prefix)
            made.run(on_truncate="event")
            logged.execute("TRUNCATE orders")
            report = made.run(on_truncate="event")

    truncated = [one for one in topics.read(f"{prefix}.public.orders") if one.event["op"] == "t"]
    assert [(one.key, one.partition) for one in truncated] == [(None, number) for number in range(3)]
    assert (report.rows, report.events) == (1, 1)
