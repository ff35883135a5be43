"""Tables and columns that are made, and the columns that values go to."""

from __future__ import annotations

import json

import pytest

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError, SchemaChangedError, TargetError
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.envelopes.decoders.cloudevents import CloudEventsDecoder
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder
from airflow_legacy_events.envelopes.decoders.plain import PlainDecoder
from tests.support.applying import applied, rows_of
from tests.support.decoding import NOTHING, STREAM, batch, decoded, poison, received, rows, step, table
from tests.support.fake_target import FakeTarget

ORDERS = table(id=Kind.INTEGER, v=Kind.TEXT)


def columns_of(target, name="t"):
    found = target.shapes[name]
    return {one.name: (one.kind, one.type) for one in found.columns}, found.named(found.key)


def test_a_table_by_the_json_of_its_first_batch():
    target = FakeTarget()
    messages = [
        ("1", {"id": 1, "a": None, "n": 1, "d": 1.5, "b": True, "t": "x", "o": {}, "l": [1], "big": 2**63, "m": 1}),
        ("2", {"id": 2, "a": "later", "n": 1.25, "d": 2, "b": None, "t": "y", "o": None, "l": [], "big": 1, "m": "x"}),
        ("3", None),
    ]
    applied(PlainDecoder(), target, messages, create_table=True, key_columns=["id"], column_types={"t": "citext"})
    found, key = columns_of(target)
    assert {name: kind for name, (kind, _) in found.items()} == {
        "id": Kind.INTEGER,
        "a": Kind.TEXT,
        "n": Kind.DECIMAL,
        "d": Kind.DECIMAL,
        "b": Kind.BOOLEAN,
        "t": Kind.TEXT,
        "o": Kind.JSON,
        "l": Kind.JSON,
        "big": Kind.DECIMAL,
        "m": Kind.TEXT,
    }
    assert (found["t"][1], key) == ("citext", ("id",))
    assert rows_of(target)["1"][2] == "1"
    assert rows_of(target)["2"][1] == "later"


def schema(*fields):
    row = [{"optional": True, **one} for one in fields]
    return {
        "type": "struct",
        "fields": [{"type": "struct", "field": one, "fields": row} for one in ("before", "after")],
    }


def test_a_table_by_the_schema_of_debezium():
    target = FakeTarget()
    connect, debezium = "org.apache.kafka.connect.data.", "io.debezium.time."
    decimal = {"type": "bytes", "name": f"{connect}Decimal"}
    fields = [
        {"field": "id", "type": "int32"},
        {"field": "v", "type": "string", "parameters": {"__debezium.source.column.length": "20"}},
        {"field": "d", **decimal, "parameters": {"scale": "2", "connect.decimal.precision": "10"}},
        {"field": "day", "type": "int32", "name": f"{debezium}Date"},
        {"field": "ts", "type": "int64", "name": f"{debezium}MicroTimestamp"},
        {"field": "at", "type": "string", "name": f"{debezium}ZonedTimestamp"},
        {"field": "u", "type": "string", "name": "io.debezium.data.Uuid"},
        {"field": "j", "type": "string", "name": "io.debezium.data.Json"},
        {"field": "days", "type": "array", "items": {"type": "int32", "name": f"{debezium}Date"}},
        {"field": "free", "type": "struct", "name": "io.debezium.data.VariableScaleDecimal"},
        {"field": "span", "type": "int64", "name": f"{debezium}MicroDuration"},
        {"field": "raw", "type": "bytes"},
    ]
    after = {
        "id": 1,
        "v": "a",
        "d": "BOI=",
        "day": 7430,
        "ts": 1767323045123456,
        "at": "2026-01-02T03:04:05Z",
        "u": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
        "j": '{"a":1}',
        "days": [7430, None],
        "free": {"scale": 3, "value": "BOI="},
        "span": -1_500_000,
        "raw": "AP8=",
    }
    value = {"schema": schema(*fields), "payload": {"before": None, "after": after, "source": {}, "op": "c"}}
    applied(DebeziumDecoder(), target, [({"id": 1}, value)], create_table=True)
    found, key = columns_of(target)
    assert key == ("id",)
    assert target.shapes["t"].columns[1].length == 20
    assert target.shapes["t"].columns[2][6:] == target.shapes["t"].columns[2]._replace(precision=10, scale=2)[6:]
    assert [kind for kind, _ in found.values()] == [
        *(Kind.INTEGER, Kind.TEXT, Kind.DECIMAL, Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT, Kind.UUID, Kind.JSON),
        *(Kind.JSON, Kind.DECIMAL, Kind.TEXT, Kind.BYTES),
    ]
    assert rows_of(target)["1"] == (
        *("1", "a", "12.50", "1990-05-06", "2026-01-02 03:04:05.123456", "2026-01-02 03:04:05+00"),
        *("7d444840-9dc0-11d1-b245-5ffdce74fad2", '{"a":1}', '["1990-05-06",null]', "1.250", "PT-1.500000S"),
        r"\x00ff",
    )


