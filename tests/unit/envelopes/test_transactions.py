"""Beginnings and ends of transactions, as Debezium wrote them in the sample, and events that name theirs."""

from __future__ import annotations

import json
from pathlib import Path

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.model import HIDDEN, Batch, Stream
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.envelopes.transactions import TransactionsEnvelope

SAMPLE = json.loads((Path(__file__).parents[2] / "golden/debezium/transactions.json").read_text())
STREAM = Stream("s", "cdc.transactions", "/crm", "crm.changed", headers=(("tenant", "acme"), ("note", "{note}")))
NAMES = ("id", "status", "event_count", "data_collections", "ts_ms")
MARKS = Shape(
    tuple(Column(name, Kind.ANY, "json") for name in NAMES), data=(0, 1, 2, 3, 4), key=(0,), roles={"transaction": 0}
)
ROWS = Shape(
    (Column("n", Kind.INTEGER, "integer"), *HIDDEN),
    data=(0,),
    key=(0,),
    watermark=(1, 2),
    time=3,
    unchanged=4,
    numbered=True,
    table="public.t",
)
ROW = ("7", "0/16B3748", 2, "2026-11-23 09:15:02+00", None)


def test_marks_are_those_of_the_sample_byte_for_byte():
    rows = [tuple(one["value"][name] for name in NAMES) for one in SAMPLE]
    found = TransactionsEnvelope(PlainEnvelope()).compile(MARKS, STREAM)(Batch(MARKS, rows, len(rows), None, "c"))

    assert found.keys == [one["key_raw"] for one in SAMPLE]
    assert found.values == [one["value_raw"] for one in SAMPLE]
    assert (found.topic, found.headers_of(0)) == ("cdc.transactions", (("tenant", "acme"),))


def encoded(envelope, **changed):
    stream = Stream("s", "t", "/crm", "crm.changed", transactions=True)._replace(**changed)
    return TransactionsEnvelope(envelope).compile(ROWS, stream)(Batch(ROWS, [ROW], 1, None, ["u"]))


def test_events_name_their_transaction_where_that_is_wanted():
    structured = encoded(CloudEventsEnvelope())
    [value] = structured.values
    event = json.loads(value)
    assert (event["transactionid"], event["id"]) == ("0/16B3748", "7@0/16B3748,2")
    assert "transactionid" not in encoded(CloudEventsEnvelope(), transactions=False).values[0]

    assert dict(encoded(CloudEventsEnvelope(binary=True)).headers_of(0))["ce_transactionid"] == "0/16B3748"
    assert "ce_transactionid" not in dict(encoded(CloudEventsEnvelope(binary=True), transactions=False).headers_of(0))
    assert dict(encoded(PlainEnvelope()).headers_of(0))["transactionid"] == "0/16B3748"
    assert dict(structured.headers_of(0))["transactionid"] == "0/16B3748"
    assert "transactionid" not in dict(encoded(PlainEnvelope(), transactions=False).headers_of(0))
