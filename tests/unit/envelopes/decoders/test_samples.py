"""Messages that Debezium and Maxwell really sent are understood value by value; what can't be known is refused."""

from __future__ import annotations

import json

import pytest

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.model import STARTED
from airflow_legacy_events.core.model.changes import DELETE, UPSERT, Received, TargetColumn, TargetShape
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder
from airflow_legacy_events.envelopes.decoders.maxwell import MaxwellDecoder
from airflow_legacy_events.envelopes.decoders.values import Options
from airflow_legacy_events.envelopes.decoding.assembling import TableAssembler

COLUMNS = {
    "id": (Kind.INTEGER, "bigint"),
    "v": (Kind.TEXT, "varchar(20)"),
    "d": (Kind.DECIMAL, "decimal(10,3)"),
    "ts": (Kind.TIMESTAMP, "datetime(6)"),
    "t2": (Kind.TIMESTAMP, "datetime(3)"),
    "j": (Kind.JSON, "json"),
    "b": (Kind.BYTES, "blob"),
    "u": (Kind.INTEGER, "bigint unsigned"),
}


def received(key, value, *headers):
    encoded = [None if one is None else one.encode() for one in (key, value)]
    return Received(["t"], [0], [7], [encoded[0]], [encoded[1]], [headers], [None])


def change(reader, message, columns=COLUMNS, key=(0,)):
    shape = TargetShape("t", tuple(TargetColumn(name, *one) for name, one in columns.items()), key)
    assembler = TableAssembler(shape, dict(enumerate(columns)), reader, Options())
    meaning = reader.read(message, 0)
    assert meaning is not None
    assembler.add(meaning, message, 0)
    found = assembler.take()
    return found.ops[0], dict(zip(columns, found.rows[0], strict=True)), found


MAXWELL = (
    '{"database":"shop","table":"orders","type":"update","ts":1795451102,"xid":152,"commit":true,"position":"b.1:27601",'
    '"gtid":"6b0a16dd:21","primary_key":[7],"primary_key_columns":["id"],"data":{"id":7,"v":"é€\\uD83D\\uDE00",'
    '"d":12345.678,"ts":"2026-01-02 03:04:05.123456","t2":"2026-01-02 03:04:05.123","j":{"a":1.50},"b":"AP8Q",'
    '"u":18446744073709551615},"old":{"id":1}}'
)


def test_a_changed_key_of_maxwell():
    op, row, found = change(MaxwellDecoder(), received('{"database":"shop","table":"orders","pk.id":7}', MAXWELL))
    assert op == UPSERT
    assert row == {
        "id": "7",
        "v": "é€😀",
        "d": "12345.678",
        "ts": "2026-01-02 03:04:05.123456",
        "t2": "2026-01-02 03:04:05.123",
        "j": '{"a":1.50}',
        "b": r"\x00ff10",
        "u": "18446744073709551615",
    }
    assert found.moved == {0: ("1",)}


def test_a_tombstone_of_maxwell_and_its_key():
    op, row, _ = change(MaxwellDecoder(), received('{"database":"shop","table":"orders","pk.id":7}', None))
    assert (op, row["id"], row["v"]) == (DELETE, "7", ABSENT)


@pytest.mark.parametrize("kind", ["bootstrap-complete", "table-create", "database-drop"])
def test_what_maxwell_says_beside_rows(kind):
    text = json.dumps({"database": "shop", "table": "t", "type": kind, "data": {}})
    assert MaxwellDecoder().read(received(None, text), 0) is None


def schema(**fields):
    row = [{"field": name, "optional": True, **one} for name, one in fields.items()]
    images = [{"type": "struct", "field": name, "fields": row} for name in ("before", "after")]
    return {"type": "struct", "fields": [*images, {"type": "string", "field": "op"}]}


