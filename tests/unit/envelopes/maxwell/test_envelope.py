"""Maxwell's messages at their edges: half a key change, types, headers, and what is refused."""

import json

import pytest

from airflow_legacy_events.core.columns import ABSENT, Column, Kind, Shape
from airflow_legacy_events.core.errors import ConfigurationError, EnvelopeError
from airflow_legacy_events.core.model import (
    HIDDEN,
    Batch,
    Formats,
    LogEvent,
    LogNotes,
    LogTransaction,
    Stream,
)
from airflow_legacy_events.envelopes.maxwell import MaxwellEnvelope
from airflow_legacy_events.envelopes.maxwell.geometry import well_known_text

STREAM = Stream(
    "m.d.t@log", "cdc.shop.orders", "", "", database="shop", schema="shop", table="orders", product="mariadb"
)
COLUMNS = (Column("Id", Kind.INTEGER, "int", nullable=False), Column('50 % "off"', Kind.TEXT, "text"))
BOTH = Shape((*COLUMNS, *HIDDEN, *COLUMNS), (0, 1), (0,), (2, 3), 4, before=(6, 7), numbered=True, table="shop.orders")
AFTER = Shape((*COLUMNS, *HIDDEN), (0, 1), (0,), (2, 3), 4, numbered=True, table="shop.orders")
TRUNCATED = Shape(HIDDEN, (), (), (0, 1), 2, numbered=True, table="shop.orders")
NO_OLD = (ABSENT, ABSENT)
PLACE = "bin.000001:100"
TRANSACTION = LogTransaction(
    "bin.000001:4", 7, "0-1-7", 1, None, 1_795_451_102, changes=9, events=[LogEvent(1, PLACE, "")]
)

KEY = '{"database":"shop","table":"orders","pk.id":1}'


def change(*values, number=1, old=NO_OLD, name="0-1-7"):
    return (*values, name, number, "2026-11-23 09:15:02.5+00", None, *old)


def encode(ops, *rows, shape=BOTH, notes=None, **options):
    found = MaxwellEnvelope().compile(shape, STREAM._replace(**options))
    notes = notes or LogNotes({"0-1-7": TRANSACTION})
    return found(Batch(shape, list(rows), len(rows), None, ops, notes=notes))


def values(messages):
    return [None if one is None else json.loads(one) for one in messages.values]


def test_an_update_that_changed_nothing_has_no_old_values():
    (found,) = values(encode("u", change("1", "a", old=("1", "a"))))
    assert "old" not in found
    (found,) = values(encode("u", change("1", None, old=("1", "a"))))
    assert found["old"] == {'50 % "off"': "a"}


def test_members_that_the_log_does_not_have_are_left_out():
    (found,) = values(encode("c", change("1", "a", name=PLACE), notes=LogNotes({PLACE: LogTransaction(PLACE)})))
    assert list(found) == [
        *("database", "table", "type", "ts", "xoffset", "position", "gtid"),
        *("primary_key", "primary_key_columns", "data"),
    ]
    assert (found["ts"], found["xoffset"], found["position"], found["gtid"]) == (1795425302, 0, PLACE, None)


def test_a_key_change_is_one_update_where_both_rows_are_here():
    moved = {("0-1-7", 2): ("5", "b"), ("0-1-7", 3): ("1", "a")}
    notes = LogNotes({"0-1-7": TRANSACTION}, moved)
    rows = [
        change("9", "x"),
        change("1", "a", number=2, old=("1", "a")),
        change("5", "b", number=3),
        change("6", "c", number=4),
    ]
    found = encode([*"cdcc"], *rows, notes=notes)
    assert [(one["type"], one["xoffset"]) for one in values(found)] == [("insert", 0), ("update", 1), ("insert", 2)]
    assert values(found)[1]["old"] == {"Id": 1, '50 % "off"': "a"}
    assert (found.rows, found.merged) == ([0, 2, 3], {1})
    assert found.by_topic() == {STREAM.topic: 4}
    forgotten = encode([*"cdcc"], *rows, notes=notes, tombstones=True)
    assert [one and one["type"] for one in values(forgotten)] == ["insert", None, "update", "insert"]
    assert (forgotten.rows, forgotten.merged, forgotten.keys[1]) == ([0, 1, 2, 3], set(), KEY)


@pytest.mark.parametrize(("half", "op", "type_"), [(0, "d", "delete"), (1, "c", "insert")])
def test_half_a_key_change_is_a_row_of_its_own(half, op, type_):
    moved = {("0-1-7", 2): ("5", "b"), ("0-1-7", 3): ("1", "a")}
    row = [change("1", "a", number=2, old=("1", "a")), change("5", "b", number=3)][half]
    found = encode([op], row, notes=LogNotes({"0-1-7": TRANSACTION}, moved))
    assert [one["type"] for one in values(found)] == [type_]
    assert not found.merged


def test_deletes_may_be_followed_by_tombstones():
    found = encode("d", change("1", "a", old=("1", "a")), tombstones=True)
    assert [one and one["type"] for one in values(found)] == ["delete", None]
    assert found.keys == [KEY] * 2
    assert len(encode("d", change("1", "a", old=("1", "a"))).values) == 1


def test_headers_of_the_stream_are_there():
    found = encode("c", change("1", "a"), headers=(("row", "{Id}"), ("team", "crm")))
    assert (found.headers, found.each) == ((("team", "crm"),), [(("row", "1"),)])


