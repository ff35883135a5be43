"""Values of each type of PostgreSQL as Debezium writes them."""

import base64
import json
import struct

import pytest

from airflow_legacy_events.core.columns import ABSENT, Column, Elements, Kind
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.envelopes.debezium.values import ColumnForms, TypeName


def forms(kind, type_, *values, precise=True, elements=None):
    return list(ColumnForms(Column("v", Kind(kind), type_, elements=elements), precise=precise).of(values))


def unscaled(text):
    return int.from_bytes(base64.b64decode(json.loads(text)), "big", signed=True)


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("numeric(10,2)", ("numeric", 10, 2)),
        ("numeric(10, 2)[]", ("numeric", 10, 2)),
        ("timestamp(3) without time zone", ("timestamp without time zone", 3, None)),
        ("timestamptz", ("timestamptz", None, None)),
        ('public."hstore"', ("hstore", None, None)),
        ('"bit"', ("bit", None, None)),
        ("bit varying(5)", ("bit varying", 5, None)),
    ],
)
def test_names_of_types(written, parts):
    assert TypeName.of(written) == parts


@pytest.mark.parametrize(
    ("kind", "type_", "text", "json_"),
    [
        ("integer", "int8", "-9223372036854775808", "-9223372036854775808"),
        ("integer", "oid", "4294967295", "4294967295"),
        ("decimal", "numeric(10,2)", "12.50", '"BOI="'),
        ("decimal", "numeric(10,2)", "0.00", '"AA=="'),
        ("decimal", "numeric(10,2)", "-1.28", '"gA=="'),
        ("decimal", "numeric(10,2)", "1.28", '"AIA="'),
        ("decimal", "numeric(5,0)", "255", '"AP8="'),
        ("decimal", "numeric(3,-2)", "12800", '"AIA="'),
        ("decimal", "numeric(3,2046)", "12800", '"AIA="'),
        ("decimal", "numeric", "12.500", '{"scale":1,"value":"fQ=="}'),
        ("decimal", "numeric", "-0.001", '{"scale":3,"value":"/w=="}'),
        ("decimal", "numeric", "1200", '{"scale":0,"value":"BLA="}'),
        ("decimal", "numeric", "0.000", '{"scale":0,"value":"AA=="}'),
        ("money", "money", "-$1,234.56", '"/h3A"'),
        ("float", "float8", "3", "3.0"),
        ("float", "float8", "-0", "-0.0"),
        ("float", "float8", "1e+20", "1e+20"),
        ("float", "float8", "NaN", '"NaN"'),
        ("float", "float4", "-Infinity", '"-Infinity"'),
        ("boolean", "bool", "t", "true"),
        ("text", "text", 'a"\n', '"a\\"\\n"'),
        ("text", "bpchar(3)", "a  ", '"a  "'),
        ("text", "int4range", "[1,5)", '"[1,5)"'),
        ("uuid", "uuid", "7d444840-9dc0-11d1-b245-5ffdce74fad2", '"7d444840-9dc0-11d1-b245-5ffdce74fad2"'),
        ("json", "json", '{"a" : 1}', '"{\\"a\\" : 1}"'),
        ("bytes", "bytea", "\\xdeadbeef", '"3q2+7w=="'),
        ("date", "date", "1969-12-31", "-1"),
        ("date", "date", "2000-02-29", "11016"),
        ("date", "date", "0044-03-15 BC", "-735160"),
        ("date", "date", "0001-01-01", "-719162"),
        ("date", "date", "0001-12-31 BC", "-719163"),
        ("date", "date", "10000-01-01", "2932897"),
        ("time", "time", "12:34:56.789", "45296789000"),
        ("time", "time(6)", "24:00:00", "86400000000"),
        ("time", "time(3)", "12:34:56.789", "45296789"),
        ("time", "time(0) without time zone", "00:00:01", "1000"),
        ("time", "timetz", "10:34:56+02", '"08:34:56Z"'),
        ("time", "timetz(6)", "00:30:00.5+05:30", '"19:00:00.5Z"'),
        ("time", "time with time zone", "23:00:00-02", '"01:00:00Z"'),
        ("time", "timetz", "24:00:00+00", '"24:00:00Z"'),
        ("timestamp", "timestamp", "1970-01-01 00:00:00.000001", "1"),
        ("timestamp", "timestamp(6)", "1969-12-31 23:59:59.9", "-100000"),
        ("timestamp", "timestamp(3)", "1969-12-31 23:59:59.999", "-1"),
        ("timestamp", "timestamp", "infinity", "9223372036825200000"),
        ("timestamp", "timestamp", "-infinity", "-9223372036832400000"),
        ("timestamp", "timestamp", "0044-03-15 12:00:00 BC", str(-735160 * 86_400_000_000 + 43_200_000_000)),
        ("instant", "timestamptz", "2026-01-02 03:04:05+00", '"2026-01-02T03:04:05.000000Z"'),
        ("instant", "timestamptz(3)", "2026-01-02 03:04:05.12+00", '"2026-01-02T03:04:05.120Z"'),
        ("instant", "timestamptz(0)", "2026-01-02 03:04:05+00", '"2026-01-02T03:04:05Z"'),
        ("instant", "timestamptz", "0044-03-15 00:00:00+00 BC", '"-0043-03-15T00:00:00.000000Z"'),
        ("instant", "timestamptz", "0001-03-15 00:00:00+00 BC", '"0000-03-15T00:00:00.000000Z"'),
        ("instant", "timestamptz", "10000-01-01 00:00:00+00", '"+10000-01-01T00:00:00.000000Z"'),
        ("instant", "timestamptz", "-infinity", '"-infinity"'),
        ("text", "interval", "1 year 2 mons 3 days 04:05:06.789", str(14 * 2629800000000 + 273906789000)),
        ("text", "interval", "-1 days -00:00:01.5", "-86401500000"),
        ("text", "interval", "-1 years +3 days", str(-12 * 2629800000000 + 3 * 86400000000)),
        ("text", "interval", "00:00:00", "0"),
        ("text", "bit", "1", "true"),
        ("text", '"bit"', "0", "false"),
        ("text", "bit", "0000000101", '"BQ=="'),
        ("text", "bit varying", "100000001", '"AQE="'),
        ("text", "bit varying", "", '""'),
        ("text", "public.hstore", '"a\\"b"=>"1", "c"=>NULL', '"{\\"a\\\\\\"b\\":\\"1\\",\\"c\\":null}"'),
        ("text", "hstore", "", '"{}"'),
    ],
)
def test_a_value_becomes_this_json(kind, type_, text, json_):
    assert forms(kind, type_, text) == [json_]
    assert forms(kind, type_, text, None, ABSENT, text) == [json_, "null", None, json_]
    json.loads(json_)


