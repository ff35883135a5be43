"""Any changes of any table: each message says what its change says, by an oracle that knows nothing of the encoder."""

import json
import zlib
from dataclasses import replace
from typing import Any, NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airflow_legacy_events.core.columns import ABSENT, Kind, Shape
from airflow_legacy_events.core.model import HIDDEN, Batch, Stream
from airflow_legacy_events.core.uris import reference
from airflow_legacy_events.envelopes import compiler
from airflow_legacy_events.envelopes.attributes import cleaned
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from tests.property.test_envelopes import Cell, cells, column, parse, texts
from tests.support.profile import LONG

NULL = Cell(None, None, "")
GONE = Cell(ABSENT, None, "")
PLACE, TIME = "0/16B3748", "2026-11-23 09:15:02.5+00"


class Change(NamedTuple):
    op: str
    row: tuple[Cell, ...]
    old: tuple[Cell, ...]
    number: int
    unchanged: tuple[str, ...]

    @property
    def hidden(self) -> tuple[Any, ...]:
        named = json.dumps(self.unchanged, ensure_ascii=False) if self.unchanged else None
        return PLACE, str(self.number), TIME, named


class Table(NamedTuple):
    shape: Shape
    stream: Stream
    changes: list[Change]


@st.composite
def tables(draw):
    names = draw(st.lists(texts, min_size=1, max_size=6, unique=True))
    own = tuple(column(name, draw(st.sampled_from(list(Kind)))) for name in names)
    width, places = len(own), st.sampled_from(range(len(own)))
    key = tuple(draw(st.lists(places, min_size=1, max_size=2, unique=True)))
    data = tuple(draw(st.lists(places, unique=True)))
    both, numbered = bool(data) and draw(st.booleans()), draw(st.booleans())
    old = tuple(column(name, one.kind) for name, one in zip(names, own, strict=True)) if both else ()
    first = width + len(old)
    shape = Shape(
        (*own, *old, *HIDDEN),
        data,
        key,
        (first, first + 1),
        first + 2,
        before=tuple(width + at for at in data) if both else (),
        unchanged=first + 3,
        numbered=numbered,
        table="public.t",
    )
    held = [cells(one.kind, "UTC") for one in own]
    whole = st.tuples(*(found if at in key else found | st.just(NULL) for at, found in enumerate(held)))
    partly = st.tuples(
        *(found if at in key else found | st.just(NULL) | st.just(GONE) for at, found in enumerate(held))
    )
    image = partly | st.just((GONE,) * width)
    one = st.builds(
        Change,
        st.sampled_from("cudr"),
        whole | partly,
        image,
        st.integers(1, 9),
        st.lists(texts, max_size=2).map(tuple),
    )
    stream = Stream("s", "t", draw(texts) or "s", draw(texts) or "s", tombstones=draw(st.sampled_from([None, True])))
    return Table(shape, stream, draw(st.lists(one, max_size=9)))


def batch(table, ops=None):
    rows = [
        (*(cell.value for cell in one.row), *(cell.value for cell in one.old if table.shape.before), *one.hidden)
        for one in table.changes
    ]
    return Batch(table.shape, rows, len(rows), None, ops or [one.op for one in table.changes])


def image(shape, row):
    return {shape.columns[at].name: row[at].json for at in shape.data if row[at] is not GONE}


def data_of(shape, one):
    if not shape.before:
        return image(shape, one.row)
    before = None if one.op in "cr" else image(shape, one.old) or None
    return {"before": before, "after": None if one.op == "d" else image(shape, one.row)}


def key_of(shape, one):
    key = [one.row[at].text for at in shape.key]
    return key[0] if len(key) == 1 else json.dumps(key, ensure_ascii=False, separators=(",", ":"))


def id_of(shape, one, data):
    version = f"{key_of(shape, one)}@{PLACE},{one.number}"
    return version if shape.numbered else f"{version}:{zlib.crc32(data.encode()):08x}"


def event(shape, stream, one, data):
    subject = {"subject": cleaned(key_of(shape, one))} if key_of(shape, one) else {}
    unchanged = {"unchanged": cleaned(one.hidden[3])} if one.unchanged else {}
    return {
        "specversion": "1.0",
        "id": cleaned(id_of(shape, one, data)),
        "source": reference(stream.source),
        "type": cleaned(stream.type),
        **subject,
        "time": "2026-11-23T09:15:02.500000Z",
        "datacontenttype": "application/json",
        "op": one.op,
        **unchanged,
        "data": data_of(shape, one),
    }


@given(tables(), st.sampled_from([1, 2, 1_000]))
@settings(max_examples=600 if LONG else 60, deadline=None)
def test_a_cloud_event_says_what_its_change_says(table, block):
    compiler.BLOCK_ROWS, before = block, compiler.BLOCK_ROWS
    try:
        messages = CloudEventsEnvelope().compile(table.shape, table.stream)(batch(table))
    finally:
        compiler.BLOCK_ROWS = before
    expected = [
        (at, one, last)
        for at, one in enumerate(table.changes)
        for last in ((False, True) if table.stream.tombstones and one.op == "d" else (False,))
    ]
    assert [messages.row_of(at) for at in range(len(messages.values))] == [at for at, _, _ in expected]
    for key, value, (_, one, last) in zip(messages.keys, messages.values, expected, strict=True):
        assert key == key_of(table.shape, one)
        if last:
            assert value is None
            continue
        data = value[value.index('"data":') + len('"data":') : -1]
        assert json.dumps(parse(value)) == json.dumps(event(table.shape, table.stream, one, data))


@given(tables())
@settings(max_examples=300 if LONG else 25, deadline=None)
def test_a_binary_cloud_event_has_the_same_attributes_as_headers(table):
    table = table._replace(stream=table.stream._replace(tombstones=None))
    messages = CloudEventsEnvelope(binary=True).compile(table.shape, table.stream)(batch(table))
    for at, one in enumerate(table.changes):
        expected = event(table.shape, table.stream, one, messages.values[at])
        data, _ = expected.pop("data"), expected.pop("datacontenttype")
        assert json.dumps(parse(messages.values[at])) == json.dumps(data)
        found = {name.removeprefix("ce_"): text for name, text in messages.headers_of(at)}
        assert found.pop("content-type") == "application/json"
        assert found == expected


@given(tables())
@settings(max_examples=300 if LONG else 25, deadline=None)
def test_a_plain_message_is_its_row_or_a_tombstone(table):
    messages = PlainEnvelope().compile(table.shape, table.stream)(batch(table))
    whole = CloudEventsEnvelope(binary=True).compile(table.shape, table.stream._replace(tombstones=None))(batch(table))
    assert messages.rows is None
    for at, one in enumerate(table.changes):
        assert messages.keys[at] == key_of(table.shape, one)
        assert messages.values[at] == (None if one.op == "d" else whole.values[at])
        unchanged = (("unchanged", one.hidden[3]),) if one.unchanged else ()
        id_ = id_of(table.shape, one, whole.values[at] or "")
        assert messages.each[at] == (("id", id_), ("op", one.op), *unchanged)


@given(tables(), st.sampled_from("cudr"))
@settings(max_examples=300 if LONG else 25, deadline=None)
def test_one_operation_of_all_rows_is_the_same_as_one_each(table, op):
    assume(table.changes)
    changes = [one._replace(op=op) for one in table.changes]
    table = table._replace(shape=replace(table.shape, numbered=True), changes=changes)
    together = CloudEventsEnvelope().compile(table.shape, table.stream)(batch(table, op))
    each = CloudEventsEnvelope().compile(table.shape, table.stream)(batch(table, [op] * len(changes)))
    assert together == each
