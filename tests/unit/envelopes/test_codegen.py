"""The generated code: wide shapes, names that look like code, variants."""

import dataclasses
import importlib
import json
import subprocess
import sys
from urllib.parse import unquote

import pytest

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.model import Batch, Stream, Watermark
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.compiler import BLOCK_ROWS, checksums
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.errors import EnvelopeError

STREAM = Stream("s", "t", "/s", "s")


def batch(shape, rows, op="u"):
    return Batch(shape, rows, len(rows), Watermark((), None, {}), op)


def test_five_hundred_columns_of_every_kind_make_one_message():
    kinds = [kind for kind in Kind if kind not in (Kind.ANY, Kind.ARRAY, Kind.MONEY)]
    good = {Kind.TIMESTAMP: "2026-11-23 09:15:02", Kind.INSTANT: "2026-11-23 09:15:02+00", Kind.JSON: "[]"}
    good |= {Kind.BOOLEAN: "t", Kind.BYTES: "\\x"}
    columns = tuple(Column(f"c{at}", kinds[at % len(kinds)], "type") for at in range(500))
    shape = Shape(columns, tuple(range(500)), tuple(range(20)), (0, 1), 7)
    row = [good.get(column.kind, "1") for column in columns]
    rows = [tuple(row), (*row[:20], *[None] * 480)]
    values = CloudEventsEnvelope().compile(shape, STREAM)(batch(shape, rows)).values
    full, sparse = (json.loads(value)["data"] for value in values)
    assert list(full) == list(sparse) == [f"c{at}" for at in range(500)]
    assert (full["c494"], full["c488"], sparse["c488"]) == (1, "2026-11-23T09:15:02.000000Z", None)


@pytest.mark.parametrize(
    "name",
    [
        "{0}",
        "{t0}",
        "}}{{",
        "'",
        '"',
        "'''",
        '"""',
        "\\",
        "\\N{DIGIT ONE}",
        "\\'",
        "\n",
        "\r",
        "\x00",
        "%s",
        "%(x)s",
        "größe",
        "a' + b",
        "{!r}",
        "日本",
    ],
)
def test_a_name_or_constant_is_only_ever_text(name):
    shape = Shape((Column("id", Kind.INTEGER, "int8"), Column(name, Kind.DECIMAL, name)), (1,), (0,))
    stream = Stream(name, name, name, name)
    messages = CloudEventsEnvelope().compile(shape, stream)(batch(shape, [("1", "2.5"), ("2", None)]))
    events = list(map(json.loads, messages.values))
    assert [event["data"] for event in events] == [{name: "2.5"}, {name: None}]
    assert {(unquote(event["source"]), unquote(event["type"])) for event in events} == {(name, name)}
    assert messages.topic == name


@pytest.mark.parametrize("where", ["name", "source", "type"])
def test_half_a_surrogate_pair_in_a_name_is_refused_before_any_row(where):
    name = "a\ud800" if where == "name" else "a"
    stream = STREAM._replace(**{where: "a\ud800"}) if where != "name" else STREAM
    shape = Shape((Column(name, Kind.INTEGER, "int8"),), (0,), (0,))
    with pytest.raises(EnvelopeError, match="half a surrogate pair"):
        CloudEventsEnvelope().compile(shape, stream)


@pytest.mark.parametrize("library", ["isal.isal_zlib", "zlib"])
def test_checksums_are_crc_32_in_eight_hex_digits(library, monkeypatch):
    monkeypatch.setattr("airflow_legacy_events.envelopes.compiler.crc32", importlib.import_module(library).crc32)
    assert checksums(["", "a", "ü", "123456789"]) == ["00000000", "e8b7be43", "63d969d5", "cbf43926"]


def test_without_the_fast_library_everything_is_as_it_is():
    code = "import sys; sys.modules['isal'] = None; from airflow_legacy_events.envelopes.compiler import crc32"
    told = subprocess.check_output([sys.executable, "-c", f"{code}; print(crc32.__module__)"], text=True)
    assert told.strip() == "zlib"


ROWS = Shape(
    (
        Column("id", Kind.TEXT, "text"),
        Column("total", Kind.DECIMAL, "numeric"),
        Column("changed", Kind.INSTANT, "timestamptz"),
        Column("paid", Kind.DECIMAL, "numeric"),
    ),
    (1, 3),
    (0,),
    (2,),
    2,
)
USUAL = ("a", "1.0", "2026-11-23 09:15:02+00", "2.0")
ODD = [
    ("a", None, "2026-11-23 09:15:02+00", "2.0"),
    ("a", "1.0", "2026-11-23 09:15:02+00", None),
    ("a", "1.0", "infinity", "2.0"),
    ("a", "1.0", None, "2.0"),
    ("", "1.0", "2026-11-23 09:15:02+00", "2.0"),
]