@pytest.mark.parametrize(
    ("kind", "type_", "value", "expected"),
    [
        (Kind.INTEGER, "bigint unsigned", str(2**64 - 1), "18446744073709551615"),
        (Kind.DECIMAL, "decimal", "-0.10", "-0.10"),
        (Kind.SINGLE, "float", "1.100000023841858", "1.1"),
        (Kind.FLOAT, "double", "3", "3.0"),
        (Kind.TEXT, "bit", "0010", "2"),
        (Kind.TEXT, "set", "x,ü", '["x","ü"]'),
        (Kind.TEXT, "set", "", "[]"),
        (Kind.TEXT, "enum", "b", '"b"'),
        (Kind.INTEGER, "year", "1999", "1999"),
        (Kind.DATE, "date", "0000-00-00", '"0000-00-00"'),
        (Kind.TIME, "time", "-838:59:59.00", '"-838:59:59.00"'),
        (Kind.TIMESTAMP, "datetime", "0000-00-00 00:00:00", '"0000-00-00 00:00:00"'),
        (Kind.INSTANT, "timestamp", "2026-01-02 03:04:05.120+00", '"2026-01-02 03:04:05.120"'),
        (Kind.BYTES, "blob", b"\x00\xff\x10", '"AP8Q"'),
        (Kind.JSON, "json", '{"a": 1.50}', '"{\\"a\\": 1.50}"'),
        (Kind.BYTES, "geometry", "\\x010100000000000000000000000000000000000840", '"POINT (0 3)"'),
        (Kind.TEXT, "varchar", None, "null"),
    ],
)
def test_values_of_each_type(kind, type_, value, expected):
    assert f'"data":{{"v":{expected}}}' in str(written(kind, type_, value).values[0])


def test_json_of_mysql_is_json_and_not_a_text():
    found = written(Kind.JSON, "json", '{"a": 1.50}', product="mysql")
    assert '"data":{"v":{"a": 1.50}}' in found.values[0]


@pytest.mark.parametrize("value", ["\\x01", "\\x0109000000", "\\x00000000010000", b"\x01\x01\x00\x00\x00" + bytes(17)])
def test_what_is_no_geometry_is_refused_without_its_value(value):
    with pytest.raises(EnvelopeError, match="column 'v' is declared 'geometry'"):
        written(Kind.BYTES, "geometry", value)


@pytest.mark.parametrize(
    ("wkb", "text"),
    [
        ("0000000001 3FF0000000000000 C004000000000000", "POINT (1 -2.5)"),
        ("0102000000 00000000", "LINESTRING EMPTY"),
        ("0102000000 01000000 000000000000F03F 7DC39425AD49B254", "LINESTRING (1 1" + "0" * 100 + ")"),
        ("0103000000 01000000 01000000 000000000000F03F 0000000000000040", "POLYGON ((1 2))"),
        ("0104000000 01000000 0101000000 000000000000F03F 0000000000000040", "MULTIPOINT ((1 2))"),
        ("0105000000 01000000 0102000000 01000000 000000000000F03F 0000000000000040", "MULTILINESTRING ((1 2))"),
        (
            "0106000000 01000000 0103000000 01000000 01000000 000000000000F03F 0000000000000040",
            "MULTIPOLYGON (((1 2)))",
        ),
        ("0107000000 01000000 0101000000 000000000000F03F 7B14AE47E17A843F", "GEOMETRYCOLLECTION (POINT (1 0.01))"),
        ("0107000000 00000000", "GEOMETRYCOLLECTION EMPTY"),
    ],
)
def test_geometries_are_written_as_text(wkb, text):
    assert well_known_text(bytes.fromhex(wkb)) == text


def test_a_geometry_that_claims_more_than_it_holds_ends_at_once():
    with pytest.raises(ValueError, match="cut"):
        well_known_text(bytes.fromhex("0102000000 FFFFFFFF"))
    with pytest.raises(ValueError, match="deep"):
        well_known_text(bytes.fromhex("0107000000 01000000") * 200)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"event_type": "x"}, "event_type"),
        ({"formats": Formats(decimals="number")}, "decimals"),
        ({"source_timezone": "Europe/Vienna"}, "source_timezone"),
    ],
)
def test_an_argument_that_would_be_ignored_is_refused(options, name):
    with pytest.raises(ConfigurationError, match=f"{name}= has no effect with MaxwellEnvelope"):
        encode("c", change("1", "a"), **options)


def test_other_logs_and_rows_are_refused():
    for shape, options in ((BOTH, {"product": "postgresql"}), (Shape(COLUMNS, (0, 1), (0,)), {})):
        with pytest.raises(EnvelopeError, match="is for ChangeLogDrainOperator on MariaDB and MySQL"):
            MaxwellEnvelope().compile(shape, STREAM._replace(**options))
    with pytest.raises(EnvelopeError, match="Maxwell has no message for TRUNCATE"):
        MaxwellEnvelope().compile(TRUNCATED, STREAM)
    with pytest.raises(ConfigurationError, match="leave images= out with MaxwellEnvelope"):
        MaxwellEnvelope().compile(AFTER, STREAM)


def test_a_row_without_its_key_is_refused():
    with pytest.raises(EnvelopeError, match="column 'Id' is part of the key but NULL in a row"):
        encode("c", change(None, "a"))


def written(kind, type_, value, product="mariadb"):
    columns = (COLUMNS[0], Column("v", kind, type_))
    shape = Shape(
        (*columns, *HIDDEN, columns[1]), (1,), (0,), (2, 3), 4, before=(6,), numbered=True, table="shop.orders"
    )
    encoder = MaxwellEnvelope().compile(shape, STREAM._replace(product=product))
    return encoder(
        Batch(shape, [("1", value, *change()[:4], ABSENT)], 1, None, "c", notes=LogNotes({"0-1-7": TRANSACTION}))
    )
