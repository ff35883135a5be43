"""The same rows as Debezium's outbox event router got: the same messages, and what it breaks stays whole.

The files of `tests/golden/debezium` hold what Debezium wrote of the rows that are inserted here: `eventType` and
`tenant` as headers, and the time in an envelope around the payload, beside which the payload's JSON is compared.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.outbox import Drain

GOLDEN = Path(__file__).parents[1] / "golden" / "debezium"
TABLE = """
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL,
  type varchar(255) NOT NULL, payload jsonb, tenant varchar(20),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp())
"""
ROWS = {
    "customer": [("53ca1b7f-17e6-4ba3-b61a-50e4965039bd", "7", "CustomerMoved", '{"id": 7}', None)],
    "order": [
        ("88664e74-2977-4406-9aa4-c0a9a08f61d0", "42", "OrderCreated", '{"id": 42, "total": 12.50}', "acme"),
        ("12d1c224-8ea8-424b-b0b7-6322d514d542", "43", "OrderPaid", '{"id":43,"lines":[{"n":1,"sku":"a"}]}', "acme"),
        ("18a9e9f6-9d3d-434c-95e0-b80a017adf65", "44", "OrderDeleted", None, "acme"),
        ("7ac27e9e-9bb7-436f-b1d9-0cf50118347a", "46", "Y", '"str"', None),
    ],
}


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute(TABLE)
        yield found


def add(legacy, kind, id_, aggregate, type_, payload, tenant):
    legacy.execute(
        "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, tenant) VALUES (%s, %s, %s, %s, %s, %s)",
        *(id_, kind, aggregate, type_, payload, tenant),
    )


def drained(legacy):
    broker = MemoryBroker()
    Drain(legacy.url, broker, headers=(("eventType", "{event_type}"), ("tenant", "{tenant}"))).run()
    return broker


def message(topic, found):
    return topic, found.key, dict(found.headers), None if found.value is None else json.loads(found.value)


def expected(written):
    """Debezium's message less its own headers and the NULL ones; a scalar payload became the text of its JSON."""
    headers = {name: value for name, value in written["headers"] if value is not None and "__debezium" not in name}
    payload = None if written["value"] is None else written["value"]["payload"]
    return written["topic"], written["key"], headers, json.loads(payload) if isinstance(payload, str) else payload


def test_the_same_rows_become_the_same_messages(legacy):
    for kind, rows in ROWS.items():
        for row in rows:
            add(legacy, kind, *row)

    broker = drained(legacy)

    for kind in ROWS:
        written = json.loads((GOLDEN / f"outbox_{kind}.json").read_text())
        topic = f"outbox.event.{kind}"
        assert [message(topic, found) for found in broker.topic(topic)] == [expected(one) for one in written]


WHOLE = ['{"price": 12.50}', '{"a": null, "b": {}}', '[{"a": 1}, "x", [2]]', "[]", "12.50", "null", '"text"', "true"]


def test_what_debezium_breaks_stays_whole(legacy):
    for number, payload in enumerate(WHOLE):
        add(legacy, "order", f"00000000-0000-0000-0000-00000000000{number}", "42", "Y", payload, None)

    assert [found.value for found in drained(legacy).topic("outbox.event.order")] == WHOLE
