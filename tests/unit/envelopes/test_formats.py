"""The other ways of writing values: decimals, bigints, times, bytes."""

import pytest

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.model import Batch, Formats, Stream, Watermark
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.errors import EnvelopeError


def forms(kind, *values, timezone="UTC", **formats):
    shape = Shape((Column("id", Kind.INTEGER, "int8"), Column("v", kind, "declared")), (1,), (0,))
    encode = PlainEnvelope().compile(shape, Stream("s", "t", "/s", "s", timezone, Formats(**formats)))
    rows = list(enumerate(values))
    messages = encode(Batch(shape, rows, len(rows), Watermark((), None, {}), "u"))
    return [value.removeprefix('{"v":').removesuffix("}") for value in messages.values]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.10", "0.10"),
        ("-5", "-5"),
        ("123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"),
        ("NaN", '"NaN"'),
        ("-Infinity", '"-Infinity"'),
        ("007.5", '"007.5"'),
        ("1e400", "1e400"),
        (5, "5"),
        (0.1, "0.1"),
    ],
)
def test_decimals_are_json_numbers_with_their_digits_untouched_where_json_has_them(value, expected):
    assert forms(Kind.DECIMAL, value, decimals="number") == [expected]
    assert forms(Kind.DECIMAL, "1.0", None, value, decimals="number") == ["1.0", "null", expected]


def test_money_is_a_decimal():
    values = ("$0.00", "-$1,234,567.89", "$12.50")
    assert forms(Kind.MONEY, *values) == ['"0.00"', '"-1234567.89"', '"12.50"']
    assert forms(Kind.MONEY, *values, decimals="number") == ["0.00", "-1234567.89", "12.50"]


@pytest.mark.parametrize("value", ["12.50", "$1234.50", "$1,23.50", "$1", "€1.00", "$1.000", "-$-1.00", 5, b"$1.00"])
def test_money_of_another_form_is_refused(value):
    with pytest.raises(EnvelopeError, match="read as money"):
        forms(Kind.MONEY, "$1.00", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("9007199254740992", "9007199254740992"),
        ("9007199254740993", '"9007199254740993"'),
        ("-9007199254740992", "-9007199254740992"),
        ("-9007199254740993", '"-9007199254740993"'),
        ("999999999999999", "999999999999999"),
        (2**64 - 1, '"18446744073709551615"'),
        (-1, "-1"),
    ],
)
def test_integers_beyond_what_a_double_holds_are_strings(value, expected):
    assert forms(Kind.INTEGER, value, bigints="string") == [expected]
    assert forms(Kind.INTEGER, None, value, bigints="string") == ["null", expected]
    assert forms(Kind.ANY, int(value), "7", bigints="string") == [expected, '"7"']


def test_an_integer_is_still_checked_where_it_may_be_a_string():
    with pytest.raises(EnvelopeError, match="read as integer"):
        forms(Kind.INTEGER, "1", "0x10", bigints="string")


def test_bytes_may_be_hex():
    assert forms(Kind.BYTES, "\\xFF00", b"hi", None, "\\x", bytes="hex") == ['"ff00"', '"6869"', "null", '""']
    assert forms(Kind.ANY, b"hi", bytes="hex") == ['"6869"']


def test_naive_times_may_stay_as_they_are_written_and_zoned_ones_are_in_utc():
    naive = ("2026-07-01 12:00:00", "2026-07-01 12:00:00.5", None, "infinity", "0044-03-15 12:00:00 BC")
    found = forms(Kind.TIMESTAMP, *naive, timezone="Europe/Berlin", times="naive")
    assert found == ["null" if text is None else f'"{text}"' for text in naive]
    assert forms(Kind.INSTANT, "2026-07-01 12:00:00+00", times="naive") == ['"2026-07-01T12:00:00.000000Z"']


def test_the_time_of_an_event_is_in_utc_however_data_writes_it():
    shape = Shape((Column("id", Kind.INTEGER, "int8"), Column("at", Kind.TIMESTAMP, "timestamp")), (1,), (0,), (1,), 1)
    stream = Stream("s", "t", "/s", "s", "Europe/Berlin", Formats(times="naive"))
    rows = [("1", "2026-07-01 12:00:00"), ("2", "infinity")]
    messages = CloudEventsEnvelope().compile(shape, stream)(Batch(shape, rows, 2, Watermark((), None, {}), "u"))
    first, second = messages.values
    assert '"time":"2026-07-01T10:00:00.000000Z"' in first
    assert '"id":"1@2026-07-01 12:00:00:' in first
    assert '"time"' not in second


@pytest.mark.parametrize("name", Formats._fields)
def test_an_unknown_word_is_refused_with_those_that_are_known(name):
    with pytest.raises(EnvelopeError, match=f"{name}= must be one of '.*'; found 'x'"):
        forms(Kind.INTEGER, "1", **{name: "x"})
