"""What one value of each kind becomes in `data`, and which values are refused."""

import json
import math
import traceback

import pytest

from airflow_legacy_events.core.columns import Column, Elements, Kind, Shape
from airflow_legacy_events.core.model import Batch, Stream, Watermark
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.errors import EnvelopeError

STREAM = Stream("s", "t", "/s", "s")


def data_texts(kind, *values, timezone="UTC", checked=False):
    """The texts of the member `v`, exactly as they stand in the messages."""
    elements = Elements(Kind.TEXT) if kind is Kind.ARRAY else None
    column = Column("v", kind, "declared", elements=elements, checked=checked)
    shape = Shape((Column("id", Kind.INTEGER, "int8"), column), (1,), (0,))
    encode = PlainEnvelope().compile(shape, STREAM._replace(source_timezone=timezone))
    rows = list(enumerate(values))
    messages = encode(Batch(shape, rows, len(rows), Watermark((), None, {}), "u"))
    return [value.removeprefix('{"v":').removesuffix("}") for value in messages.values]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.INTEGER, "0", "0"),
        (Kind.INTEGER, "-9223372036854775808", "-9223372036854775808"),
        (Kind.INTEGER, 9223372036854775807, "9223372036854775807"),
        (Kind.DECIMAL, "0.10", '"0.10"'),
        (Kind.DECIMAL, "-12345678901234567890.5", '"-12345678901234567890.5"'),
        (Kind.DECIMAL, "NaN", '"NaN"'),
        (Kind.DECIMAL, "Infinity", '"Infinity"'),
        (Kind.DECIMAL, "-Infinity", '"-Infinity"'),
        (Kind.DECIMAL, 5, '"5"'),
        (Kind.DECIMAL, 19.9, '"19.9"'),
        (Kind.DECIMAL, math.inf, '"Infinity"'),
        (Kind.FLOAT, "5", "5"),
        (Kind.FLOAT, "-0", "-0"),
        (Kind.SINGLE, "3.140000104904175", "3.14"),
        (Kind.SINGLE, 0.10000000149011612, "0.1"),
        (Kind.SINGLE, "-0", "-0"),
        (Kind.FLOAT, "1.5e-07", "1.5e-07"),
        (Kind.FLOAT, "NaN", '"NaN"'),
        (Kind.FLOAT, 1e16, "1e+16"),
        (Kind.FLOAT, math.nan, '"NaN"'),
        (Kind.FLOAT, -math.inf, '"-Infinity"'),
        (Kind.FLOAT, 3, "3"),
        (Kind.BOOLEAN, "t", "true"),
        (Kind.BOOLEAN, "f", "false"),
        (Kind.BOOLEAN, "True", "true"),
        (Kind.BOOLEAN, "False", "false"),
        (Kind.BOOLEAN, "1", "true"),
        (Kind.BOOLEAN, 0, "false"),
        (Kind.BOOLEAN, True, "true"),
        (Kind.TEXT, "", '""'),
        (Kind.TEXT, 'a"b\\c/\x00\n\x7f', '"a\\"b\\\\c/\\u0000\\n\x7f"'),
        (Kind.TEXT, "größe \U0001f600 \u2028", '"größe \U0001f600 \u2028"'),
        (Kind.DATE, "0044-03-15 BC", '"0044-03-15 BC"'),
        (Kind.DATE, "infinity", '"infinity"'),
        (Kind.TIME, "24:00:00+02", '"24:00:00+02"'),
        (Kind.UUID, "00000000-0000-0000-0000-00000000002a", '"00000000-0000-0000-0000-00000000002a"'),
        (Kind.JSON, ' {"b": 1.10,\n "b":1E5} ', ' {"b": 1.10,\n "b":1E5} '),
        (Kind.JSON, '"\\ud800"', '"\\ud800"'),
        (Kind.JSON, 7, "7"),
        (Kind.BYTES, "\\x", '""'),
        (Kind.BYTES, "\\xFFfe", '"//4="'),
        (Kind.BYTES, b"\xff\xfe", '"//4="'),
        (Kind.ANY, 'a"', '"a\\""'),
        (Kind.ANY, 5, "5"),
        (Kind.ANY, 0.5, "0.5"),
        (Kind.ANY, math.inf, '"Infinity"'),
        (Kind.ANY, True, "true"),
        (Kind.ANY, b"\xff\xfe", '"//4="'),
    ],
)
def test_a_value_is_written_as_its_kind_says_alone_or_beside_null(kind, value, expected):
    assert data_texts(kind, value) == [expected]
    assert data_texts(kind, None, value, None) == ["null", expected, "null"]


