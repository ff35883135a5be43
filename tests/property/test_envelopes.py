"""Any shape and any rows: each message says what its row says, by an oracle that knows nothing of the encoder."""

import base64
import json
import math
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airflow_legacy_events.core.columns import Column, Elements, Kind, Shape
from airflow_legacy_events.core.model import Batch, Stream, Watermark
from airflow_legacy_events.core.singles import shortest
from airflow_legacy_events.core.uris import reference
from airflow_legacy_events.envelopes.attributes import cleaned
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.envelopes.timestamps import Clock
from airflow_legacy_events.errors import EnvelopeError

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Etc/UTC", "Asia/Kathmandu")
day = datetime.fromisoformat
TEMPORAL = (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT)


@dataclass
class Cell:
    """A value as a driver gives it, and what it must become in data, in keys and as a CloudEvents time."""

    value: Any
    json: Any
    text: str
    time: str | None = None


def integer(number, as_text):
    return Cell(str(number) if as_text else number, number, str(number))


def float_(number, as_text):
    text = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(number), repr(number))
    return Cell(text if as_text else number, number if math.isfinite(number) else text, text)


def single(digits, exponent, as_text):
    """At most six digits, which no other number of four bytes shares; the driver gives the double of the same value."""
    number = float(f"{digits}e{exponent}")
    held = repr(struct.unpack("f", struct.pack("f", number))[0])
    written = shortest(held)
    assume(float(written) == number)  # a number halfway between two of four bytes needs more digits
    return Cell(held if as_text else float(held), json.loads(written), written)


def decimal(number):
    return Cell(f"{number:f}", f"{number:f}", f"{number:f}")


def boolean(truth, spelling):
    value = {"t": "ft"[truth], "true": ("false", "true")[truth], "1": "01"[truth], "int": int(truth), "bool": truth}
    return Cell(value[spelling], truth, ("false", "true")[truth])


def plain(text):
    return Cell(text, text, text)


def document(value, spaced, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(", ", ": ") if spaced else (",", ":"))
    return Cell(text, value, text)


def bytes_(value, as_text):
    encoded = base64.b64encode(value).decode()
    return Cell("\\x" + value.hex() if as_text else value, encoded, encoded)


def rfc3339(moment):
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def written(moment):
    text = moment.isoformat(sep=" ")
    return text.rstrip("0") if "." in text else text


def instant(naive):
    expected = rfc3339(naive.replace(tzinfo=UTC))
    return Cell(written(naive) + "+00", expected, expected, expected)


def local(naive, zone):
    expected = rfc3339(naive.replace(tzinfo=ZoneInfo(zone), fold=0))
    return Cell(written(naive), expected, expected, expected)


def date(text, zone):
    return Cell(text, text, text, rfc3339(day(text).replace(tzinfo=ZoneInfo(zone))))


def column(name, kind):
    return Column(name, kind, "type", elements=Elements(Kind.TEXT) if kind is Kind.ARRAY else None)


def money(cents):
    whole = f"{'-' * (cents < 0)}${abs(cents) // 100:,}.{abs(cents) % 100:02}"
    exact = f"{'-' * (cents < 0)}{abs(cents) // 100}.{abs(cents) % 100:02}"
    return Cell(whole, exact, exact)


