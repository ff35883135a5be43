"""Values of messages as texts of columns: exact, or refused without naming the value."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.core.columns import Elements, Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.envelopes.decoders.values import Options, UnfitError, converter
from airflow_legacy_events.envelopes.decoders.wire import wire

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def text(kind: Kind, written: str, options: Options = Options(), **limits) -> str:  # noqa: B008
    found = wire(msgspec.Raw(written.encode()))
    assert found is not None
    return converter(TargetColumn("c", kind, limits.pop("type", kind.value), **limits), options)(found)


@pytest.mark.parametrize(
    ("kind", "written", "found", "limits"),
    [
        (Kind.INTEGER, "12", "12", {}),
        (Kind.INTEGER, '"-12"', "-12", {}),
        (Kind.INTEGER, "1.20e1", "12", {}),
        (Kind.INTEGER, "true", "1", {}),
        (Kind.INTEGER, "18446744073709551615", "18446744073709551615", {"high": 2**64 - 1}),
        (Kind.DECIMAL, "12.50", "12.50", {"precision": 5, "scale": 2}),
        (Kind.DECIMAL, "12.500", "12.50", {"precision": 5, "scale": 2}),
        (Kind.DECIMAL, '"12345678901234567890.123456789"', "12345678901234567890.123456789", {}),
        (Kind.DECIMAL, "1e3", "1000", {"precision": 4, "scale": 0}),
        (Kind.DECIMAL, '"NaN"', "NaN", {}),
        (Kind.FLOAT, "0.1", "0.1", {}),
        (Kind.FLOAT, '"-Infinity"', "-Infinity", {}),
        (Kind.SINGLE, "3.4028235e38", "3.4028234663852886e+38", {}),
        (Kind.SINGLE, "-3.4028235e38", "-3.4028234663852886e+38", {}),
        (Kind.SINGLE, "16777216", "16777216", {}),
        (Kind.BOOLEAN, "true", "true", {}),
        (Kind.BOOLEAN, "0", "false", {}),
        (Kind.TEXT, '"aäb"', "aäb", {"length": 3}),
        (Kind.TEXT, "12.50", "12.50", {}),
        (Kind.TEXT, '{"a": 1.50}', '{"a": 1.50}', {}),
        (Kind.UUID, '"6B0A16DD-E75A-11F1-B222-02FC00000001"', "6b0a16dd-e75a-11f1-b222-02fc00000001", {}),
        (Kind.BYTES, '"AP8Q"', r"\x00ff10", {"length": 3}),
        (Kind.BYTES, '""', r"\x", {}),
        (Kind.JSON, '{"a": 1.50, "a": 2}', '{"a": 1.50, "a": 2}', {}),
        (Kind.JSON, '"a"', '"a"', {}),
        (Kind.DATE, '"2026-01-02"', "2026-01-02", {}),
        (Kind.DATE, '"2026-01-02T00:00:00Z"', "2026-01-02", {}),
        (Kind.DATE, '"-infinity"', "-infinity", {}),
        (Kind.TIME, '"03:04:05.120"', "03:04:05.12", {"scale": 2}),
        (Kind.TIME, '"24:00:00"', "24:00:00", {}),
        (Kind.TIME, '"-838:59:59"', "-838:59:59", {"high": 838}),
        (Kind.TIMESTAMP, '"2026-07-01T12:00:00+05:00"', "2026-07-01 07:00:00", {}),
        (Kind.TIMESTAMP, '"2026-07-01 12:00:00.1234567"', "2026-07-01 12:00:00.1234567", {}),
        (Kind.TIMESTAMP, '"2026-07-01"', "2026-07-01 00:00:00", {}),
        (Kind.INSTANT, '"2026-07-01T12:00:00.100Z"', "2026-07-01 12:00:00.100+00", {}),
        (Kind.TIME, '"03:04:05+01:02:03"', "03:04:05+01:02:03", {"type": "time with time zone"}),
        (Kind.DATE, '"0044-03-15 BC"', "0044-03-15 BC", {}),
        (Kind.INSTANT, '"12026-01-02 03:04:05.1+00"', "12026-01-02 03:04:05.1+00", {"scale": 3}),
        (Kind.TIMESTAMP, '"4714-11-24 00:00:00 BC"', "4714-11-24 00:00:00 BC", {}),
        (Kind.INSTANT, '"-0043-03-15T01:02:03.5Z"', "0044-03-15T01:02:03.5Z BC", {}),
        (Kind.INSTANT, '"+12345-03-15T01:02:03Z"', "12345-03-15T01:02:03Z", {}),
        (Kind.DATE, '"-0001-03-15"', "0002-03-15 BC", {}),
        (Kind.TEXT, "5", "0000101", {"type": "bit(7)", "length": 7}),
        (Kind.TEXT, '"0101"', "0101", {"type": "bit(7)", "length": 7}),
        (Kind.TEXT, "true", "1", {"type": "bit(1)", "length": 1}),
        (Kind.TEXT, '["b","a"]', "b,a", {"type": "set('a','b')"}),
        (Kind.TEXT, '{"a":"b","c":null}', '"a"=>"b","c"=>NULL', {"type": "hstore"}),
        (Kind.BYTES, "[1.5,0.1]", r"\x0000c03fcdcccc3d", {"type": "vector(2)", "length": 8}),
        (Kind.BYTES, '{"wkb":"AQE=","srid":0}', r"\x0101", {"type": "point"}),
        (Kind.ARRAY, '[{"a":[1]},null]', '{"{\\"a\\":[1]}",NULL}', {"elements": Elements(Kind.JSON)}),
        (Kind.ARRAY, "[1,[2,null]]", '{"1",{"2",NULL}}', {"elements": Elements(Kind.INTEGER)}),
        (Kind.ARRAY, r'["a\"b\\c",""]', r'{"a\"b\\c",""}', {"elements": Elements(Kind.TEXT)}),
    ],
)
def test_what_fits(kind, written, found, limits):
    assert text(kind, written, **limits) == found


@pytest.mark.parametrize(
    ("kind", "written", "limits"),
    [
        (Kind.INTEGER, "1.5", {}),
        (Kind.INTEGER, "128", {"low": -128, "high": 127}),
        (Kind.INTEGER, '"x"', {}),
        (Kind.INTEGER, "1e400000", {}),
        (Kind.INTEGER, '"1_000"', {}),
        (Kind.INTEGER, '"\N{ARABIC-INDIC DIGIT ONE}"', {}),
        (Kind.INTEGER, "[1]", {}),
        (Kind.DECIMAL, "19.999", {"precision": 5, "scale": 2}),
        (Kind.DECIMAL, "1234.5", {"precision": 5, "scale": 2}),
        (Kind.DECIMAL, '"BOI="', {}),
        (Kind.FLOAT, "1e999", {}),
        (Kind.SINGLE, "3.4028236e38", {}),
        (Kind.BOOLEAN, "2", {}),
        (Kind.BOOLEAN, "{}", {}),
        (Kind.TEXT, '"abcd"', {"length": 3}),
        (Kind.UUID, '"6b0a"', {}),
        (Kind.UUID, "1", {}),
        (Kind.BYTES, '"AP8"', {}),
        (Kind.BYTES, '"é"', {}),
        (Kind.BYTES, '"AP8Q"', {"length": 2}),
        (Kind.DATE, '"2026-02-30"', {}),
        (Kind.DATE, '"2026-01-02T03:00:00"', {}),
        (Kind.DATE, "20454", {}),
        (Kind.TIME, '"25:00"', {"scale": 0}),
        (Kind.TIME, '"24:00:01"', {}),
        (Kind.TIME, '"-01:00:00"', {}),
        (Kind.TIME, '"03:04:05+02:00"', {}),
        (Kind.TIMESTAMP, '"2026-07-01T12:00:00.6"', {"scale": 0}),
        (Kind.TIMESTAMP, "1767323045123", {}),
        (Kind.TIMESTAMP, '"yesterday"', {}),
        (Kind.INSTANT, '"2026-07-01T12:00:00.1234567Z"', {"scale": 6}),
        (Kind.INSTANT, '"12026-01-02 03:04:05.1234+00"', {"scale": 3}),
        (Kind.INSTANT, '"12026-01-02 03:04:05"', {}),
        (Kind.TIMESTAMP, '"12026-01-02 03:04:05+02"', {}),
        (Kind.DATE, '"0000-03-15"', {}),
        (Kind.INSTANT, '"-0043-03-15T01:02:03"', {}),
        (Kind.TEXT, "1.5", {"type": "bit(7)", "length": 7}),
        (Kind.TEXT, "[1,2]", {"type": "set('a','b')"}),
        (Kind.TEXT, '{"a":1}', {"type": "hstore"}),
        (Kind.BYTES, "[1e39,0]", {"type": "vector(2)"}),
        (Kind.BYTES, '{"wkb":"AQE=","srid":4326}', {"type": "point"}),
        (Kind.ARRAY, "[[1]]", {"elements": Elements(Kind.JSON)}),
        (Kind.ARRAY, '"{1}"', {"elements": Elements(Kind.INTEGER)}),
        (Kind.ARRAY, '["x"]', {"elements": Elements(Kind.INTEGER)}),
    ],
)
def test_what_does_not_fit_is_refused_without_its_value(kind, written, limits):
    with pytest.raises(UnfitError) as error:
        text(kind, written, **limits)
    assert written.strip('"') not in str(error.value) or len(written) < 4


def test_rounding_where_a_user_accepts_it():
    options = Options(rounds=True)
    assert text(Kind.DECIMAL, "19.999", options, precision=5, scale=2) == "20.00"
    assert text(Kind.INTEGER, "2.5", options) == "2"
    assert text(Kind.TIMESTAMP, '"2026-07-01T12:00:00.69"', options, scale=1) == "2026-07-01 12:00:00.6"
    with pytest.raises(UnfitError):
        text(Kind.DECIMAL, "999.999", options, precision=5, scale=2)


def test_naive_times_and_columns_in_the_zone_of_the_target():
    options = Options(zone=BERLIN)
    assert text(Kind.TIMESTAMP, '"2026-07-01T12:00:00Z"', options) == "2026-07-01 14:00:00"
    assert text(Kind.INSTANT, '"2026-07-01T12:00:00"', options) == "2026-07-01 10:00:00+00"


def test_databases_without_infinity():
    with pytest.raises(UnfitError):
        text(Kind.DECIMAL, '"Infinity"', Options(infinite=False))
    with pytest.raises(UnfitError):
        text(Kind.DATE, '"infinity"', Options(infinite=False))
    with pytest.raises(UnfitError):
        text(Kind.DATE, '"0044-03-15 BC"', Options(infinite=False))
    with pytest.raises(UnfitError):
        text(Kind.FLOAT, '"NaN"', Options(infinite=False))


@pytest.mark.parametrize(
    ("kind", "written", "found"),
    [
        (Kind.DATE, "0000-00-00", "0000-00-00"),
        (Kind.DATE, "2026-11-00", "2026-11-00"),
        (Kind.TIMESTAMP, "0000-05-05 01:00:00.50", "0000-05-05 01:00:00.50"),
        (Kind.TIMESTAMP, "2026-00-17", "2026-00-17 00:00:00"),
        (Kind.INSTANT, "0000-00-00 00:00:00", "0000-00-00 00:00:00+00"),
        (Kind.INSTANT, "0000-00-00T00:00:00Z", "0000-00-00 00:00:00+00"),
    ],
)
def test_days_without_year_month_or_day_are_kept_where_the_database_has_them(kind, written, found):
    assert text(kind, f'"{written}"', Options(incomplete=True)) == found
    with pytest.raises(UnfitError):
        text(kind, f'"{written}"')


@pytest.mark.parametrize(
    ("kind", "written", "limits"),
    [
        (Kind.DATE, "0000-00-00 01:00:00", {}),
        (Kind.TIMESTAMP, "2026-00-17 09:15:02.123", {"scale": 2}),
        (Kind.TIMESTAMP, "2026-00-17 09:15:02+02", {}),
        (Kind.INSTANT, "0000-00-00 00:00:00-03:30", {}),
        (Kind.TIMESTAMP, "2026-02-30 00:00:00", {}),
    ],
)
def test_days_without_month_are_neither_turned_nor_cut(kind, written, limits):
    with pytest.raises(UnfitError):
        text(kind, f'"{written}"', Options(incomplete=True), **limits)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_keeps_its_value(number):
    assert Decimal(text(Kind.DECIMAL, f'"{number}"')) == number


@given(st.datetimes(), st.timedeltas(dt.timedelta(hours=-14), dt.timedelta(hours=14)))
def test_an_instant_keeps_its_moment(naive, offset):
    zone = dt.timezone(dt.timedelta(minutes=offset // dt.timedelta(minutes=1)))
    moment = naive.replace(tzinfo=zone)
    try:
        wanted = moment.astimezone(dt.UTC)
    except OverflowError:
        return
    assert dt.datetime.fromisoformat(text(Kind.INSTANT, f'"{moment.isoformat()}"')) == wanted