def test_a_table_without_a_key_is_not_made():
    with pytest.raises(ConfigurationError, match="name key_columns="):
        applied(PlainDecoder(), FakeTarget(), [("1", {"id": 1})], create_table=True)
    with pytest.raises(ConfigurationError, match="create_table=True"):
        applied(PlainDecoder(), FakeTarget(), [("1", {"id": 1})])


def test_deletes_alone_make_no_table():
    target = FakeTarget()
    made = applied(PlainDecoder(), target, [("1", None)], create_table=True, key_columns=["id"])
    assert target.shapes == {}
    assert made.delivered.skipped == 1


def test_metadata_columns_and_the_mark_of_deleted_rows_are_made_too():
    target = FakeTarget()
    options = {"key_columns": ["id"], "on_delete": "soft", "deleted_column": "gone"}
    metadata = {"offset": "at", "timestamp": "seen", "header.x": "x"}
    applied(PlainDecoder(), target, [("1", {"id": 1})], create_table=True, metadata_columns=metadata, **options)
    kinds = {name: kind for name, (kind, _) in columns_of(target)[0].items()}
    assert kinds == {"id": Kind.INTEGER, "at": Kind.INTEGER, "seen": Kind.INSTANT, "x": Kind.TEXT, "gone": Kind.BOOLEAN}


NEW = [("1", {"id": 1, "v": "a"}), ("2", {"id": 2, "v": "b", "n": None}), ("3", {"id": 3, "n": 5}), ("4", {"id": 4})]


def test_a_new_field_fails_with_the_statement_to_run():
    with pytest.raises(SchemaChangedError, match=r"(?s)'n'.*\nALTER TABLE t ADD n integer"):
        applied(PlainDecoder(), FakeTarget(shapes={"t": ORDERS}), NEW)


def test_a_new_field_is_ignored():
    target = FakeTarget(shapes={"t": ORDERS})
    applied(PlainDecoder(), target, NEW, on_schema_change="ignore")
    assert rows_of(target)["3"] == ("3", "default")


@pytest.mark.parametrize("size", [1, 2, 10])
def test_a_new_field_adds_its_column_once_it_has_a_value(size):
    target = FakeTarget(shapes={"t": ORDERS})
    applied(PlainDecoder(), target, NEW, size=size, on_schema_change="evolve")
    assert columns_of(target)[0]["n"] == (Kind.INTEGER, "integer")
    assert rows_of(target)["3"] == ("3", "default", "5")
    assert rows_of(target)["4"][:2] == ("4", "default")


def test_chosen_and_excluded_fields():
    row = ("1", {"id": 1, "v": "a", "secret": "x"})
    assert rows(decoded(PlainDecoder(), ORDERS, row, exclude_columns=["secret"])) == [("u", {"id": "1", "v": "a"})]
    assert rows(decoded(PlainDecoder(), ORDERS, row, columns={"id": "id", "secret": "v"})) == [
        ("u", {"id": "1", "v": "x"})
    ]
    with pytest.raises(ConfigurationError, match="has no column 'other'"):
        decoded(PlainDecoder(), ORDERS, row, columns={"id": "other"})


def test_a_column_that_the_database_writes_is_left_to_it():
    made = table(id=Kind.INTEGER, v=TargetColumn("", Kind.TEXT, "text", written=False))
    assert rows(decoded(PlainDecoder(), made, ("1", {"id": 1, "v": "a"}))) == [("u", {"id": "1"})]


