"""Messages of an outbox's rows: key, value, topic, partition, time and headers, and rows that must not be sent."""

from __future__ import annotations

import base64
import json
import sys

import pytest

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.model import Batch, Stream, Watermark
from airflow_legacy_events.envelopes.outbox import OutboxCloudEvents, PayloadEnvelope, RoutedEnvelope
from airflow_legacy_events.envelopes.outbox.schema import PayloadSchemas
from airflow_legacy_events.errors import ConfigurationError, EnvelopeError

COLUMNS = {
    "id": Kind.INTEGER,
    "aggregate_type": Kind.TEXT,
    "aggregate_id": Kind.TEXT,
    "event_type": Kind.TEXT,
    "payload": Kind.TEXT,
    "headers": Kind.TEXT,
    "timestamp": Kind.INSTANT,
    "partition": Kind.INTEGER,
    "tenant": Kind.TEXT,
}
ROW = {"id": "1", "aggregate_type": "order", "aggregate_id": "42", "event_type": "made", "payload": "{}"}
BYTES = {"payload": Kind.BYTES}


def encode(*rows, inner=None, topic="outbox.event.{aggregate_type}", headers=(), kinds=None, without=(), **options):
    """The messages of rows, each a dict of what differs from a plain one."""
    known = COLUMNS | (kinds or {})
    names = [name for name in known if name not in without]
    places = {name: at for at, name in enumerate(names)}
    time = places.get("timestamp") if known["timestamp"] is not Kind.INTEGER else None
    roles = {name: at for name, at in places.items() if name != "tenant"}
    group = tuple(roles[name] for name in ("aggregate_type", "aggregate_id") if name in roles)
    columns = tuple(Column(f"c_{name}" if name != "tenant" else name, known[name], "declared") for name in names)
    shape = Shape(columns, (roles["payload"],), (roles["aggregate_id"],), time=time, group=group, roles=roles)
    envelope = RoutedEnvelope(inner or PayloadEnvelope(), **options)
    stream = Stream("s", topic, "/crm/outbox", "crm.outbox.changed", headers=tuple(headers))
    made = [tuple((ROW | row).get(name) for name in names) for row in rows]
    return envelope.compile(shape, stream)(Batch(shape, made, len(made), Watermark((), None, {}), "c"))


def refused(messages):
    return [(one.index, one.error) for one in messages.refused]


PAYLOADS = ['{"a": 12.50, "b": null}', "[1,  2]", '"text"', "12.50", "", " {}\n", "no json: ä\x00", '{"a":1,"a":2}']


def test_a_payload_is_carried_byte_for_byte():
    messages = encode(*({"payload": payload} for payload in PAYLOADS), {"payload": None})
    assert messages.values == [*PAYLOADS, None]
    assert messages.refused == []
    hexed = ["\\x" + payload.encode().hex() for payload in PAYLOADS]
    found = encode(*({"payload": one} for one in (*hexed, None, b"\x00\xff", "\\xno hex")), kinds=BYTES)
    assert found.values == [*(payload.encode() for payload in PAYLOADS), None, b"\x00\xff", "\\xno hex"]


def test_a_number_in_a_column_without_a_type_is_its_text_and_in_a_binary_one_refused():
    assert encode({"payload": 12}, {"payload": "x"}, kinds={"payload": Kind.ANY}).values == ["12", "x"]
    messages = encode({"payload": 12}, {"payload": b"x"}, kinds=BYTES)
    assert refused(messages) == [(0, "INVALID_VALUE")]


def test_every_message_has_the_row_s_id_and_what_templates_say_of_it():
    messages = encode(
        {"tenant": "acme"},
        {"id": "2", "event_type": None},
        headers=[("eventType", "{event_type}"), ("tenant", "{tenant}/{aggregate_id}"), ("fixed", "x{{}}")],
    )
    assert [messages.headers_of(at) for at in (0, 1)] == [
        (("id", "1"), ("eventType", "made"), ("tenant", "acme/42"), ("fixed", "x{}")),
        (("id", "2"), ("fixed", "x{}")),
    ]


def test_a_row_holds_headers_of_its_own():
    messages = encode({"headers": '{"trace": "ä"}'}, {"headers": None}, {"headers": "{}"}, headers=[("tenant", "x")])
    plain = (("tenant", "x"),)
    assert [messages.headers_of(at)[1:] for at in range(3)] == [(*plain, ("trace", "ä")), plain, plain]
    assert not messages.refused


@pytest.mark.parametrize(
    "held",
    [
        "",
        "{",
        "[]",
        "null",
        '"x"',
        '{"a": 1}',
        '{"a": null}',
        '{"a": {}}',
        '{"id": "9"}',
        '{"a\\u0000b": "x"}',
        '{"tenant": "other"}',
        b"\xff",
    ],
)
def test_headers_that_are_no_object_of_texts_or_that_the_drain_writes_refuse_the_row(held):
    messages = encode({}, {"headers": held}, headers=[("tenant", "x")])
    assert refused(messages) == [(1, "INVALID_HEADERS")]
    assert "other" not in messages.refused[0].reason


