"""Outbox events in logical messages: what is one, and what each of its members becomes."""

from __future__ import annotations

import json

import pytest

from airflow_legacy_events.sources.changelog.outbox_json import MEMBERS, NoEventError, values_of

EVENT = '{"id":"e1","aggregatetype":"order","aggregateid":"7","type":"OrderPlaced","payload":%s%s}'


def values(payload="null", more="", timezone="UTC"):
    found = values_of(EVENT % (payload, more), timezone)
    return dict(zip(MEMBERS, found, strict=True))


def test_each_member_has_its_role_and_others_are_passed_over():
    found = values('{"total": 1}', ',"headers":{"tenant":"acme"},"timestamp":1764460800123,"trace":[1]')
    assert found == {
        "id": "e1",
        "aggregate_type": "order",
        "aggregate_id": "7",
        "event_type": "OrderPlaced",
        "payload": '{"total": 1}',
        "timestamp": 1764460800123,
        "headers": '{"tenant":"acme"}',
    }


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        ('{ "b":1.50,\n "a" :1e400, "é":"\\u00e9" }', '{ "b":1.50,\n "a" :1e400, "é":"\\u00e9" }'),
        ("[1, 2]", "[1, 2]"),
        ("9007199254740993", "9007199254740993"),
        ("true", "true"),
        ('"{\\"a\\": \\"\\u00fc\\"}"', '{"a": "ü"}'),
        ('""', ""),
        ("null", None),
    ],
)
def test_a_payload_is_what_the_application_wrote(payload, value):
    assert values(payload)["payload"] == value


def test_numbers_may_name_an_aggregate_and_a_type_may_be_null():
    content = '{"id":12345678901234567890123,"aggregatetype":"o","aggregateid":-7,"type":null,"payload":null}'
    found = dict(zip(MEMBERS, values_of(content, "UTC"), strict=True))
    assert (found["id"], found["aggregate_id"], found["event_type"]) == ("12345678901234567890123", "-7", None)


@pytest.mark.parametrize(
    ("member", "timezone", "milliseconds"),
    [
        ('"timestamp":"2026-11-23T09:15:02.123456+00:00"', "UTC", 1795425302123),
        ('"timestamp":"2026-11-23 10:15:02.123+01"', "UTC", 1795425302123),
        ('"timestamp":"2026-11-23T09:15:02.123Z"', "Europe/Vienna", 1795425302123),
        ('"timestamp":"2026-11-23T10:15:02.123"', "Europe/Vienna", 1795425302123),
        ('"timestamp":1795425302123', "UTC", 1795425302123),
        ('"created_at":1795425302123', "UTC", 1795425302123),
        ('"timestamp":null,"headers":null', "UTC", None),
    ],
)
def test_a_timestamp_is_a_time_or_its_milliseconds(member, timezone, milliseconds):
    assert values(more=f",{member}", timezone=timezone)["timestamp"] == milliseconds


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xe9", "it is not text in the database's encoding"),
        ("", "it is not a JSON object"),
        ("secret", "it is not a JSON object"),
        ("[]", "it is not a JSON object"),
        ('"secret"', "it is not a JSON object"),
        ('{"id":"secret"', "it is not a JSON object"),
        ('{"payload":' + "[" * 100_000, "it is not a JSON object"),
        ('{"id":"secret"}', "it has no member 'aggregatetype', 'aggregateid', 'type', 'payload'"),
        ('{"id":null,"aggregatetype":"","aggregateid":1,"type":"","payload":1}', "its member 'id' is neither"),
        ('{"id":1.5,"aggregatetype":"","aggregateid":1,"type":"","payload":1}', "its member 'id' is neither"),
        ('{"id":1,"aggregatetype":true,"aggregateid":1,"type":"","payload":1}', "its member 'aggregatetype' is"),
        ('{"id":1,"aggregatetype":"","aggregateid":{},"type":"","payload":1}', "its member 'aggregateid' is"),
        ('{"id":1,"aggregatetype":"","aggregateid":1,"type":[],"payload":1}', "its member 'type' is neither"),
        (EVENT % ("1", ',"timestamp":"secret"'), "its member 'timestamp' is neither a time"),
        (EVENT % ("1", ',"timestamp":0'), "its member 'timestamp' is neither a time"),
        (EVENT % ("1", ',"timestamp":1.5'), "its member 'timestamp' is neither a time"),
        (EVENT % ("1", ',"created_at":"0001-01-01T00:00:00+10"'), "its member 'created_at' is neither a time"),
        (EVENT % ("1", f',"timestamp":{1 << 63}'), "its member 'timestamp' is neither a time"),
    ],
)
def test_what_is_no_event_is_named_without_its_content(content, why):
    with pytest.raises(NoEventError) as refused:
        values_of(content, "UTC")
    assert refused.value.why.startswith(why)
    assert "secret" not in str(refused.value)


def test_every_json_value_is_a_payload_byte_for_byte():
    for payload in ({"a": [None, True, {"b": "c"}]}, [], 0, -1.5, False):
        written = json.dumps(payload, indent=1)
        assert values(written)["payload"] == written
