"""What messages take from columns besides their data: attributes, headers, timestamps; in both modes."""

import json

import pytest

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.model import Batch, Stream, Watermark
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.errors import ConfigurationError, EnvelopeError

STREAM = Stream("s", "t", "/crm/orders", "crm.orders.changed")
SHAPE = Shape(
    (
        Column("id", Kind.INTEGER, "int8"),
        Column("status", Kind.TEXT, "text"),
        Column("paid", Kind.BOOLEAN, "bool"),
        Column("at", Kind.TIMESTAMP, "timestamp"),
        Column("day", Kind.DATE, "date"),
    ),
    data=(0,),
    key=(0,),
)
ROW = ("7", 'new "ü"', "t", "2026-11-23 09:15:02.123999", "2026-11-23")


def encode(*rows, envelope=None, op="u", **stream):
    compiled = (envelope or CloudEventsEnvelope()).compile(SHAPE, STREAM._replace(**stream))
    return compiled(Batch(SHAPE, rows, len(rows), Watermark((), None, {}), op))


def test_attributes_are_filled_from_columns_as_a_key_would_hold_them():
    (value,) = encode(ROW, event_type="orders.{status}", event_source="/{paid}/{at}", subject="{id}-{id}").values
    event = json.loads(value)
    assert event["type"] == 'orders.new "ü"'
    assert event["source"] == "/true/2026-11-23T09:15:02.123999Z"
    assert event["subject"] == "7-7"
    assert event["data"] == {"id": 7}


def test_a_constant_template_is_text_and_double_braces_are_braces():
    (value,) = encode(ROW, event_type="a{{b}}", event_source="/x", subject="all").values
    event = json.loads(value)
    assert (event["type"], event["source"], event["subject"]) == ("a{b}", "/x", "all")


def test_a_stream_may_have_braces_in_its_own_names():
    (value,) = encode(ROW, source="/crm/{id}", type="crm.{x.changed").values
    event = json.loads(value)
    assert (event["source"], event["type"]) == ("/crm/%7Bid%7D", "crm.{x.changed")


def test_a_subject_with_a_null_or_without_text_is_absent():
    null = (*ROW[:1], None, *ROW[2:])
    first, second, third = map(json.loads, encode(null, ("8", "", *ROW[2:]), ROW, subject="{status}").values)
    assert "subject" not in first
    assert "subject" not in second
    assert third["subject"] == 'new "ü"'


@pytest.mark.parametrize("name", ["event_type", "event_source"])
@pytest.mark.parametrize("status", [None, ""])
def test_an_event_without_type_or_source_is_refused_by_the_column(name, status):
    with pytest.raises(EnvelopeError, match=f"built from the column 'status', which is NULL or empty.*Change {name}="):
        encode(ROW, ("8", status, *ROW[2:]), **{name: "{status}"})
    with pytest.raises(EnvelopeError, match="has an empty event"):
        encode(ROW, **{name: ""})


@pytest.mark.parametrize("text", ["{", "}", "{}", "{id", "{id:>5}", "{id!r}", "a}b"])
def test_what_is_no_template_is_refused_before_any_row(text):
    for wrong in ({"subject": text}, {"event_type": text}, {"event_source": text}, {"headers": (("x", text),)}):
        with pytest.raises(ConfigurationError, match="which is not a valid template"):
            encode(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"subject": "{nix}"}, {"headers": (("a", "{nix}"),)}, {"timestamp_column": "nix"}], ids=str
)
def test_an_unknown_column_is_refused_before_any_row(wrong):
    with pytest.raises(EnvelopeError, match="names the column 'nix', which is not read; there are 'id', 'status'"):
        encode(**wrong)


def test_headers_are_constant_or_filled_and_absent_where_a_column_is_null():
    headers = (("tenant", "acme"), ("state", "{status}/{paid}"), ("empty", ""))
    messages = encode(ROW, ("8", None, *ROW[2:]), ("9", "", *ROW[2:]), headers=headers)
    assert messages.headers == (
        ("content-type", "application/cloudevents+json; charset=utf-8"),
        ("tenant", "acme"),
        ("empty", ""),
    )
    assert messages.each == [(("state", 'new "ü"/true'),), (), (("state", "/true"),)]