def test_headers_of_a_row_are_none_of_its_envelope_s():
    rows = [{"headers": one} for one in ('{"ce_id": "9"}', '{"content-type": "x"}', '{"trace": "x"}')]
    assert refused(encode(*rows, inner=OutboxCloudEvents(binary=True))) == [
        (0, "INVALID_HEADERS"),
        (1, "INVALID_HEADERS"),
    ]


def test_the_row_names_topic_partition_and_time():
    messages = encode(
        {"timestamp": "2026-11-23 09:15:02.123456+00", "partition": "3"},
        {"aggregate_type": "customer", "partition": None},
        {"timestamp": "1969-12-31 00:00:00+00"},
        {"timestamp": "infinity"},
        *({"partition": one} for one in ("-1", "x", "3.5")),
        topic="{aggregate_type}.{event_type}",
        kinds={"partition": Kind.TEXT},
    )
    assert messages.topics == ["order.made", "customer.made", *["order.made"] * 5]
    assert messages.partitions[:2] == [3, None]
    assert messages.timestamps[:2] == [1795425302123, None]
    assert refused(messages) == [
        *((at, "INVALID_TIMESTAMP") for at in (2, 3)),
        *((at, "UNKNOWN_PARTITION") for at in (4, 5, 6)),
    ]


def test_an_integer_time_is_milliseconds():
    messages = encode(*({"timestamp": one} for one in ("1761984000123", 5, None, 0)), kinds={"timestamp": Kind.INTEGER})
    assert messages.timestamps[:3] == [1761984000123, 5, None]
    assert refused(messages) == [(3, "INVALID_TIMESTAMP")]


def test_what_names_the_aggregate_or_the_topic_is_never_null():
    messages = encode({"aggregate_id": None}, {"aggregate_type": None}, {"tenant": None}, topic="t.{tenant}")
    assert refused(messages) == [(0, "INVALID_VALUE"), (1, "INVALID_VALUE"), (2, "TOPIC_NOT_ALLOWED")]
    assert "'tenant', one of which is NULL" in messages.refused[2].reason
    assert refused(encode({"aggregate_id": None}, without=("aggregate_type",), topic="t")) == [(0, "INVALID_VALUE")]


def test_no_row_invents_a_topic_that_is_not_allowed():
    kinds = ("order", "orders", "order.x", "cart", "xorder", "o*")
    rows = [{"aggregate_type": one} for one in kinds]
    messages = encode(*rows, topic="e.{aggregate_type}", allowed_topics=["e.order", "e.order.*", "e.c*t"])
    assert refused(messages) == [(at, "TOPIC_NOT_ALLOWED") for at in (1, 4, 5)]
    assert all(word not in one.reason for one in messages.refused for word in kinds)


def test_a_template_of_what_is_not_read_is_refused_at_once():
    with pytest.raises(EnvelopeError, match="'nothing', which is not read"):
        encode({}, topic="{nothing}")


def test_a_value_that_is_none_of_its_column_s_refuses_its_row_alone():
    messages = encode({}, {"id": "x y", "payload": None}, {}, {"timestamp": "soon"}, {"id": "7"})
    assert [one.index for one in messages.refused] == [1, 3]
    assert [messages.headers_of(at) for at in (0, 4)] == [(("id", "1"),), (("id", "7"),)]


DEEP = "[" * 100_000 + "]" * 100_000


def test_a_cloudevent_holds_the_payload_untouched():
    messages = encode(
        {"payload": '{"a":  12.50}', "timestamp": "2026-11-23 09:15:02.5+00"},
        {"payload": None},
        {"payload": "no json"},
        {"event_type": None},
        {"payload": DEEP},
        inner=OutboxCloudEvents(),
        headers=[("x", "y")],
    )
    assert messages.values[0] == (
        '{"specversion":"1.0","id":"1","source":"/crm/outbox","type":"made","subject":"42",'
        '"time":"2026-11-23T09:15:02.500000Z","datacontenttype":"application/json","data":{"a":  12.50}}'
    )
    assert messages.values[1] is None
    assert refused(messages) == [(at, "INVALID_VALUE") for at in (2, 3, 4)]
    assert messages.headers_of(0) == (
        ("content-type", "application/cloudevents+json; charset=utf-8"),
        ("id", "1"),
        ("x", "y"),
    )


def test_a_cloudevent_of_bytes_holds_json_as_it_is_and_others_in_base64():
    rows = [{"payload": one} for one in (b'{"\xc3\xa4": 1}', b"\x00\xff", "\\x" + b"[]".hex())]
    messages = encode(*rows, kinds=BYTES, inner=OutboxCloudEvents(), without=("event_type", "timestamp"))
    events = [json.loads(value) for value in messages.values]
    assert [event.get("data") for event in events] == [{"ä": 1}, None, []]
    assert base64.b64decode(events[1]["data_base64"]) == b"\x00\xff"
    assert {event["type"] for event in events} == {"crm.outbox.changed"}
    assert "time" not in events[0]


