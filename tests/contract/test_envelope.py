"""What every envelope keeps, whatever its messages look like."""

import dataclasses
import json

import pytest

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.copies import CopiesByMark, CopiesBySum
from airflow_legacy_events.core.model import Batch, Messages, Stream, Watermark
from airflow_legacy_events.core.ports import Envelope
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.errors import EnvelopeError

STREAM = Stream("crm.orders@legacy.orders", "legacy.orders", "/crm/orders", "crm.orders.changed")
SHAPE = Shape(
    (
        Column("id", Kind.INTEGER, "bigint", nullable=False),
        Column("status", Kind.TEXT, "text"),
        Column("changed", Kind.INSTANT, "timestamp with time zone"),
    ),
    data=(0, 1),
    key=(0,),
    watermark=(2,),
    time=2,
)


def rows(count, first=0):
    return [(str(at), f"s{at}", "2026-11-23 09:15:02.123456+00") for at in range(first, first + count)]


def batch(rows, op="u", counter=0, shape=SHAPE):
    return Batch(shape, rows, len(rows), Watermark(("x",), None, {}), op, counter)


def row_of(value):
    found = json.loads(value)
    return found.get("data", found)


def ids(messages):
    if messages.each is not None:
        return [dict(each)["id"] for each in messages.each]
    return [json.loads(value)["id"] for value in messages.values]


@pytest.fixture(
    params=[CloudEventsEnvelope(), CloudEventsEnvelope(content_type_header=False), PlainEnvelope()],
    ids=["cloudevents", "cloudevents-without-header", "plain"],
)
def envelope(request):
    return request.param


@pytest.fixture
def encode(envelope):
    return envelope.compile(SHAPE, STREAM)


def test_it_is_an_envelope(envelope):
    assert isinstance(envelope, Envelope)


def test_each_row_becomes_one_message_in_the_order_of_the_batch(encode):
    messages = encode(batch(rows(2_501)))
    assert messages.topic == "legacy.orders"
    assert list(messages.keys) == [str(at) for at in range(2_501)]
    assert [row_of(value) for value in messages.values] == [{"id": at, "status": f"s{at}"} for at in range(2_501)]
    assert len(set(ids(messages))) == 2_501


def test_a_batch_without_rows_becomes_no_messages(encode):
    assert encode(batch([])) == Messages(
        "legacy.orders", [], [], encode(batch(rows(1))).headers, encode(batch([])).each
    )


def test_the_same_row_becomes_the_same_message_wherever_it_stands(envelope):
    first, again = envelope.compile(SHAPE, STREAM), envelope.compile(SHAPE, STREAM)
    together = first(batch(rows(5)))
    alone = [again(batch(rows(1, at))) for at in range(5)]
    assert list(together.values) == [messages.values[0] for messages in alone]
    assert ids(together) == [ids(messages)[0] for messages in alone]


def test_another_version_of_a_row_has_another_id(encode):
    first, second = ("1", "new", "2026-11-23 09:15:02+00"), ("1", "paid", "2026-11-23 09:15:02+00")
    later = ("1", "new", "2026-11-23 09:15:03+00")
    assert len(set(ids(encode(batch([first, second, later]))))) == 3


def test_the_counter_tells_versions_apart_that_are_otherwise_equal(encode):
    (first,), (second,), (third,) = (ids(encode(batch(rows(1), counter=counter))) for counter in (0, 1, 2))
    assert [second, third] == [f"{first}:1", f"{first}:2"]


def test_a_row_that_never_changes_has_its_key_as_id(envelope):
    shape = dataclasses.replace(SHAPE, watermark=(0,))
    assert ids(envelope.compile(shape, STREAM)(batch(rows(2), op="c", shape=shape))) == ["0", "1"]


def test_new_rows_of_one_key_have_ids_of_their_own_where_another_column_tells_them_apart(envelope):
    shape = dataclasses.replace(SHAPE, key=(1,), watermark=(0,))
    new = [("1", "of Ada", rows(1)[0][2]), ("2", "of Ada", rows(1)[0][2])]
    first, second = ids(envelope.compile(shape, STREAM)(batch(new, op="c", shape=shape)))
    assert first.startswith("of Ada@1:")
    assert second.startswith("of Ada@2:")