@pytest.mark.parametrize("envelope", [CloudEventsEnvelope(), PlainEnvelope()])
def test_what_earlier_blocks_held_does_not_change_a_message(envelope):
    alone = {row: envelope.compile(ROWS, STREAM)(batch(ROWS, [row])).values[0] for row in [USUAL, *ODD]}
    encode = envelope.compile(ROWS, STREAM)
    for row in [USUAL, *ODD, USUAL, *reversed(ODD), USUAL]:
        assert encode(batch(ROWS, [row])).values == [alone[row]]
    many = [row for row in [USUAL, *ODD] for _ in range(BLOCK_ROWS)]
    assert encode(batch(ROWS, many)).values == [alone[row] for row in many]


@pytest.mark.parametrize("envelope", [CloudEventsEnvelope(), PlainEnvelope()])
def test_an_empty_key_is_no_event_id(envelope):
    shape = dataclasses.replace(ROWS, watermark=ROWS.key)
    encode = envelope.compile(shape, STREAM)
    with pytest.raises(EnvelopeError, match="'id' is the key and so the event id, but empty in a row"):
        encode(batch(shape, [ODD[4]], op="c"))
    assert encode(batch(shape, [ODD[4]])).keys == [""]
    assert encode(batch(shape, [USUAL], op="c")).keys == ["a"]


def test_the_same_day_as_time_of_many_rows_is_its_midnight_in_the_zone():
    shape = Shape((Column("id", Kind.INTEGER, "int8"), Column("day", Kind.DATE, "date")), (0,), (0,), (1,), 1)
    encode = CloudEventsEnvelope().compile(shape, STREAM._replace(source_timezone="Europe/Berlin"))
    days = ["2026-07-01", "2026-07-01", None, "infinity", "0044-03-15 BC"]
    events = [json.loads(value) for value in encode(batch(shape, list(enumerate(days)))).values]
    assert [event.get("time") for event in events] == ["2026-06-30T22:00:00.000000Z"] * 2 + [None] * 3


def test_a_time_that_is_no_date_is_refused_by_the_name_of_its_column():
    shape = Shape((Column("id", Kind.INTEGER, "int8"), Column("day", Kind.DATE, "date")), (0, 1), (0,), (1,), 1)
    with pytest.raises(EnvelopeError, match="'day' is the time of its events"):
        CloudEventsEnvelope().compile(shape, STREAM)(batch(shape, [("1", "23.11.2026")]))
    assert PlainEnvelope().compile(shape, STREAM)(batch(shape, [("1", "23.11.2026")])).keys == ["1"]


def test_only_a_date_or_time_can_be_the_time_of_a_row():
    shape = Shape((Column("id", Kind.INTEGER, "int8"),), (0,), (0,), (), 0)
    with pytest.raises(EnvelopeError, match="'id' is not a date or time"):
        CloudEventsEnvelope().compile(shape, STREAM)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.TEXT, 'a"\\', 'a"\\'),
        (Kind.ANY, 'a"\\', 'a"\\'),
        (Kind.ANY, 1.5, "1.5"),
        (Kind.JSON, '{"a":"\\n"}', '{"a":"\\n"}'),
        (Kind.DATE, 'a"', 'a"'),
        (Kind.TEXT, "", ""),
        (Kind.ANY, "", ""),
        (Kind.ANY, b"", ""),
        (Kind.BYTES, b"", ""),
    ],
)
def test_a_key_or_watermark_of_any_characters_stands_escaped_in_id_and_subject(kind, value, text):
    shape = Shape((Column("k", kind, "declared"),), (), (0,), (0,))
    (event,) = CloudEventsEnvelope().compile(shape, STREAM)(batch(shape, [(value,)])).values
    assert json.loads(event)["id"] == f"{text}@{text}:a3a6bf43"
    assert json.loads(event).get("subject") == (text or None)
    pair = Shape((*shape.columns, Column("id", Kind.INTEGER, "int8")), (), (0, 1))
    (event,) = CloudEventsEnvelope().compile(pair, STREAM)(batch(pair, [(value, "7")])).values
    assert json.loads(json.loads(event)["subject"]) == [text, "7"]


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.TEXT, Kind.DECIMAL])
def test_a_watermark_that_is_null_leaves_its_place_in_the_id_empty(kind):
    columns = (Column("id", Kind.INTEGER, "int8"), Column("w", kind, "declared"), Column("x", Kind.INTEGER, "int8"))
    shape = Shape(columns, (), (0,), (1, 2))
    events = CloudEventsEnvelope().compile(shape, STREAM)(batch(shape, [("1", None, "5"), ("2", "3", None)])).values
    assert [json.loads(event)["id"].rpartition(":")[0] for event in events] == ["1@,5", "2@3,"]
    each = PlainEnvelope().compile(shape, STREAM)(batch(shape, [("1", None, "5"), ("2", "3", None)])).each
    assert [headers[0][1].rpartition(":")[0] for headers in each] == ["1@,5", "2@3,"]