@pytest.mark.parametrize("binary", [False, True])
def test_bytes_that_only_look_like_json_stop_no_other_row(binary):
    rows = [{"payload": one} for one in (b"{}", b'{"name": "M\xfcller"}', b"[]")]
    messages = encode(*rows, kinds=BYTES, inner=OutboxCloudEvents(binary=binary))
    assert not messages.refused
    if binary:
        types = [dict(messages.headers_of(at))["content-type"] for at in range(3)]
        assert types == ["application/json", "application/octet-stream", "application/json"]
    else:
        assert base64.b64decode(json.loads(messages.values[1])["data_base64"]) == b'{"name": "M\xfcller"}'


def test_a_binary_cloudevent_has_its_attributes_as_headers_and_says_what_the_value_is():
    one = encode({"timestamp": "2026-11-23 09:15:02+00"}, inner=OutboxCloudEvents(binary=True), headers=[("x", "y")])
    assert one.values == ["{}"]
    assert one.headers_of(0) == (
        ("content-type", "application/json"),
        ("ce_specversion", "1.0"),
        ("ce_id", "1"),
        ("ce_source", "/crm/outbox"),
        ("ce_type", "made"),
        ("ce_subject", "42"),
        ("ce_time", "2026-11-23T09:15:02.000000Z"),
        ("id", "1"),
        ("x", "y"),
    )
    rows = [{"payload": value} for value in ("text", "{}", None)]
    mixed = encode(*rows, inner=OutboxCloudEvents(binary=True))
    types = [dict(mixed.headers_of(at))["content-type"] for at in range(3)]
    assert types == ["text/plain; charset=utf-8", "application/json", "application/json"]
    raw = encode({"payload": b"\x00"}, kinds=BYTES, inner=OutboxCloudEvents(binary=True))
    assert dict(raw.headers_of(0))["content-type"] == "application/octet-stream"
    assert not mixed.refused


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'airflow-legacy-events\[jsonschema\]'"):
        PayloadSchemas({})


@pytest.mark.parametrize(
    ("schema", "told"),
    [("nothing.json", "nor a file with one"), (5, "neither a schema"), ({"type": 5}, "is not a JSON schema")],
)
def test_what_is_no_schema_is_refused(schema, told):
    with pytest.raises(ConfigurationError, match=rf"json_schema\['made'\].*{told}"):
        PayloadSchemas({"made": schema})


SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}


def test_payloads_are_held_to_the_schema_of_their_event_type(tmp_path):
    file = tmp_path / "any.json"
    file.write_text('{"type": ["object", "array", "number"]}')
    schemas = PayloadSchemas({"made": SCHEMA, "*": str(file), "free": True})
    messages = encode(
        *({"payload": one} for one in ('{"n": 1}', '{"n": "secret"}', "{}", "no json", None)),
        {"event_type": "other", "payload": '"text"'},
        {"event_type": None, "payload": "[]"},
        {"event_type": "free", "payload": '"text"'},
        {"payload": DEEP},
        schemas=schemas,
    )
    assert refused(messages) == [(at, "INVALID_SCHEMA") for at in (1, 2, 3, 5, 8)]
    assert [one.reason for one in messages.refused] == [
        "at $.n the schema's 'type' is not met",
        "at $ the schema's 'required' is not met",
        "the payload is not JSON",
        "at $ the schema's 'type' is not met",
        "the payload is nested too deeply to be checked",
    ]


def test_a_number_that_can_t_be_checked_refuses_its_row_alone():
    schemas = PayloadSchemas({"*": {"multipleOf": 0.01}})
    messages = encode(*({"payload": one} for one in ("1", "1e400", "1" + "0" * 400, "2")), schemas=schemas)
    assert refused(messages) == [(1, "INVALID_SCHEMA"), (2, "INVALID_SCHEMA")]
    assert "too large" in messages.refused[0].reason


def test_a_reason_holds_no_name_that_only_the_payload_has():
    schema = {"properties": {"paid_by": {"additionalProperties": {"items": {"type": "integer"}}}}}
    messages = encode({"payload": '{"paid_by": {"ann@secret": [1, "x"]}}'}, schemas=PayloadSchemas({"*": schema}))
    assert [one.reason for one in messages.refused] == ["at $.paid_by.*[1] the schema's 'type' is not met"]


def test_a_reference_that_leads_nowhere_is_named():
    with pytest.raises(ConfigurationError, match=r"\$ref to '.*money'.*under \$defs"):
        encode({}, schemas=PayloadSchemas({"*": {"$ref": "#/$defs/money"}}))
