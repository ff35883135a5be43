"""Attributes of CloudEvents hold what the specification allows, in both modes and whoever fills them."""

import json
import re

import pytest

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.model import Batch, Stream, Watermark
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.outbox import OutboxCloudEvents
from airflow_legacy_events.envelopes.outbox.routing import RoutedEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.streams.naming import make_stream

FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
NASTY = "a\r\nce_type: x\x00\x7f\x9b\uffff"
ESCAPED = "a%0D%0Ace_type: x%00%7F%C2%9B%EF%BF%BF"
STREAM = Stream("s", "t", "/crm/orders", "crm.orders.changed")
COLUMNS = (Column("name", Kind.TEXT, "text"), Column("at", Kind.TEXT, "text"), Column("n", Kind.INTEGER, "int8"))
SHAPES = [
    Shape(COLUMNS, (0, 2), (0,)),
    Shape(COLUMNS, (0, 2), (0,), (1,)),
    Shape(COLUMNS, (0, 2), (0, 1), (1, 0)),
    Shape(COLUMNS, (0, 2), (0,), (0,)),
]
ROWS = [("plain", "x", "1"), (NASTY, NASTY, "2"), ("ü", "x", "3")]


def encode(shape, rows, envelope, op="u", **stream):
    compiled = envelope.compile(shape, STREAM._replace(**stream))
    return compiled(Batch(shape, rows, len(rows), Watermark((), None, {}), op))


def attributes(messages):
    """The attributes of each message, in either mode."""
    found = []
    for at, value in enumerate(messages.values):
        headers = dict(messages.headers_of(at))
        if "cloudevents" in headers.get("content-type", ""):
            found.append({name: one for name, one in json.loads(value).items() if name != "data"})
        else:
            found.append({name[3:]: one for name, one in headers.items() if name.startswith("ce_")})
    return found


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("op", ["c", "u", "r"])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_control_character_stands_in_an_attribute(shape, op, binary):
    templates = {"event_type": "{name}.x", "event_source": "/{name}", "headers": (("ce_tenant", "{at}"),)}
    for stream in ({}, templates, {"subject": "{at}/{name}"}):
        messages = encode(shape, ROWS, CloudEventsEnvelope(binary=binary), op, **stream)
        for event in attributes(messages):
            assert [name for name, text in event.items() if FORBIDDEN.search(text)] == []
            assert {"id", "source", "type", "subject", "specversion"} <= event.keys()


@pytest.mark.parametrize("binary", [False, True])
def test_keys_and_data_stay_as_they_are(binary):
    messages = encode(SHAPES[0], ROWS, CloudEventsEnvelope(binary=binary))
    assert list(messages.keys) == [row[0] for row in ROWS]
    data = [json.loads(value) if binary else json.loads(value)["data"] for value in messages.values]
    assert [one["name"] for one in data] == [row[0] for row in ROWS]
    assert [event["subject"] for event in attributes(messages)] == ["plain", ESCAPED, "ü"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("op", ["c", "u"])
def test_rows_without_such_characters_are_the_same_beside_one_that_has_them(shape, op):
    alone = encode(shape, ROWS[::2], CloudEventsEnvelope(), op)
    beside = encode(shape, ROWS, CloudEventsEnvelope(), op)
    assert list(alone.values) == list(beside.values)[::2]


def test_both_modes_name_an_event_alike():
    for shape in SHAPES:
        for op in "cu":
            one, other = (attributes(encode(shape, ROWS, CloudEventsEnvelope(binary=b), op)) for b in (False, True))
            assert [event["id"] for event in one] == [event["id"] for event in other]
            assert len({event["id"] for event in one}) == len(ROWS)


def test_a_source_is_a_reference_whoever_writes_it():
    envelope = CloudEventsEnvelope()
    constant = encode(SHAPES[0], ROWS[:1], envelope, event_source="https://x/a%20b c")
    by_row = encode(SHAPES[0], [("a b", "x", "1"), ("a%20b", "x", "2")], envelope, event_source="urn:x:{name}")
    assert [event["source"] for event in attributes(constant)] == ["https://x/a%20b%20c"]
    assert [event["source"] for event in attributes(by_row)] == ["urn:x:a%20b"] * 2


@pytest.mark.parametrize(
    ("table", "source"),
    [
        ("orders", "/crm/orders"),
        ("sales.orders", "/crm/sales.orders"),
        ("Order Items", "/crm/Order%20Items"),
        ("a%20b", "/crm/a%2520b"),
        ("größe\n", "/crm/gr%C3%B6%C3%9Fe%0A"),
    ],
)
def test_the_default_source_is_the_escaped_name(table, source):
    named = {"conn_id": "crm", "topic": "t", "dag_id": "d", "task_id": "t", "name": None, "source_timezone": "UTC"}
    stream = make_stream(table=table, **named)
    assert stream.source == source
    (event,) = attributes(encode(SHAPES[0], ROWS[:1], CloudEventsEnvelope(), source=stream.source, type=stream.type))
    assert event["source"] == source
    assert event["type"] == f"crm.{table}.changed".replace("\n", "%0A")


def test_headers_that_are_no_attributes_stay_as_they_are():
    messages = encode(SHAPES[0], ROWS, CloudEventsEnvelope(), headers=(("note", "{name}"), ("ce_note", "{name}")))
    assert [dict(messages.headers_of(at))["note"] for at in range(len(ROWS))] == [row[0] for row in ROWS]
    assert dict(messages.headers_of(1))["ce_note"] == ESCAPED
    plain = encode(SHAPES[0], ROWS, PlainEnvelope())
    assert [dict(plain.headers_of(at))["id"].partition("@")[0] for at in range(len(ROWS))] == [row[0] for row in ROWS]


OUTBOX = Shape(
    (
        *(Column(name, Kind.TEXT, "text") for name in ("id", "aggregate", "kind", "headers")),
        Column("payload", Kind.JSON, "jsonb"),
    ),
    data=(4,),
    key=(1,),
    roles={"id": 0, "aggregate_type": 1, "event_type": 2, "headers": 3},
)


@pytest.mark.parametrize("binary", [False, True])
def test_attributes_of_an_outbox_likewise(binary):
    held = json.dumps({"ce_tenant": NASTY, "note": NASTY})
    rows = [(NASTY, NASTY, NASTY, held, "{}"), ("1", "2", "3", None, "{}")]
    envelope = RoutedEnvelope(OutboxCloudEvents(binary=binary))
    messages = encode(OUTBOX, rows, envelope, source="/crm/a b%c", headers=(("ce_kind", "{kind}"), ("kind", "{kind}")))
    assert list(messages.keys) == [NASTY, "2"]
    first, second = attributes(messages)
    assert [name for name, text in first.items() if FORBIDDEN.search(text)] == []
    assert first["id"] == first["subject"] == first["type"] == ESCAPED
    assert (second["id"], second["source"]) == ("1", "/crm/a%20b%25c")
    headers = dict(messages.headers_of(0))
    assert headers["ce_kind"] == headers["ce_tenant"] == ESCAPED
    assert headers["kind"] == headers["note"] == NASTY