@pytest.mark.parametrize(
    ("kind", "type_", "text", "json_"),
    [
        ("decimal", "numeric(10,2)", "12.50", '"12.50"'),
        ("decimal", "numeric", "NaN", '"NaN"'),
        ("decimal", "numeric", "-Infinity", '"-Infinity"'),
        ("money", "money", "-$1,234.56", '"-1234.56"'),
    ],
)
def test_decimals_may_be_texts(kind, type_, text, json_):
    assert forms(kind, type_, text, precise=False) == [json_]


def test_a_number_of_any_length_has_its_bytes():
    digits = "9" * 131_072
    (found,) = forms("decimal", "numeric", f"-{digits}.5")
    value = json.loads(found)
    assert value["scale"] == 1
    assert unscaled(json.dumps(value["value"])) == -(10**131_073 - 10 + 5)


def test_a_point_has_its_well_known_binary():
    (found,) = forms("text", "point", "(1.5,-2)")
    value = json.loads(found)
    assert list(value) == ["x", "y", "wkb", "srid"]
    assert (value["x"], value["y"], value["srid"]) == (1.5, -2.0, None)
    assert struct.unpack("<BIdd", base64.b64decode(value["wkb"])) == (1, 1, 1.5, -2.0)


@pytest.mark.parametrize(
    ("kind", "type_", "text", "json_"),
    [
        ("text", "text[]", '{x,"a\\"b",NULL}', '["x","a\\"b",null]'),
        ("decimal", "numeric(10,2)[]", "{12.50}", '["BOI="]'),
        ("date", "date[]", "{1970-01-02,NULL}", "[1,null]"),
        ("instant", "timestamptz[]", '{"2026-01-02 03:04:05+00"}', '["2026-01-02T03:04:05.000000Z"]'),
        ("float", "float8[]", "{{1},{2.5}}", "[[1.0],[2.5]]"),
        ("json", "jsonb[]", '{"{\\"a\\": 1}"}', '["{\\"a\\": 1}"]'),
    ],
)
def test_an_array_holds_values_of_its_elements(kind, type_, text, json_):
    assert forms("array", type_, text, elements=Elements(Kind(kind))) == [json_]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("type_", ["numeric", "numeric(10,2)"])