def test_hidden_columns_stay_hidden(encode):
    assert "changed" not in row_of(encode(batch(rows(1))).values[0])


def test_a_null_in_the_key_is_refused_by_the_name_of_its_column(encode):
    with pytest.raises(EnvelopeError, match="'id' is part of the key but NULL"):
        encode(batch([*rows(2), (None, "s", "2026-11-23 09:15:02+00")]))


def test_after_a_refused_batch_the_next_one_is_encoded_as_ever(encode):
    with pytest.raises(EnvelopeError):
        encode(batch([("x", "s", "2026-11-23 09:15:02+00")]))
    assert list(encode(batch(rows(1))).keys) == ["0"]


def test_rows_without_a_key_need_numbers(envelope):
    shape = Shape(SHAPE.columns, (0, 1), ())
    encode = envelope.compile(shape, STREAM)
    with pytest.raises(EnvelopeError, match="no key columns"):
        encode(batch(rows(2), shape=shape))


@pytest.mark.parametrize("copies", [CopiesByMark, CopiesBySum])
def test_equal_rows_without_a_key_have_ids_of_their_own(envelope, copies):
    shape = Shape(SHAPE.columns, (1,), ())
    encode, counting, found = envelope.compile(shape, STREAM), copies(), []
    for _ in range(2):
        made = batch(rows(1_500), shape=shape)
        made.op, made.counter, made.generation, made.copies = "r", 4, 2, counting
        messages = encode(made)
        assert set(messages.keys) == {None}
        found += ids(messages)
    assert len(set(found)) == 3_000
    assert {one.split(":")[2] for one in found} == {"4"}
    assert {one.split(":")[3] for one in found} == {"1", "2"}
    assert {one.split(":")[4] for one in found} == {"g2"}


def test_names_that_data_would_hold_twice_are_refused_by_name(envelope):
    twice = (SHAPE.columns[0], SHAPE.columns[1], SHAPE.columns[1])
    with pytest.raises(EnvelopeError, match="'status' more than once"):
        envelope.compile(Shape(twice, (0, 1, 2), (0,)), STREAM)


def test_a_hidden_column_may_share_its_name_with_one_of_the_data(envelope):
    columns = (SHAPE.columns[0], SHAPE.columns[1], Column("id", Kind.TEXT, "text"))
    shape = Shape(columns, (0, 1), (2,))
    messages = envelope.compile(shape, STREAM)(batch([("1", "s", "k")], shape=shape))
    assert list(messages.keys) == ["k"]
    assert row_of(messages.values[0]) == {"id": 1, "status": "s"}


def test_a_type_that_cannot_be_carried_is_refused_with_its_cast(envelope):
    columns = (SHAPE.columns[0], Column("area", None, "polygon"))
    with pytest.raises(EnvelopeError, match=r"'area' has the type 'polygon'.*CAST\(area AS TEXT\)"):
        envelope.compile(Shape(columns, (0, 1), (0,)), STREAM)


def test_a_column_that_is_only_read_may_be_of_any_type(envelope):
    columns = (SHAPE.columns[0], Column("area", None, "polygon"))
    shape = Shape(columns, (0,), (0,))
    assert row_of(envelope.compile(shape, STREAM)(batch([("1", object())], shape=shape)).values[0]) == {"id": 1}


def test_data_may_be_empty(envelope):
    shape = Shape(SHAPE.columns[:1], (), (0,))
    messages = envelope.compile(shape, STREAM)(batch([("1",), ("2",)], shape=shape))
    assert [row_of(value) for value in messages.values] == [{}, {}]
    never = envelope.compile(shape, STREAM)(batch([("1",), ("2",)], op="c", shape=shape))
    assert [row_of(value) for value in never.values] == [{}, {}]


def test_an_unknown_zone_is_refused(envelope):
    with pytest.raises(EnvelopeError, match="'Mars/Olympus' is not a known time zone"):
        envelope.compile(SHAPE, STREAM._replace(source_timezone="Mars/Olympus"))
    with pytest.raises(EnvelopeError, match=r"'\.\./x' is not a known time zone"):
        envelope.compile(SHAPE, STREAM._replace(source_timezone="../x"))


def test_headers_are_constant(envelope, encode):
    assert encode(batch(rows(1))).headers is encode(batch(rows(1, 7))).headers
