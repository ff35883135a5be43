"""Debezium's envelope over PostgreSQL's change log: values of the types, transactions, and changes of the key."""

from __future__ import annotations

import json

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.envelopes.debezium import DebeziumEnvelope
from tests.integration.test_changelog_messages import Messages
from tests.support.engines import of
from tests.support.slots import logged_database

LONG = "repeat('x', 9000)"
VALUES = (
    "12.50, 3.140, '$1.25', true, '2026-01-02 03:04:05.5+01', '2026-01-02 03:04:05.5+01', '1990-05-06',"
    " '2026-01-02 03:04:05.123456', '2026-01-02 03:04:05.123', '12:34:56.789', '10:00:00+02', '1 mon 2 days 03:00',"
    " '{\"a\": 1}', '\\xdeadbeef', '7d444840-9dc0-11d1-b245-5ffdce74fad2', '{x,NULL}', '{1,2}', '{0.50}', B'101',"
    " B'1', '(1,2)', 1.5, 2, '[1,3)', 7"
)
TYPES = (
    "CREATE DOMAIN price AS numeric(8,3)",
    (
        "CREATE TABLE types (id integer PRIMARY KEY, fixed numeric(10,2), scaled numeric, amount money, active boolean,"
        " at timestamptz, at3 timestamptz(3), birth date, ts timestamp, ts3 timestamp(3), tod time, zoned timetz,"
        " span interval, attrs jsonb, doc bytea, uid uuid, tags text[], numbers integer[], prices numeric(4,2)[],"
        " bits bit varying(9), flag bit, place point, r8 float8, r4 float4, range int4range, price price)"
    ),
    f"INSERT INTO types VALUES (1, {VALUES})",
    "CREATE TABLE orders (id integer PRIMARY KEY, note text)",
    "ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL",
    f"INSERT INTO orders VALUES (1, {LONG})",
)
ROW = {
    "fixed": "BOI=",
    "scaled": {"scale": 2, "value": "ATo="},
    "amount": "fQ==",
    "active": True,
    "at": "2026-01-02T02:04:05.500000Z",
    "at3": "2026-01-02T02:04:05.500Z",
    "birth": 7430,
    "ts": 1767323045123456,
    "ts3": 1767323045123,
    "tod": 45296789000,
    "zoned": "08:00:00Z",
    "span": 2629800000000 + 2 * 86400000000 + 3 * 3600000000,
    "attrs": '{"a": 1}',
    "doc": "3q2+7w==",
    "uid": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
    "tags": ["x", None],
    "numbers": [1, 2],
    "prices": ["Mg=="],
    "bits": "BQ==",
    "flag": True,
    "place": {"x": 1.0, "y": 2.0, "wkb": "AQEAAAAAAAAAAADwPwAAAAAAAABA", "srid": None},
    "r8": 1.5,
    "r4": 2.0,
    "range": "[1,3)",
    "price": "G1g=",
}


@pytest.fixture(params=of("postgresql"))
def logged(request):
    with logged_database(request, request.param, *TYPES) as found:
        yield found


def test_rows_and_changes_hold_the_same_values_and_name_their_transaction(logged):
    broker = MemoryBroker()
    made = Messages(logged, broker, DebeziumEnvelope())
    made.run(images="both")
    logged.execute(
        f"INSERT INTO types VALUES (2, {VALUES})",
        "UPDATE orders SET id = 2",
        "UPDATE orders SET id = 3",
        "ALTER TABLE orders REPLICA IDENTITY FULL",
        "UPDATE orders SET note = 'b'",
        "DELETE FROM orders",
    )
    [(xid,)] = logged.execute("SELECT xmin::text::int8 FROM types WHERE id = 2")
    made.run(images="both")

    read, created = (json.loads(one.value) for one in broker.topic("cdc.public.types"))
    assert (read["op"], read["after"]) == ("r", {"id": 1, **ROW})
    assert (created["op"], created["after"]) == ("c", {"id": 2, **ROW})
    assert read["source"]["lsn"] < created["source"]["lsn"]
    assert (read["source"]["snapshot"], created["source"]["snapshot"]) == ("true", "false")
    assert created["source"]["txId"] == xid
    assert (created["source"]["schema"], created["source"]["table"]) == ("public", "types")
    [(database,)] = logged.execute("SELECT current_database()")
    assert {read["source"]["db"], created["source"]["db"]} == {database}

    kept = broker.topic("cdc.public.orders")
    found = [(one.key, one.value and json.loads(one.value)["op"], dict(one.headers)) for one in kept]
    new, old = "__debezium.newkey", "__debezium.oldkey"
    assert found == [
        ('{"id":1}', "r", {}),
        ('{"id":1}', "d", {new: '{"id":2}'}),
        ('{"id":1}', None, {new: '{"id":2}'}),
        ('{"id":2}', "c", {old: '{"id":1}'}),
        ('{"id":2}', "d", {new: '{"id":3}'}),
        ('{"id":2}', None, {new: '{"id":3}'}),
        ('{"id":3}', "c", {old: '{"id":2}'}),
        ('{"id":3}', "u", {}),
        ('{"id":3}', "d", {}),
        ('{"id":3}', None, {}),
    ]
    updated, deleted = (json.loads(one.value) for one in kept[-3:-1])
    assert (updated["before"], updated["after"]) == ({"id": 3, "note": "x" * 9000}, {"id": 3, "note": "b"})
    assert (deleted["before"], deleted["after"]) == ({"id": 3, "note": "b"}, None)
