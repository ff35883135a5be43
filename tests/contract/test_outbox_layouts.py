"""Outbox tables as other projects make them, drained: which columns play which role, and what has to be added."""

from __future__ import annotations

import json

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.outbox import Drain
from tests.support.outbox_tables import left


@pytest.fixture(params=of("postgresql", "mysql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.needs("generated columns")
        yield found


def drained(legacy, topic, headers=(), **arguments):
    """The messages of a first drain; a second one finds nothing."""
    broker = MemoryBroker()
    drain = Drain(legacy.url, broker, topic=topic, headers=headers, arguments=arguments)
    drain.run()
    assert drain.run().rows == 0
    return broker


def derived(legacy, table, column, json_column, member):
    """Add a column with a member of a JSON text; PostgreSQL, MySQL and MariaDB have no word for it in common."""
    text = "text" if legacy.dialect == "postgresql" else "varchar(255)"
    value = {
        "postgresql": f"({json_column}::jsonb ->> '{member}')",
        "mysql": f"(JSON_UNQUOTE(JSON_EXTRACT({json_column}, '$.\"{member}\"')))",
    }[legacy.dialect]
    legacy.execute(f"ALTER TABLE {table} ADD COLUMN {column} {text} GENERATED ALWAYS AS {value} STORED")


TRAM = {
    "table": "message",
    "columns": {
        "aggregate_type": "destination",
        "aggregate_id": "partition_key",
        "event_type": None,
        "headers": "headers",
        "timestamp": "creation_time",
    },
    "after_publish": "mark",
    "mark_column": "published",
    "mark_values": (0, 1),
}


def test_eventuate_tram(legacy):
    """Its message key is in the headers alone."""
    long = "text" if legacy.dialect == "postgresql" else "longtext"
    legacy.execute(
        f"CREATE TABLE message (id varchar(255) PRIMARY KEY, destination {long} NOT NULL, headers {long} NOT NULL,"
        f" payload {long} NOT NULL, published smallint DEFAULT 0, creation_time bigint)"
    )
    legacy.execute("CREATE INDEX message_published_idx ON message (published, id)")
    derived(legacy, "message", "partition_key", "headers", "PARTITION_ID")
    for number in (2, 1):
        held = {"ID": f"0-{number}", "PARTITION_ID": "42", "DESTINATION": "orders.Order", "event-type": "Created"}
        legacy.execute(
            "INSERT INTO message (id, destination, headers, payload, creation_time) VALUES (%s, %s, %s, %s, %s)",
            *(f"0-{number}", "orders.Order", json.dumps(held), f'{{"n":{number}}}', 1761984000000 + number),
        )

    messages = drained(legacy, "{aggregate_type}", **TRAM).topic("orders.Order")

    assert [(one.key, one.value, one.timestamp) for one in messages] == [
        ("42", '{"n":1}', 1761984000001),
        ("42", '{"n":2}', 1761984000002),
    ]
    assert dict(messages[0].headers)["event-type"] == "Created"
    assert dict(messages[0].headers)["id"] == "0-1"
    assert left(legacy, "message", where="published = 1") == ["0-1", "0-2"]


def test_spring_modulith(legacy):
    """One row for each listener, and no aggregate: its id is in the event alone."""
    mysql = legacy.dialect == "mysql"
    id_, type_, moment = ("ID", "varchar(36)", "timestamp(6)") if mysql else ("id", "uuid", "timestamp with time zone")
    legacy.execute(
        f"CREATE TABLE event_publication ({id_} {type_} NOT NULL, listener_id varchar(512) NOT NULL, event_type"
        f" varchar(512) NOT NULL, serialized_event varchar(4000) NOT NULL, publication_date {moment} NOT NULL,"
        f" completion_date {moment} DEFAULT NULL NULL, status varchar(20), PRIMARY KEY ({id_}))"
    )
    derived(legacy, "event_publication", "order_id", "serialized_event", "orderId")
    insert = (
        "INSERT INTO event_publication (id, listener_id, event_type, serialized_event, publication_date)"
        " VALUES (%s, %s, 'shop.Paid', %s, '2026-11-01 08:00:00')"
    )
    for number, listener in enumerate(("kafka", "mail", "kafka"), 1):
        event = f'{{"orderId": "o{number}"}}'
        legacy.execute(insert, *(f"00000000-0000-0000-0000-00000000000{number}", listener, event))

    messages = drained(
        legacy,
        "shop.events",
        (("eventType", "{event_type}"),),
        table="event_publication",
        columns={
            "id": id_,
            "aggregate_type": None,
            "aggregate_id": "order_id",
            "event_type": "event_type",
            "payload": "serialized_event",
            "timestamp": "publication_date",
        },
        where="listener_id = 'kafka'",
        after_publish="mark",
        mark_column="completion_date",
    ).topic("shop.events")

    assert [(one.key, one.value) for one in messages] == [("o1", '{"orderId": "o1"}'), ("o3", '{"orderId": "o3"}')]
    assert dict(messages[0].headers)["eventType"] == "shop.Paid"
    assert len(left(legacy, "event_publication", where="completion_date IS NULL AND listener_id = 'mail'")) == 1
    assert len(left(legacy, "event_publication", where="completion_date IS NULL")) == 1


def test_outbox_items_of_rails(legacy):
    """`sbmt-outbox`: the status is an integer, of which 1 is failed and 3 discarded."""
    id_, blob = {
        "postgresql": ("bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "bytea"),
        "mysql": ("bigint AUTO_INCREMENT PRIMARY KEY", "longblob"),
    }[legacy.dialect]
    moment = "datetime(6)" if legacy.dialect == "mysql" else "timestamp(6)"
    legacy.execute(
        f"CREATE TABLE order_outbox_items (id {id_}, uuid varchar(36) NOT NULL, event_name varchar(255) NOT NULL,"
        f" event_key bigint NOT NULL, bucket integer NOT NULL, options json, proto_payload {blob} NOT NULL,"
        f" status integer NOT NULL DEFAULT 0, errors_count integer NOT NULL DEFAULT 0, processed_at {moment} NULL,"
        f" created_at {moment} NOT NULL, updated_at {moment} NOT NULL)"
    )
    legacy.execute("CREATE UNIQUE INDEX items_uuid ON order_outbox_items (uuid)")
    for number, status in enumerate((0, 1, 2, 3, 0), 1):
        legacy.execute(
            "INSERT INTO order_outbox_items (uuid, event_name, event_key, bucket, proto_payload, status, created_at,"
            " updated_at) VALUES (%s, 'order_paid', %s, 0, %s, %s, '2026-11-01 08:00:00', '2026-11-01 08:00:00')",
            *(f"u{number}", 100 + number, bytes([8, number, 255]), status),
        )

    messages = drained(
        legacy,
        "shop.{event_type}",
        table="order_outbox_items",
        columns={
            "id": "uuid",
            "aggregate_type": None,
            "aggregate_id": "event_key",
            "event_type": "event_name",
            "payload": "proto_payload",
        },
        order_columns=["id"],
        after_publish="mark",
        mark_column="status",
        mark_values=(0, 2),
    ).topic("shop.order_paid")

    assert [(one.key, one.value, dict(one.headers)["id"]) for one in messages] == [
        ("101", bytes([8, 1, 255]), "u1"),
        ("105", bytes([8, 5, 255]), "u5"),
    ]
    assert left(legacy, "order_outbox_items", where="status = 2") == [1, 3, 5]
    assert left(legacy, "order_outbox_items", where="status IN (1, 3)") == [2, 4]
