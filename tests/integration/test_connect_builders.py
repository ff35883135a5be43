"""Configs of the builders, run by a real worker: every row on the topic of its table, with every digit."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import uuid
from collections.abc import Iterator, Mapping

import pytest
import sqlalchemy as sa

from airflow_legacy_events.connect import debezium_source, jdbc_sink, outbox_source
from airflow_legacy_events.hooks.connect_values import filled
from airflow_legacy_events.sensors.connect import ConnectorCaughtUpSensor
from tests.airflow import metadata
from tests.services.base import wait_until
from tests.support.databases import fresh_database
from tests.support.slots import drop_slots
from tests.support.topic_reader import TopicReader

COPY = '"Copied Orders"'
"""A table whose name is no word of lower case."""


@pytest.fixture(autouse=True)
def _reach():
    with metadata.as_server():
        yield


@pytest.fixture
def name():
    return f"built-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def postgres_source(postgres18_logs, kafka, name):
    with fresh_database(postgres18_logs) as found:
        _connections(found.url, kafka, name)
        yield found
        drop_slots(found.execute)


@pytest.fixture
def mariadb_source(mariadb_logs, kafka, name):
    with fresh_database(mariadb_logs) as found:
        _connections(found.url, kafka, name)
        yield found


def _connections(url, kafka, name):
    url = sa.make_url(url)
    conn_type = "postgres" if url.get_backend_name() == "postgresql" else "mysql"
    fields = {"host": url.host, "port": url.port, "login": url.username, "password": url.password}
    metadata.put_connection(name, conn_type=conn_type, schema=url.database, **fields)
    brokers = json.dumps({"bootstrap.servers": kafka.bootstrap})
    metadata.put_connection("kafka_default", conn_type="kafka", extra=brokers)


@contextlib.contextmanager
def running(connect, name: str, config: Mapping[str, str]) -> Iterator[None]:
    """The connector runs, and is gone afterwards."""
    connect.begin(name, filled(config))
    try:
        connect.wait_running(name)
        yield
    finally:
        connect.end(name)


class Reader:
    """Messages of topics, as they come; a topic may not be there yet."""

    def __init__(self, kafka, *topics):
        self.bootstrap, self.topics = kafka.bootstrap, topics

    def messages(self, count: int):
        """Return the first messages of each topic in its order, once there are as many."""
        found: list = []

        def there() -> bool:
            with contextlib.suppress(KeyError), contextlib.closing(TopicReader(self.bootstrap, self.topics)) as reader:
                found[:] = reader.read_on()
            return len(found) >= count

        wait_until(there, f"{count} messages on {self.topics}", 60)
        return {topic: [message for at, message in found if at == topic] for topic in self.topics}


def values(messages):
    return [None if one.value is None else json.loads(one.value) for one in messages]


def test_each_table_has_a_topic_of_its_own_with_deletes_tombstones_and_changed_keys(
    connect, kafka, postgres_source, name
):
    postgres_source.execute(
        "CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric, at timestamptz, spent interval, raw bytea);"
        " CREATE TABLE customers (id bigint PRIMARY KEY, born date)"
    )
    topics = {"public.orders": f"{name}.o", "public.customers": f"{name}.c"}
    config = debezium_source(
        source_conn_id=name, topic_prefix=name, tables=[*topics], topics=topics, topic_partitions=1
    )
    postgres_source.execute(
        "INSERT INTO orders VALUES"
        " (1, 12345678901234567890.120, '2026-11-23 16:03:05.123456+01', '1 day 2h', '\\xff00')"
    )
    with running(connect, name, config):
        postgres_source.execute("UPDATE orders SET id = 2")
        postgres_source.execute("DELETE FROM orders")
        postgres_source.execute("INSERT INTO customers VALUES (1, '1970-02-03')")
        found = Reader(kafka, *topics.values()).messages(7)
    orders, customers = (found[topic] for topic in topics.values())
    assert [json.loads(one.key)["id"] for one in orders] == [1, 1, 1, 2, 2, 2]
    ops = [one and one["op"] for one in values(orders)]
    assert ops == ["r", "d", None, "c", "d", None]
    after = values(orders)[0]["after"]
    assert after["amount"] == "12345678901234567890.120"
    assert after["at"] == "2026-11-23T15:03:05.123456Z"
    assert after["raw"] == "/wA="
    assert after["spent"] == "P0Y0M1DT2H0M0S"
    assert values(customers)[0]["after"] == {"id": 1, "born": "1970-02-03Z"}


def test_every_digit_of_mariadb(connect, kafka, mariadb_source, name):
    database = mariadb_source.name
    mariadb_source.execute(
        "CREATE TABLE orders (id bigint unsigned PRIMARY KEY, amount decimal(30, 10), at datetime(6), ts datetime)"
    )
    mariadb_source.execute(
        "INSERT INTO orders VALUES"
        " (18446744073709551615, 12345678901234567890.1234567890, '2026-11-23 16:03:05.123456', NULL)"
    )
    config = debezium_source(
        "mariadb",
        source_conn_id=name,
        topic_prefix=name,
        tables=[f"{database}.orders"],
        topics=f"{name}.{{table}}",
    )
    with running(connect, name, config):
        [message] = Reader(kafka, f"{name}.orders").messages(1)[f"{name}.orders"]
    after = json.loads(message.value)["after"]
    assert (after["id"], after["amount"]) == (18446744073709551615, "12345678901234567890.1234567890")
    assert (after["at"], after["ts"]) == ("2026-11-23T16:03:05.123456Z", None)
    assert json.loads(message.key) == {"id": 18446744073709551615}


@pytest.mark.parametrize("payload", ['{"total": 12.50,  "big": 12345678901234567890.10}', '{"a":1,"a":2}', "no JSON"])
def test_the_payload_of_an_outbox_byte_for_byte(connect, kafka, postgres_source, name, payload):
    postgres_source.execute(
        "CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype text, aggregateid text, kind text, payload text)"
    )
    config = outbox_source(
        source_conn_id=name,
        topic_prefix=name,
        table="public.outbox",
        topic=f"{name}.${{routedByValue}}",
        columns={"event_type": "kind"},
    )
    with running(connect, name, config):
        postgres_source.execute(f"INSERT INTO outbox VALUES (gen_random_uuid(), 'order', '7', 'Placed', '{payload}')")
        postgres_source.execute("DELETE FROM outbox")
        [message] = Reader(kafka, f"{name}.order").messages(1)[f"{name}.order"]
    assert (message.key, message.value) == ("7", payload)
    assert dict(message.headers)["eventType"] == "Placed"


def test_an_outbox_of_mariadb_whose_connector_has_caught_up(connect, kafka, mariadb_source, name):
    database = mariadb_source.name
    host = connect.url.partition("://")[2]
    metadata.put_connection("kafka_connect_default", conn_type="kafka_connect", schema="http", host=host)
    mariadb_source.execute(
        "CREATE TABLE `Out.Box` (id char(36) PRIMARY KEY, aggregatetype text, aggregateid text, type text,"
        " payload longtext); CREATE TABLE signals (id varchar(42) PRIMARY KEY, type varchar(32), data varchar(2048))"
    )
    config = outbox_source(
        "mariadb",
        source_conn_id=name,
        topic_prefix=name,
        table=f"{database}.Out.Box",
        topic=f"{name}.${{routedByValue}}",
        signal_table=f"{database}.signals",
    )
    with running(connect, name, config):
        mariadb_source.execute("INSERT INTO `Out.Box` VALUES (uuid(), 'order', '7', 'Placed', '{\"a\":  1.50}')")
        sensor = ConnectorCaughtUpSensor(
            task_id="wait", connector=name, source_conn_id=name, poll_interval=dt.timedelta(seconds=1), timeout=60
        )
        assert sensor.execute({})["connector"] == name
        [message] = Reader(kafka, f"{name}.order").messages(1)[f"{name}.order"]
        mariadb_source.execute("ALTER TABLE `Out.Box` ADD more int")
        mariadb_source.execute("INSERT INTO `Out.Box` VALUES (uuid(), 'order', '8', 'Placed', 'x', 1)")
        Reader(kafka, f"{name}.order").messages(2)
    assert (message.key, message.value) == ("7", '{"a":  1.50}')
    with pytest.raises(KeyError):  # changes of the schema are none of its events
        TopicReader(kafka.bootstrap, [name])


def test_a_table_through_a_topic_into_a_table(connect, kafka, postgres_source, mariadb_logs, name):
    rows = 'SELECT id, amount::text, "First Name" FROM {} ORDER BY id'
    create = 'CREATE TABLE {} (id bigint PRIMARY KEY, amount numeric(20, 4), "First Name" text)'
    postgres_source.execute(f"{create.format('orders')}; {create.format(COPY)}")
    postgres_source.execute("INSERT INTO orders VALUES (1, 1.5, 'a'), (2, 9999999999999999.9999, 'ä'), (3, NULL, NULL)")
    source = debezium_source(
        source_conn_id=name,
        topic_prefix=name,
        tables=["public.orders"],
        topics={"public.orders": f"{name}.orders"},
        schemas=True,
    )
    sink = jdbc_sink(target_conn_id=name, topics=[f"{name}.orders"], table=COPY)
    with running(connect, name, source):
        Reader(kafka, f"{name}.orders").messages(3)
        with running(connect, f"{name}-sink", sink):
            postgres_source.execute("UPDATE orders SET amount = 0.0001 WHERE id = 1")
            postgres_source.execute("DELETE FROM orders WHERE id = 3")
            wanted = postgres_source.execute(rows.format("orders"))
            wait_until(lambda: postgres_source.execute(rows.format(COPY)) == wanted, "both tables being equal", 60)