def array(values, low):
    """In one dimension; every element in quotes, as none needs to be."""
    written = ["NULL" if v is None else '"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values]
    bounds = f"[{low}:{low + len(values) - 1}]=" if values and low != 1 else ""
    return Cell(
        f"{bounds}{{{','.join(written)}}}", values, json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    )


moments = st.datetimes(day("0001-01-03"), day("9999-12-29")) | st.datetimes(day("2026-03-01"), day("2026-11-30")).map(
    lambda moment: moment.replace(microsecond=0)
)
texts = st.text(st.characters(codec="utf-8"), max_size=12)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def cells(kind, zone):
    strategies = {
        Kind.INTEGER: st.builds(integer, st.integers(), st.booleans()),
        Kind.DECIMAL: st.builds(decimal, st.decimals(allow_nan=False, allow_infinity=False, places=3)),
        Kind.FLOAT: st.builds(float_, st.floats(), st.booleans()),
        Kind.SINGLE: st.builds(single, st.integers(-(10**6) + 1, 10**6 - 1), st.integers(-30, 30), st.booleans()),
        Kind.BOOLEAN: st.builds(boolean, st.booleans(), st.sampled_from(("t", "true", "1", "int", "bool"))),
        Kind.TEXT: st.builds(plain, texts),
        Kind.DATE: st.builds(lambda moment: date(moment.date().isoformat(), zone), moments),
        Kind.TIME: st.builds(lambda moment: plain(moment.time().isoformat()), moments),
        Kind.TIMESTAMP: st.builds(lambda moment: local(moment, zone), moments),
        Kind.INSTANT: st.builds(instant, moments),
        Kind.UUID: st.builds(lambda found: plain(str(found)), st.uuids()),
        Kind.JSON: st.builds(document, documents, st.booleans(), st.booleans()),
        Kind.BYTES: st.builds(bytes_, st.binary(max_size=12), st.booleans()),
        Kind.MONEY: st.builds(money, st.integers(-(2**63), 2**63 - 1)),
        Kind.ARRAY: st.builds(array, st.lists(st.none() | texts, max_size=4), st.integers(-2, 2)),
        Kind.ANY: st.builds(plain, texts)
        | st.builds(lambda number: integer(number, as_text=False), st.integers())
        | st.builds(lambda number: float_(number, as_text=False), st.floats())
        | st.builds(lambda truth: boolean(truth, "bool"), st.booleans())
        | st.builds(lambda value: bytes_(value, as_text=False), st.binary(max_size=12)),
    }
    return strategies[kind]


@st.composite
def tables(draw):
    zone = draw(st.sampled_from(ZONES))
    names = draw(st.lists(texts, min_size=1, max_size=7, unique=True))
    columns = tuple(column(name, draw(st.sampled_from(list(Kind)))) for name in names)
    places = st.sampled_from(range(len(columns)))
    temporal = [at for at, column in enumerate(columns) if column.kind in TEMPORAL]
    shape = Shape(
        columns,
        data=tuple(draw(st.lists(places, unique=True))),
        key=tuple(draw(st.lists(places, min_size=1, max_size=3, unique=True))),
        watermark=tuple(draw(st.lists(places, max_size=2, unique=True))),
        time=draw(st.sampled_from([None, *temporal])),
    )
    null = Cell(None, None, "")
    kinds = [cells(column.kind, zone) for column in columns]
    row = st.tuples(*(found if at in shape.key else found | st.just(null) for at, found in enumerate(kinds)))
    return shape, Stream("s", "t", draw(texts) or "s", draw(texts) or "s", zone), draw(st.lists(row, max_size=8))


def batch(shape, rows, op, counter):
    return Batch(
        shape, [tuple(cell.value for cell in row) for row in rows], len(rows), Watermark((), None, {}), op, counter
    )


def refuse(constant):
    raise AssertionError(constant)


def parse(text):
    return json.loads(text, parse_constant=refuse)


def key_of(shape, row):
    key = [row[at].text for at in shape.key]
    return key[0] if len(key) == 1 else json.dumps(key, ensure_ascii=False, separators=(",", ":"))


def id_of(shape, row, op, counter, data):
    if op == "c" and shape.watermark in ((), shape.key):
        return key_of(shape, row)
    watermark = ",".join(row[at].text for at in shape.watermark)
    return f"{key_of(shape, row)}@{watermark}:{zlib.crc32(data.encode()):08x}" + (f":{counter}" if counter else "")


@given(tables(), st.sampled_from("cur"), st.integers(0, 3))
@settings(max_examples=400, deadline=None)
def test_a_cloud_event_says_what_its_row_says(table, op, counter):
    shape, stream, rows = table
    assume(op != "c" or all(key_of(shape, row) for row in rows))
    messages = CloudEventsEnvelope().compile(shape, stream)(batch(shape, rows, op, counter))
    assert list(messages.keys) == [key_of(shape, row) for row in rows]
    assert len(messages.values) == len(rows)
    for row, value in zip(rows, messages.values, strict=True):
        data = value[value.index('"data":') + len('"data":') : -1]
        expected = {"specversion": "1.0", "id": cleaned(id_of(shape, row, op, counter, data))}
        expected |= {"source": reference(stream.source), "type": cleaned(stream.type)}
        expected |= {"subject": cleaned(key_of(shape, row))} if key_of(shape, row) else {}
        expected |= {"time": row[shape.time].time} if shape.time is not None and row[shape.time].time else {}
        expected |= {"datacontenttype": "application/json", "op": op}
        expected |= {"data": {shape.columns[at].name: row[at].json for at in shape.data}}
        assert json.dumps(parse(value)) == json.dumps(expected)


@given(tables(), st.sampled_from("cur"), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_a_plain_message_is_its_row_and_carries_its_id(table, op, counter):
    shape, stream, rows = table
    assume(op != "c" or all(key_of(shape, row) for row in rows))
    messages = PlainEnvelope().compile(shape, stream)(batch(shape, rows, op, counter))
    assert list(messages.keys) == [key_of(shape, row) for row in rows]
    expected = [{shape.columns[at].name: row[at].json for at in shape.data} for row in rows]
    assert json.dumps(list(map(parse, messages.values))) == json.dumps(expected)
    ids = [id_of(shape, row, op, counter, value) for row, value in zip(rows, messages.values, strict=True)]
    assert messages.each == [(("id", id_),) for id_ in ids]


NUMBERISH = st.text(st.sampled_from('0123456789-+.eE, \n"٣'), max_size=8)
TIMEISH = st.text(st.sampled_from("0123456789-+.: TZBC"), max_size=8).map(
    lambda text: "2026-11-23 09:15:02"[:19] + text
)
VALUES = (
    st.text(max_size=8)
    | NUMBERISH
    | TIMEISH
    | st.integers()
    | st.floats()
    | st.binary(max_size=4)
    | st.booleans()
    | st.none()
)
PROMISED = {
    Kind.INTEGER: lambda found: type(found) is int,
    Kind.FLOAT: lambda found: type(found) in (int, float) or found in ("NaN", "Infinity", "-Infinity"),
    Kind.SINGLE: lambda found: type(found) in (int, float) or found in ("NaN", "Infinity", "-Infinity"),
    Kind.BOOLEAN: lambda found: type(found) is bool,
    Kind.BYTES: lambda found: type(found) is str and base64.b64decode(found, validate=True) is not None,
    Kind.ARRAY: lambda found: type(found) is list,
}


@given(st.sampled_from(list(Kind)), st.lists(VALUES, max_size=5), st.sampled_from("cu"))
@settings(max_examples=1_000, deadline=None)
def test_a_value_of_another_kind_is_refused_or_still_what_the_kind_promises(kind, values, op):
    shape = Shape((Column("id", Kind.INTEGER, "int8"), column("v", kind)), (0, 1), (0,))
    rows = [(at, value) for at, value in enumerate(values)]
    encode = CloudEventsEnvelope().compile(shape, Stream("s", "t", "/s", "s"))
    try:
        messages = encode(Batch(shape, rows, len(rows), Watermark((), None, {}), op))
    except EnvelopeError as error:
        assert "column 'v'" in str(error)  # noqa: PT017  whether it is refused is up to the encoder
        return
    for value, message in zip(values, messages.values, strict=True):
        message.encode()
        found = parse(message)["data"]["v"]
        if value is None:
            assert found is None
        elif kind is not Kind.JSON:
            assert found is not None
            assert PROMISED.get(kind, lambda found: kind is Kind.ANY or type(found) is str)(found)


CLOCKS = [Clock(zone) for zone in ZONES]
two = st.integers(0, 99).map("{:02}".format)
almost = st.builds(
    "{}-{}-{}{}{}:{}:{}{}{}".format,
    st.sampled_from(("2026", "2024", "0000", "1900", "12026")),
    *(two, two, st.sampled_from(" T")),
    *(two, two, two, st.sampled_from(("", ".", ".5", ".123456", ".1234567"))),
    st.sampled_from(("", "+00", "+02", "Z", "-00", "+00 BC")),
)
possible = st.datetimes(day("2023-12-31"), day("2028-03-01")).map(written)


def carefully(clock, text):
    try:
        return clock.instant(text)
    except ValueError:
        return None


@given(st.sampled_from(CLOCKS), st.lists(almost | possible | possible.map("{}+00".format), min_size=1, max_size=4))
@settings(max_examples=1_000, deadline=None)
def test_a_column_of_times_converted_at_once_is_what_each_one_becomes(clock, texts):
    each = [carefully(clock, text) for text in texts]
    assert clock.locals(texts) in (each, None)
    assert clock.instants(texts) in (each, None)