def test_a_debezium_message_with_its_schema():
    fields = {
        "id": {"type": "int64"},
        "d": {"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "3"}},
        "ts": {"type": "int64", "name": "io.debezium.time.MicroTimestamp"},
        "t2": {"type": "int64", "name": "io.debezium.time.Timestamp"},
        "j": {"type": "string", "name": "io.debezium.data.Json"},
        "b": {"type": "bytes"},
    }
    after = {"id": 1, "d": "BOI=", "ts": 1767323045123456, "t2": 1767323045123, "j": '{"a": 1.50}', "b": "AP8Q"}
    payload = {"before": None, "after": after, "op": "c", "source": {"table": "t"}}
    value = {"schema": schema(**fields), "payload": payload}
    op, row, _ = change(DebeziumDecoder(), received('{"id":1}', json.dumps(value)))
    assert op == UPSERT
    assert row == {
        "id": "1",
        "v": ABSENT,
        "d": "1.250",
        "ts": "2026-01-02 03:04:05.123456",
        "t2": "2026-01-02 03:04:05.123",
        "j": '{"a": 1.50}',
        "b": r"\x00ff10",
        "u": ABSENT,
    }


@pytest.mark.parametrize(
    ("name", "written", "text"),
    [
        ("io.debezium.time.Date", 20454, "2026-01-01"),
        ("io.debezium.time.Date", 2147483647, "infinity"),
        ("io.debezium.time.MicroTimestamp", -1, "1969-12-31 23:59:59.999999"),
        ("io.debezium.time.NanoTimestamp", 1, "1970-01-01 00:00:00.000000001"),
        ("io.debezium.time.MicroTime", 86_399_999_999, "23:59:59.999999"),
        ("io.debezium.time.Time", 1, "00:00:00.001"),
    ],
)
def test_times_of_a_schema(name, written, text):
    kind = Kind.DATE if name.endswith("Date") else Kind.TIME if name.endswith("Time") else Kind.TIMESTAMP
    fields = {"id": {"type": "int64"}, "x": {"type": "int64", "name": name}}
    value = {"schema": schema(**fields), "payload": {"before": None, "after": {"id": 1, "x": written}, "op": "c"}}
    columns = {"id": COLUMNS["id"], "x": (kind, kind.value)}
    _, row, _ = change(DebeziumDecoder(), received(None, json.dumps(value)), columns)
    assert row["x"] == text


def test_what_debezium_left_out_is_absent():
    value = {"before": None, "after": {"id": 1, "v": "__debezium_unavailable_value"}, "op": "u"}
    _, row, found = change(DebeziumDecoder(), received('{"id":1}', json.dumps(value)))
    assert row["v"] is ABSENT
    assert found.partial == {0: ("v",)}


def test_the_beginning_of_a_bootstrap():
    text = json.dumps({"database": "shop", "table": "t", "type": "bootstrap-start", "data": {}})
    found = MaxwellDecoder().read(received(None, text), 0)
    assert found is not None
    assert (found.op, found.table.name, found.begins) == (STARTED, "t", True)


@pytest.mark.parametrize(
    "value",
    [{"ts_ms": 1}, {"status": "BEGIN", "id": "1"}, {"source": {}, "ddl": "DROP TABLE t"}, {"op": "m", "message": {}}],
)
def test_what_debezium_says_beside_rows(value):
    assert DebeziumDecoder().read(received(None, json.dumps(value)), 0) is None


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("[1]", "NOT_JSON"),
        ("{", "NOT_JSON"),
        ('{"op":"x"}', "VALUE"),
        ('{"op":"c","after":null}', "NOT_JSON"),
        ('{"after":{"id":1}}', "NOT_JSON"),
        ('{"op":"c","after":{"id":1,"d":"BOI="}}', "VALUE"),
        ('{"op":"c","after":{"id":1,"ts":1767323045123456}}', "VALUE"),
        ('{"op":"c","after":{"v":"a"}}', "NO_KEY"),
    ],
)
def test_what_is_refused_by_name_and_without_its_value(value, error):
    with pytest.raises(NotUnderstoodError) as found:
        change(DebeziumDecoder(), received(None, value))
    assert found.value.error == error
    assert "BOI" not in str(found.value)
    assert "1767323045" not in str(found.value)