WHAT = {
    "topic": Kind.TEXT,
    "partition": Kind.INTEGER,
    "offset": Kind.INTEGER,
    "timestamp": Kind.INSTANT,
    "message_key": Kind.TEXT,
    "event_id": Kind.TEXT,
    "event_time": Kind.TIMESTAMP,
    "op": Kind.TEXT,
}


@pytest.mark.parametrize("op", ["c", "d"])
def test_metadata(op):
    event = {"specversion": "1.0", "id": "e1", "time": "2026-01-02T03:04:05Z", "op": op, "data": {"id": 7}}
    found = decoded(
        CloudEventsDecoder(),
        table(id=Kind.INTEGER, **WHAT, h=Kind.BYTES, ms=Kind.INTEGER),
        ("7", event, 3, [("tenant", b"\xff"), ("tenant", b"a")]),
        metadata_columns={**{name.removeprefix("message_"): name for name in WHAT}, "header.tenant": "h"},
        mode="append",
    )
    [(_, row)] = rows(found)
    assert row == {
        "id": "7",
        "topic": "a.t",
        "partition": "3",
        "offset": "0",
        "timestamp": "2026-01-02 03:04:05.123+00",
        "message_key": "7",
        "event_id": "e1",
        "event_time": "2026-01-02 03:04:05",
        "op": op,
        "h": r"\x61",
    }


def test_a_timestamp_in_milliseconds_and_a_header_that_is_no_text():
    found = decoded(
        PlainDecoder(),
        table(id=Kind.INTEGER, ms=Kind.INTEGER, h=Kind.TEXT),
        ("1", {"id": 1}),
        ("2", {"id": 2}, 0, [("x", b"\xff")]),
        metadata_columns={"timestamp": "ms", "header.x": "h"},
    )
    assert rows(found) == [("u", {"id": "1", "ms": "1767323045123", "h": None})]
    assert poison(found) == [(1, "VALUE")]


def test_a_key_by_place_in_the_topic():
    shape = table(p=Kind.INTEGER, o=Kind.INTEGER, v=Kind.TEXT, key=(0, 1))
    metadata = {"partition": "p", "offset": "o"}
    found = decoded(PlainDecoder(), shape, (None, {"v": "a"}), key_columns=["p", "o"], metadata_columns=metadata)
    assert rows(found) == [("u", {"p": "0", "o": "0", "v": "a"})]


def event(table_, **data):
    return {"specversion": "1.0", "id": "e", "source": f"/c/{table_}", "op": "u", "data": data}


def test_tables_by_template():
    shapes = {name: table(name, id=Kind.INTEGER) for name in ("s.a", "s.b")}
    found = step(
        CloudEventsDecoder(), FakeTarget(shapes=shapes), table="{schema}.{source_table}", allowed_tables=[*shapes]
    )
    found.open()
    some = received(("1", event("s.a", id=1)), ("2", event("s.b", id=2)), ("3", event("s.c", id=3)), ("1", None))
    changes = found.compile(NOTHING, STREAM)(batch(some))
    assert [rows(changes, name) for name in ("s.a", "s.b")] == [[("u", {"id": "1"})], [("u", {"id": "2"})]]
    assert (changes.skipped, poison(changes)) == (1, [(3, "VALUE")])
    assert "{schema}, {source_table}" in changes.poison[0].reason


def test_a_tombstone_is_for_the_only_table_of_its_topic():
    shapes = {"s.a": table("s.a", id=Kind.INTEGER)}
    found = step(
        CloudEventsDecoder(), FakeTarget(shapes=shapes), table="{schema}.{source_table}", allowed_tables=["s.a"]
    )
    found.open()
    changes = found.compile(NOTHING, STREAM)(batch(received(("1", event("s.a", id=1)), ("2", None))))
    assert rows(changes, "s.a") == [("u", {"id": "1"}), ("d", {"id": "2"})]