@pytest.mark.parametrize("kind", list(Kind))
def test_null_is_null_in_every_kind(kind):
    assert data_texts(kind, None, None) == ["null", "null"]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (Kind.INTEGER, ("1", 2, None, "3"), ["1", "2", "null", "3"]),
        (Kind.DECIMAL, ("1.5", 2, 0.5, "NaN"), ['"1.5"', '"2"', '"0.5"', '"NaN"']),
        (Kind.FLOAT, ("1.5", 2, 0.5, "NaN"), ["1.5", "2", "0.5", '"NaN"']),
        (Kind.BOOLEAN, ("t", 0, None, True), ["true", "false", "null", "true"]),
        (Kind.ANY, ("5", 5, None, 5.0, b"5"), ['"5"', "5", "null", "5.0", '"NQ=="']),
        (Kind.ANY, (True, 1, "t", 0.5), ["true", "1", '"t"', "0.5"]),
        (Kind.ANY, (1, True), ["1", "true"]),
        (Kind.ANY, (True, 1), ["true", "1"]),
        (Kind.BYTES, ("\\x35", b"5"), ['"NQ=="', '"NQ=="']),
        (Kind.JSON, ("[1]", 2, None), ["[1]", "2", "null"]),
    ],
)
def test_one_column_may_mix_texts_and_python_values(kind, values, expected):
    assert data_texts(kind, *values) == expected


TYPED = {
    Kind.INTEGER: [1],
    Kind.DECIMAL: [1.5],
    Kind.FLOAT: [1.5],
    Kind.BOOLEAN: [True],
    Kind.BYTES: [b"x"],
    Kind.JSON: [1],
}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(
            (Kind.INTEGER, bad)
            for bad in ("abc", "", "007", "1,2", "1.0", "+1", "--1", "-", " 1", "1\n", "٣", "²", 1.0, True)
        ),
        *((Kind.INTEGER, bad) for bad in ("0,0", ",", "1,", '1,"x":2', b"1", "\ud800")),
        *(
            (Kind.DECIMAL, bad)
            for bad in ("abc", "", ".", "1.", ".5", "1,2", "1.2,3.4", "nan", '1"', "1e", "٣.٣", b"1", True)
        ),
        *((Kind.SINGLE, bad) for bad in ("abc", "", "1_000000000", "٣.٣٣٣٣٣٣٣", b"1", True)),
        *((Kind.FLOAT, bad) for bad in ("abc", "", "1.", ".5", "01", "1,2", "nan", "inf", "1e", b"1", True)),
        *((Kind.BOOLEAN, bad) for bad in ("yes", "", "T", 2, 0.5, b"t")),
        *(
            (kind, bad)
            for kind in (Kind.TEXT, Kind.DATE, Kind.TIME, Kind.UUID)
            for bad in (b"x", 5, 0.5, True, "\ud800")
        ),
        *(
            (kind, bad)
            for kind in (Kind.TIMESTAMP, Kind.INSTANT)
            for bad in ("", "abc", "2026-11-23 09:15:02 EST", 5, b"x")
        ),
        *(
            (kind, bad)
            for kind in (Kind.TIMESTAMP, Kind.INSTANT)
            for bad in ("0000-00-00 25:00:00", "2026-13-01 00:00")
        ),
        *(
            (Kind.JSON, bad)
            for bad in ("", "{", "NaN", "[1,]", "1 2", '"\n"', "{}}", '1,"x":2', b"{}", "[" * 100_000, '"\ud800"')
        ),
        *((Kind.BYTES, bad) for bad in ("abc", "", "\\xf", "\\x6 8", "\\xzz", "\\\\000", 5, 0.5)),
        (Kind.ANY, object()),
        (Kind.ANY, "\ud800"),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_refused_alone_or_among_good_ones(kind, value):
    good = {
        Kind.DECIMAL: "1.5",
        Kind.JSON: "{}",
        Kind.BYTES: "\\x00",
        Kind.BOOLEAN: "t",
        Kind.TIMESTAMP: "2026-11-23 09:15:02",
    }
    good |= {Kind.INSTANT: "2026-11-23 09:15:02+00"}
    fine = good.get(kind, "1")
    for values in (
        [value],
        [fine, value],
        [fine, value, fine],
        [value, fine],
        [value, None],
        [*TYPED.get(kind, []), value],
    ):
        with pytest.raises(EnvelopeError, match="column 'v' is declared 'declared' and read as " + kind):
            data_texts(kind, *values)


