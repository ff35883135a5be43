"""Messages of a change log at their edges: what is refused, what is left out, and what goes to every partition."""

import json

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.columns import ABSENT, Column, Kind, Shape
from airflow_legacy_events.core.errors import ConfigurationError, EnvelopeError
from airflow_legacy_events.core.model import HIDDEN, Batch, Stream
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope

STREAM = Stream("crm.cdc@log", "cdc.orders", "/crm/public.orders", "crm.public.orders.changed")
COLUMNS = (
    Column("id", Kind.INTEGER, "bigint", nullable=False),
    Column("status", Kind.TEXT, "text"),
    Column("at", Kind.INSTANT, "timestamptz"),
)
ORDERS = Shape((*COLUMNS, *HIDDEN), (0, 1, 2), (0,), (3, 4), 5, unchanged=6, numbered=True, table="public.orders")
TRUNCATED = Shape(HIDDEN, (), (), (0, 1), 2, numbered=True, table="public.orders")
NOON = "2026-11-23 12:00:00+00"


def change(*values, number=1, unchanged=None):
    return (*values, "0/16B3748", str(number), "2026-11-23 09:15:02.5+00", unchanged)


def encode(ops, *rows, envelope=None, shape=ORDERS, **options):
    found = (envelope or CloudEventsEnvelope()).compile(shape, STREAM._replace(**options))
    return found(Batch(shape, list(rows), len(rows), None, ops))


def test_plain_messages_without_tombstones_are_refused_since_a_delete_could_not_be_told():
    with pytest.raises(ConfigurationError, match="tombstones=False can't send a delete: leave tombstones= out, or use"):
        PlainEnvelope().compile(ORDERS, STREAM._replace(tombstones=False))
    for tombstones in (None, True):
        assert encode("d", change("1", ABSENT, ABSENT), envelope=PlainEnvelope(), tombstones=tombstones).values == [
            None
        ]


@pytest.mark.parametrize("tombstones", [None, False])
def test_a_cloud_event_has_no_tombstone_behind_it_unless_it_is_wanted(tombstones):
    messages = encode(["c", "d"], change("1", "a", NOON), change("1", ABSENT, ABSENT), tombstones=tombstones)
    assert (messages.rows, len(messages.values)) == (None, 2)


def test_rows_of_other_sources_have_neither_operation_nor_names_in_plain_headers():
    shape = Shape(COLUMNS, (0, 1, 2), (0,), (2,))
    messages = PlainEnvelope().compile(shape, STREAM)(Batch(shape, [("1", "a", NOON)], 1, None, "u"))
    assert [[name for name, _ in headers] for headers in messages.each] == [["id"]]


def test_a_key_that_is_absent_is_refused():
    with pytest.raises(EnvelopeError, match="column 'id' is part of the key but absent from a row"):
        encode(["d", "u"], change(ABSENT, "a", NOON), change("1", "a", NOON))


def test_an_event_type_of_a_column_that_the_log_left_out_is_refused():
    assert '"type":"order.a"' in encode("c", change("1", "a", NOON), event_type="order.{status}").values[0]
    with pytest.raises(EnvelopeError, match=r"which is absent from a row, .* Change event_type=, or let the log hold"):
        encode("d", change("1", ABSENT, ABSENT), event_type="order.{status}")


def test_headers_subject_and_timestamp_of_an_absent_column_are_left_out():
    messages = encode(
        ["c", "d", "u"],
        *(change("1", "a", NOON), change("1", ABSENT, ABSENT), change("1", None, None)),
        headers=(("status", "{status}"), ("both", "{id}-{status}")),
        subject="{status}",
        timestamp_column="at",
    )
    assert messages.each == [(("status", "a"), ("both", "1-a")), (), ()]
    assert messages.timestamps == [1795435200000, None, None]
    assert [json.loads(value).get("subject") for value in messages.values] == ["a", None, None]


def test_a_truncation_has_nothing_that_comes_from_columns():
    options = {
        "event_type": "order.{status}",
        "event_source": "/orders/{id}",
        "subject": "{id}",
        "headers": (("status", "{status}"), ("team", "crm")),
        "timestamp_column": "at",
    }
    messages = encode("t", change(), shape=TRUNCATED, **options)
    (event,) = map(json.loads, messages.values)
    assert (messages.everywhere, messages.keys, messages.headers[-1]) == (True, [None], ("team", "crm"))
    assert (event["type"], event["source"]) == (STREAM.type, STREAM.source)
    assert "subject" not in event
    assert event["data"] is None
    constant = encode("t", change(), shape=TRUNCATED, event_type="order", event_source="/orders").values[0]
    assert (json.loads(constant)["type"], json.loads(constant)["source"]) == ("order", "/orders")


def test_a_truncation_goes_to_each_partition():
    broker = MemoryBroker(partitions={"cdc.orders": 3})
    broker.publish(encode("t", change(), shape=TRUNCATED).spread(broker.partitions))
    broker.confirm()
    found = [broker.topic("cdc.orders", number) for number in range(3)]
    assert [len(kept) for kept in found] == [1, 1, 1]
    assert len({kept[0].value for kept in found}) == 1


def test_names_of_unchanged_columns_are_clean_as_an_attribute():
    named = '["a\u0085b"]'
    (value,) = encode("u", change("1", "a", ABSENT, unchanged=named)).values
    assert json.loads(value)["unchanged"] == '["a%C2%85b"]'
    binary = encode("u", change("1", "a", ABSENT, unchanged=named), envelope=CloudEventsEnvelope(binary=True))
    assert ("ce_unchanged", '["a%C2%85b"]') in binary.each[0]


def test_the_tombstone_keeps_key_headers_and_time_of_its_delete():
    messages = encode(
        ["d", "c"],
        *(change("1", ABSENT, NOON), change("2", "a", NOON)),
        tombstones=True,
        headers=(("id", "{id}"),),
        timestamp_column="at",
    )
    assert messages.keys == ["1", "1", "2"]
    assert [value is None for value in messages.values] == [False, True, False]
    assert messages.each == [(("id", "1"),), (("id", "1"),), (("id", "2"),)]
    assert messages.timestamps == [1795435200000] * 3
    assert messages.rows == [0, 0, 1]
    assert messages.extent.total == sum(len(value or "") + 1 for value in messages.values)


def test_a_block_without_absent_values_is_encoded_as_if_there_never_were_any():
    encoder = CloudEventsEnvelope().compile(ORDERS, STREAM)
    whole = [change("1", "a", NOON)]
    before = encoder(Batch(ORDERS, whole, 1, None, ["c"])).values
    encoder(Batch(ORDERS, [change("1", ABSENT, ABSENT)], 1, None, ["d"]))
    assert encoder(Batch(ORDERS, whole, 1, None, ["c"])).values == before
