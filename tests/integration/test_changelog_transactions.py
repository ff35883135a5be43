"""Transactions of PostgreSQL's log on a topic of their own, and events that name theirs."""

from __future__ import annotations

import contextlib
import datetime as dt
import json

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.debezium import DebeziumEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.envelopes.transactions import TransactionsEnvelope
from tests.support.crashes import World
from tests.support.engines import of
from tests.support.log_runs import LogProcess, ended, logged_source
from tests.support.slots import logged_database

TABLES = (
    "CREATE TABLE orders (id integer PRIMARY KEY, total integer)",
    "CREATE TABLE customers (id integer PRIMARY KEY)",
    "INSERT INTO orders VALUES (0, 0)",
)
WRITTEN = """
DO $$ BEGIN
  INSERT INTO orders SELECT n, n FROM generate_series(1, 5) AS n;
  BEGIN INSERT INTO customers VALUES (7); RAISE EXCEPTION 'undone'; EXCEPTION WHEN OTHERS THEN END;
  INSERT INTO customers VALUES (8);
  UPDATE orders SET id = 10 WHERE id = 5;
  DELETE FROM orders WHERE id = 1;
END $$
"""


@pytest.fixture(params=of("postgresql"))
def logged(request):
    with logged_database(request, request.param, *TABLES) as found:
        yield found


def run(logged, world, broker, envelope=None, **options):
    source = logged_source(logged, transaction_topic="cdc.transactions", **options)
    process = LogProcess(world, source, None, float)
    process.broker, process.envelope = broker, TransactionsEnvelope(envelope or CloudEventsEnvelope())
    process.relay.stream = process.relay.stream._replace(transactions=True)
    with contextlib.closing(source.database), contextlib.closing(source):
        try:
            process.relay.run()
        finally:
            ended()


def events(broker, topic):
    return [json.loads(one.value) for one in broker.topic(topic)]


@pytest.mark.parametrize("rows", [1000, 2])
def test_each_transaction_has_one_begin_and_one_end_and_its_events_name_it(logged, rows):
    world, broker = World(), MemoryBroker()
    run(logged, world, broker)
    assert events(broker, "cdc.transactions") == []
    logged.execute(WRITTEN, "CREATE TABLE elsewhere (id integer)", "UPDATE orders SET total = 1 WHERE id = 2")
    for _ in range(1 if rows == 1000 else 8):
        limits = Limits(batch_rows=rows, max_rows=None if rows == 1000 else rows)
        run(logged, world, broker, limits=limits, tables=["public.orders", "public.customers"])

    changes = [
        one for table in ("orders", "customers") for one in events(broker, f"cdc.public.{table}") if one["op"] != "r"
    ]
    ids = list(dict.fromkeys(one["transactionid"] for one in changes))
    assert len(ids) == 2
    assert all(one["id"].startswith(f"{one['subject']}@{one['transactionid']},") for one in changes)
    marks = events(broker, "cdc.transactions")
    assert [(one["status"], one["id"], one["event_count"]) for one in marks] == [
        ("BEGIN", ids[0], None),
        ("END", ids[0], 9),
        ("BEGIN", ids[1], None),
        ("END", ids[1], 1),
    ]
    assert {one["data_collection"]: one["event_count"] for one in marks[1]["data_collections"]} == {
        "public.orders": 8,
        "public.customers": 1,
    }
    committed = {int(dt.datetime.fromisoformat(one["time"]).timestamp() * 1000) for one in changes}
    assert {one["ts_ms"] for one in marks} == committed
    assert "transactionid" not in events(broker, "cdc.public.orders")[0]


@pytest.mark.parametrize("envelope", [PlainEnvelope(), DebeziumEnvelope()])
def test_events_of_every_envelope_name_their_transaction_in_a_header(logged, envelope):
    world, broker = World(), MemoryBroker()
    run(logged, world, broker, envelope, images="both")
    first = len(broker.topic("cdc.public.orders"))
    logged.execute(WRITTEN)
    run(logged, world, broker, envelope, images="both")

    begin, end = events(broker, "cdc.transactions")
    orders = broker.topic("cdc.public.orders")
    assert "transactionid" not in dict(orders[0].headers)
    named = [dict(one.headers)["transactionid"] for one in orders[first:]]
    assert {*named, end["id"]} == {begin["id"]}
    assert (len(named) >= 8, end["event_count"]) == (True, 9)