def test_a_decimal_that_bytes_cannot_hold_is_refused_with_what_can(type_, text):
    with pytest.raises(EnvelopeError) as refused:
        forms("decimal", type_, "1.00", text, None)
    assert str(refused.value).index('DebeziumEnvelope(decimals="string")') < 100
    with pytest.raises(EnvelopeError, match="column 'v' holds NaN or an infinity"):
        forms("array", f"{type_}[]", f"{{{text}}}", elements=Elements(Kind.DECIMAL))


@pytest.mark.parametrize(
    ("kind", "type_", "what"), [("date", "date", "an infinite date"), ("text", "interval", "an infinite interval")]
)
def test_what_has_no_number_in_debezium_is_refused(kind, type_, what):
    with pytest.raises(EnvelopeError, match=f"column 'v' holds {what}: use envelope='cloudevents', or exclude_columns"):
        forms(kind, type_, "-infinity")


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("decimal", "numeric(4,1)"),
        ("decimal", "numeric"),
        ("date", "date"),
        ("time", "time"),
        ("time", "timetz"),
        ("timestamp", "timestamp"),
        ("instant", "timestamptz"),
        ("text", "interval"),
        ("text", "bit"),
        ("text", "point"),
        ("text", "hstore"),
    ],
)
@pytest.mark.parametrize("text", ["secret", "2-3", "1.23x", "(a,b)", "(1,inf)"])
def test_a_text_of_another_kind_is_refused_without_its_value(kind, type_, text):
    with pytest.raises(EnvelopeError, match="column 'v' is declared") as refused:
        forms(kind, type_, text, None)
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "type_", "elements", "json_"),
    [
        ("text", "text", None, '"__debezium_unavailable_value"'),
        ("json", "jsonb", None, '"__debezium_unavailable_value"'),
        ("bytes", "bytea", None, '"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="'),
        ("array", "text[]", Elements(Kind.TEXT), '["__debezium_unavailable_value"]'),
        (
            "array",
            "int4[]",
            Elements(Kind.INTEGER),
            json.dumps([*b"__debezium_unavailable_value"], separators=(",", ":")),
        ),
        (
            *("text", "hstore", None),
            '"{\\"__debezium_unavailable_value\\":\\"__debezium_unavailable_value\\"}"',
        ),
    ],
)
def test_an_unchanged_value_has_the_placeholder_of_its_type(kind, type_, elements, json_):
    column = ColumnForms(Column("v", Kind(kind), type_, elements=elements), precise=True)
    assert column.filled([None, "1", None], [None, None, "null"]) == [json_, "1", "null"]