@pytest.mark.parametrize(("template", "name"), [("{name}_x", "t_x"), ("{topic}", "a.t"), ("{{{name}}}", "{t}")])
def test_tables_by_topic(template, name):
    found = step(
        PlainDecoder(), FakeTarget(shapes={name: table(name, id=Kind.INTEGER)}), table=template, allowed_tables=[name]
    )
    found.open()
    assert rows(found.compile(NOTHING, STREAM)(batch(received(("1", {"id": 1})))), name) == [("u", {"id": "1"})]


def test_all_tables_that_are_missing_are_named():
    found = step(PlainDecoder(), FakeTarget(), table="{name}", allowed_tables=["a", "b"])
    with pytest.raises(ConfigurationError, match=r"(?s)table 'a'.*table 'b'"):
        found.open()


def test_a_quiet_run_looks_a_table_up_once():
    target = FakeTarget(shapes={"t": ORDERS})
    found = step(PlainDecoder(), target)
    found.open()
    decode = found.compile(NOTHING, STREAM)
    for _ in range(3):
        decode(batch(received(("1", {"id": 1, "v": "a"}))))
    assert target.looks == 1


def test_flattened_messages_of_debezium():
    found = decoded(
        PlainDecoder(),
        table(id=Kind.INTEGER, j=Kind.JSON, d=Kind.DATE),
        ('{"id":1}', {"id": 1, "j": '{"a":1}', "d": 7430, "__op": "u", "__deleted": "false", "__table": "x"}),
        ('{"id":2}', {"id": 2, "j": None, "d": None, "__deleted": "true"}),
        (json.dumps({"schema": None, "payload": {"id": 3}}), None),
    )
    assert rows(found) == [
        ("u", {"id": "1", "j": '{"a":1}', "d": "1990-05-06"}),
        ("d", {"id": "2"}),
        ("d", {"id": "3"}),
    ]


@pytest.mark.parametrize("how", ["fail", "evolve", "ignore"])
def test_a_field_that_differs_from_a_column_in_case_only_is_refused_with_the_columns_that_take_it(how):
    target = FakeTarget(shapes={"t": table(Id=Kind.INTEGER, Name=Kind.TEXT, n=Kind.INTEGER)})
    messages = [("1", {"id": 1, "NAME": "kept secret", "n": 3})]
    with pytest.raises(SchemaChangedError) as caught:
        applied(PlainDecoder(), target, messages, on_schema_change=how)
    assert len(target.shapes["t"].columns) == 3
    assert "'Id', 'Name' for the fields 'id', 'NAME'" in str(caught.value)
    assert str(caught.value).endswith("`columns={'id': 'Id', 'NAME': 'Name', 'n': 'n'}`")
    assert "secret" not in str(caught.value)
    applied(PlainDecoder(), target, messages, columns={"id": "Id", "NAME": "Name", "n": "n"})
    assert rows_of(target) == {"1": ("1", "kept secret", "3")}


def test_a_column_that_the_database_names_otherwise_is_an_error():
    class Shortens(FakeTarget):
        def add(self, table, columns):
            super().add(table, [one._replace(name=one.name[:5]) for one in columns])

    target = Shortens(shapes={"t": ORDERS})
    with pytest.raises(TargetError, match="no column of the names 'a_long_name'") as caught:
        applied(PlainDecoder(), target, [("1", {"id": 1, "a_long_name": "x"})], on_schema_change="evolve")
    assert "columns=" in str(caught.value)
    assert rows_of(target) == {}


def test_a_new_column_that_an_option_names_gets_the_kind_that_the_option_is_about():
    target = FakeTarget()
    after = {"id": 1, "amount": "BOI=", "at": 1767323045123, "text": "BOI=", "free": "1.50"}
    value = {"before": None, "after": after, "source": {}, "op": "c"}
    scales, units = {"amount": 2, "free": None}, {"at": "ms"}
    applied(DebeziumDecoder(), target, [({"id": 1}, value)], create_table=True, decimal_scales=scales, epoch_unit=units)
    assert [kind for kind, _ in columns_of(target)[0].values()] == [
        *(Kind.INTEGER, Kind.DECIMAL, Kind.TIMESTAMP, Kind.TEXT, Kind.DECIMAL),
    ]
    assert rows_of(target)["1"] == ("1", "12.50", "2026-01-02 03:04:05.123", "BOI=", "1.50")