def test_headers_of_a_plain_message_follow_its_id():
    messages = encode(ROW, envelope=PlainEnvelope(), headers=(("state", "{status}"),), op="c")
    assert messages.each == [(("id", "7"), ("state", 'new "ü"'))]


@pytest.mark.parametrize("envelope", [CloudEventsEnvelope(), CloudEventsEnvelope(binary=True), PlainEnvelope()])
def test_a_header_that_the_envelope_writes_is_refused(envelope):
    with pytest.raises(EnvelopeError, match="the header 'content-type' would be on a message more than once"):
        encode(ROW, envelope=envelope, headers=(("content-type", "x"),))


def test_the_timestamp_is_in_milliseconds_cut_off_and_absent_for_null():
    rows = [ROW, (*ROW[:3], None, None), (*ROW[:3], "1970-01-01 00:00:00.001", "1970-01-02")]
    assert encode(*rows, timestamp_column="at").timestamps == [1795425302123, None, 1]
    assert encode(*rows, timestamp_column="day").timestamps == [1795392000000, None, 86400000]
    assert encode(*rows).timestamps is None
    berlin = encode(ROW, timestamp_column="at", source_timezone="Europe/Berlin")
    assert berlin.timestamps == [1795425302123 - 3600000]


@pytest.mark.parametrize("at", ["infinity", "1970-01-01 00:00:00", "1969-12-31 23:59:59", "0044-03-15 12:00:00 BC"])
def test_a_time_that_no_message_can_have_is_refused(at):
    with pytest.raises(EnvelopeError, match="'at' is the message timestamp"):
        encode(ROW, (*ROW[:3], at, None), timestamp_column="at")


def test_only_a_time_can_be_the_timestamp():
    with pytest.raises(EnvelopeError, match="'status' is not a date or time, so it can't be the message timestamp"):
        encode(timestamp_column="status")


def test_a_binary_event_has_its_attributes_in_headers_and_the_row_as_value():
    envelope = CloudEventsEnvelope(binary=True)
    messages = encode(ROW, envelope=envelope, op="c", event_type="o.{status}", headers=(("region", "eu"),))
    assert messages.values == ['{"id":7}']
    assert messages.headers == (
        ("content-type", "application/json"),
        ("ce_specversion", "1.0"),
        ("ce_source", "/crm/orders"),
        ("region", "eu"),
    )
    assert messages.each == [(("ce_id", "7"), ("ce_type", 'o.new "ü"'), ("ce_subject", "7"), ("ce_op", "c"))]


def test_both_modes_say_the_same():
    shape = Shape(SHAPE.columns, (0, 1, 3), (1, 0), (3,), 3)
    rows = [ROW, (*ROW[:3], "infinity", None)]
    batch = Batch(shape, rows, 2, Watermark((), None, {}), "u", 3)
    structured = CloudEventsEnvelope().compile(shape, STREAM)(batch)
    binary = CloudEventsEnvelope(binary=True).compile(shape, STREAM)(batch)
    assert binary.keys == structured.keys
    for at, value in enumerate(structured.values):
        event = json.loads(value)
        headers = {name.removeprefix("ce_"): text for name, text in binary.headers_of(at)}
        assert json.loads(binary.values[at]) == event.pop("data")
        assert headers.pop("content-type") == event.pop("datacontenttype")
        assert headers == event


def test_the_content_type_can_be_left_out():
    names = [
        name for name, _ in encode(ROW, envelope=CloudEventsEnvelope(binary=True, content_type_header=False)).headers
    ]
    assert names == ["ce_specversion", "ce_source", "ce_type"]
    assert encode(ROW, envelope=CloudEventsEnvelope(content_type_header=False)).headers == ()