def test_a_date_of_any_form_is_carried_as_written():
    for date in (
        "2026-11-23",
        "0000-00-00",
        "2026-00-17",
        "2026-11-00",
        "0044-03-15 BC",
        "infinity",
        "2026-11-23T09:15:02-00:00",
    ):
        assert data_texts(Kind.DATE, date) == [f'"{date}"']


def test_the_refusal_says_what_was_found_and_how_to_carry_it_and_holds_no_value():
    with pytest.raises(EnvelopeError) as refused:
        data_texts(Kind.INTEGER, "12", "secret")
    assert str(refused.value) == (
        "column 'v' is declared 'declared' and read as integer, but a row holds other text; no row of its batch was"
        " sent. Fix such rows, or carry every row as it is with sql= and CAST(v AS TEXT) AS v (AS CHAR in MySQL and"
        " MariaDB)"
    )
    with pytest.raises(EnvelopeError, match="a row holds a Python bytes"):
        data_texts(Kind.TEXT, "12", b"secret")
    with pytest.raises(EnvelopeError, match=r"a row holds other text.*CAST\(v AS BLOB\) AS v"):
        data_texts(Kind.BYTES, "secret")


@pytest.mark.parametrize("kind", [Kind.BOOLEAN, Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.JSON, Kind.INSTANT])
def test_the_errors_behind_a_refusal_are_not_chained_since_they_hold_the_value(kind):
    planted = '"secret'
    with pytest.raises(EnvelopeError) as refused:
        data_texts(kind, planted)
    assert "secret" not in "".join(traceback.format_exception(refused.value)).replace("planted = '\"secret'", "")


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [
        (Kind.INTEGER, "42", "42"),
        (Kind.DECIMAL, "0.10", "0.10"),
        (Kind.FLOAT, "NaN", "NaN"),
        (Kind.BOOLEAN, "t", "true"),
        (Kind.TEXT, 'a"ü', 'a"ü'),
        (Kind.DATE, "2026-11-23", "2026-11-23"),
        (Kind.INSTANT, "2026-11-23 09:15:02+00", "2026-11-23T09:15:02.000000Z"),
        (Kind.JSON, '{"a":1}', '{"a":1}'),
        (Kind.BYTES, "\\x6869", "aGk="),
        (Kind.ANY, 1.5, "1.5"),
        (Kind.ANY, b"hi", "aGk="),
    ],
)
@pytest.mark.parametrize("hidden", [False, True])
def test_the_key_is_the_text_that_data_holds_hidden_or_not(kind, value, key, hidden):
    shape = Shape((Column("k", kind, "declared"),), () if hidden else (0,), (0,))
    encode = PlainEnvelope().compile(shape, STREAM)
    (message,) = encode(Batch(shape, [(value,)], 1, Watermark((), None, {}), "u")).values
    assert encode(Batch(shape, [(value,)], 1, Watermark((), None, {}), "u")).keys == [key]
    found = json.loads(message).get("k", key)
    assert (found if isinstance(found, str) else message[5:-1]) == key
    pair = Shape((Column("a", kind, "declared"), Column("b", Kind.INTEGER, "int")), (), (0, 1))
    (both,) = PlainEnvelope().compile(pair, STREAM)(Batch(pair, [(value, "7")], 1, Watermark((), None, {}), "u")).keys
    assert json.loads(both) == [key, "7"]


def test_json_that_its_database_has_checked_is_carried_without_another_look():
    deep = "[" * 50_000 + "]" * 50_000
    with pytest.raises(EnvelopeError, match="other text"):
        data_texts(Kind.JSON, deep)
    assert data_texts(Kind.JSON, deep, None, "{}", checked=True) == [deep, "null", "{}"]
    with pytest.raises(EnvelopeError, match="Python bytes"):
        data_texts(Kind.JSON, "{}", b"{}", checked=True)


def test_what_its_database_has_written_is_carried_as_it_is():
    written = {
        Kind.INTEGER: "-5",
        Kind.DECIMAL: "Infinity",
        Kind.DATE: "0044-03-15 BC",
        Kind.TIME: "24:00:00",
        Kind.UUID: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        Kind.TIMESTAMP: "2026-11-23 09:15:02.5",
        Kind.INSTANT: "infinity",
        Kind.TEXT: 'a"b',
        Kind.BOOLEAN: "t",
        Kind.FLOAT: "NaN",
        Kind.BYTES: "\\x00",
    }
    for kind, text in written.items():
        assert data_texts(kind, text, None, text, checked=True) == data_texts(kind, text, None, text)
        assert data_texts(kind, text, text, checked=True) == data_texts(kind, text, text)
    with pytest.raises(EnvelopeError, match="Python bytes"):
        data_texts(Kind.INTEGER, "5", b"5", checked=True)
