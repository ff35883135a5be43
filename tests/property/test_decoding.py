"""Messages that are decoded together become what they become one by one, whatever they hold."""

from __future__ import annotations

import dataclasses
import json
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.core.columns import Elements, Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.databases.postgres.target.packing import CopyLines
from airflow_legacy_events.envelopes.decoders.cloudevents import CloudEventsDecoder
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder
from airflow_legacy_events.envelopes.decoders.maxwell import MaxwellDecoder
from airflow_legacy_events.envelopes.decoders.plain import PlainDecoder
from airflow_legacy_events.envelopes.decoding.fast import batches
from tests.support.decoding import NOTHING, STREAM, batch, received, step, table
from tests.support.fake_target import FakeTarget

TABLE = table(
    id=TargetColumn("", Kind.INTEGER, "integer", low=-(2**31), high=2**31 - 1),
    big=TargetColumn("", Kind.INTEGER, "numeric(30)"),
    text=TargetColumn("", Kind.TEXT, "varchar(5)", length=5),
    amount=TargetColumn("", Kind.DECIMAL, "numeric(5,2)", precision=5, scale=2),
    rounded=TargetColumn("", Kind.DECIMAL, "numeric(3,-2)", precision=3, scale=-2),
    ratio=Kind.FLOAT,
    flag=Kind.BOOLEAN,
    at=TargetColumn("", Kind.INSTANT, "timestamptz(3)", scale=3),
    local=TargetColumn("", Kind.TIMESTAMP, "timestamp", scale=6),
    day=Kind.DATE,
    clock=TargetColumn("", Kind.TIME, "time(0)", scale=0),
    uid=Kind.UUID,
    data=TargetColumn("", Kind.BYTES, "bytea", length=3),
    doc=Kind.JSON,
    bits=TargetColumn("", Kind.TEXT, "bit(3)", length=3),
    pairs=TargetColumn("", Kind.TEXT, "hstore"),
    span=TargetColumn("", Kind.TEXT, "interval"),
    days=TargetColumn("", Kind.ARRAY, "date[]", elements=Elements(Kind.DATE)),
    made=TargetColumn("", Kind.TEXT, "text", written=False),
)

TIMES = [
    *("2026-02-28T01:02:03Z", "2028-02-29T01:02:03.120Z", "2026-02-29T00:00:00Z", "2026-01-02T03:04:05.1234Z"),
    *("2026-01-02T03:04:05+00:00", "2026-01-02 03:04:05", "2026-01-02T03:04:05+05:00", "0000-01-01T00:00:00Z"),
    *("1900-02-29T00:00:00Z", "infinity", "2026-01-02T24:00:00Z", "9999-12-31T23:59:59-14:00", "2000-02-29T00:00:00Z"),
]
FIELDS = {
    "id": ["1", "2", "3", '"4"', "null", "2147483648", "1.0", "-0"],
    "big": ["1", "99999999999999999999", "1e3", '"7"', "null", "9" * 5_000],
    "text": ['"äöü"', '"a"', '"a\nb"', '"\\u00e4"', "12", '{"a": 1}', "null", '"toolong"', '"\\ud800"', '"\udcff"'],
    "amount": ['"1.20"', "1.2", "-0", '"-0.00"', "123.45", "1.234", "1.230", "1234", '"x"', '"007"', "1e2", "null"],
    "rounded": ["1200", '"1200"', "1250", "123456", "1e3", "0.5"],
    "ratio": ["1.5", "-0", "1e300", "1e400", '"NaN"', "0.1", "12345678901234567890", "null"],
    "flag": ["true", "false", "0", '"yes"', "2", "null", "[true,false]"],
    "at": [*(f'"{one}"' for one in TIMES), "null", "1767323045123"],
    "local": [
        *('"2026-01-02 03:04:05.123456"', '"2026-01-02T03:04:05"', '"2026-01-02T03:04:05Z"', '"2026-01-02"', "null"),
        *("1", '"2026-01-02T03:04:05Z\\n2026-01-02T03:04:05Z"'),
    ],
    "day": ['"2026-12-31"', '"2026-11-31"', '"2026-12-31T00:00:00Z"', "20454", "null"],
    "clock": ['"01:02:03"', '"01:02:03.0"', '"24:00:00"', '"1:2"', "null", "3600"],
    "uid": ['"7d444840-9dc0-11d1-b245-5ffdce74fad2"', '"7D444840-9DC0-11D1-B245-5FFDCE74FAD2"', '"7d"', "null", "1"],
    "data": ['"AP8Q"', '""', '"AP8QAA=="', '"AP8"', '"é"', "null", "1"],
    "doc": [
        *('{"a":1.50}', "[1,2]", '"a"', "1", "null", '{"a":"\\ud800"}', '{"\udcff":1}', "[" * 600 + "]" * 600),
        *('"{\\"a\\":1}"', '"5"'),
    ],
    "bits": ['"101"', '"BQ=="', "5", "true", '"1010"', "9", "-1", "1.5", "null"],
    "pairs": ['{"a":"1","b":null}', '"{\\"a\\":\\"1\\"}"', '"a=>1"', '{"a":1}', "[1]", "null"],
    "span": ["-5000001", '"1 mon"', "1.5", "null"],
    "days": ["[20454,null]", '["2026-01-01"]', "[[1],[2]]", '"{}"', "1", "null"],
    "made": ['"x"', "1"],
    "unknown": ["1", "null"],
}
"""Values by field, the usual one first."""


@st.composite
def objects(draw):
    """A JSON object with some of the fields, in any order; rarely one of them twice, or with spaces."""
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=4, unique=True))
    names = [*names, *({"id"} - set(names) if draw(st.integers(0, 5)) else ())]
    names = names if draw(st.integers(0, 9)) else [*names, *names[:1]]
    usual = draw(st.integers(0, 2))
    colon, comma = draw(st.sampled_from([(":", ","), (":", ","), (": ", ", ")]))
    values = {name: FIELDS[name][0] if usual else draw(st.sampled_from(FIELDS[name])) for name in dict.fromkeys(names)}
    return "{" + comma.join(f'"{name}"{colon}{values[name]}' for name in names) + "}"


keys = st.sampled_from([None, "1", "2", '{"id":1}', "{", '{"database":"d","table":"t","pk.id":2}'])
ops = st.sampled_from(["c", "u", "u", "u", "r", "d", "t", "x"])
rows = st.one_of(
    objects(), objects(), objects(), st.sampled_from(["null", "[1]", "", "{", "1", '{"before":null,"after":{"id":1}}'])
)
repeats = st.sampled_from([[], [], [], [("mode", "replay")]])


@st.composite
def cloudevents(draw):
    op, row, key = draw(ops), draw(rows), draw(keys)
    if draw(st.integers(0, 3)) == 0:
        unchanged = draw(st.sampled_from([[], [("ce_unchanged", '["text"]')]]))
        return key, row, 0, [("ce_specversion", "1.0"), ("ce_id", "7@:0123abcd"), ("ce_op", op), *unchanged]
    more = draw(st.sampled_from(["", ',"unchanged":"[\\"text\\"]"', ',"traceparent":"00"', ',"op":"u"', ',"time":1']))
    return key, f'{{"specversion":"1.0","id":"7@:0123abcd:1","op":"{op}"{more},"data":{row}}}', 0, draw(repeats)


@st.composite
def plain(draw):
    headers = draw(
        st.sampled_from([[], [("op", "u"), ("id", "7")], [("op", "d")], [("op", "r")], [("unchanged", '["text"]')]])
    )
    return draw(keys), draw(st.one_of(rows, st.none())), 0, [*headers, *draw(repeats)]


@st.composite
def debezium(draw):
    op, row = draw(ops), draw(rows)
    source = draw(
        st.sampled_from([*(f'{{"snapshot":"{one}"}}' for one in ("true", "first", "incremental")), "{}", "1"])
    )
    row = row.replace('"äöü"', draw(st.sampled_from(['"äöü"', '"__debezium_unavailable_value"'])))
    headers = draw(st.sampled_from([[], [], [("__debezium.oldkey", '{"id":3}')], [("__debezium.newkey", '{"id":3}')]]))
    before = row if op == "d" else "null"
    text = f'{{"before":{before},"after":{row},"source":{source},"op":"{op}","ts_ms":1}}'
    return draw(keys), draw(st.sampled_from([text, text, text, f'{{"schema":null,"payload":{text}}}'])), 0, headers


@st.composite
def maxwell(draw):
    kinds = ["insert", "update", "update", "delete", "bootstrap-insert", "bootstrap-start", "table-drop"]
    olds = ["", ',"old":{"id":9}', ',"old":{"text":"b"}', ',"old":null', ',"old":1', ',"old":{"a":1,"a":1}']
    kind, old = draw(st.sampled_from(kinds)), draw(st.sampled_from(olds))
    gtid = draw(st.sampled_from([',"gtid":"0-1-7"', ',"gtid":"6b0a16dd-e75a-11f1-b222-02fc00000001:20"', ""]))
    head = f'"database":"d","table":"t","type":"{kind}","ts":1,"xid":2,"commit":true{gtid}'
    return draw(keys), f'{{{head},"data":{draw(rows)}{old}}}', 0, ()


ENVELOPES = {
    "cloudevents": (CloudEventsDecoder, cloudevents()),
    "plain": (PlainDecoder, plain()),
    "debezium": (DebeziumDecoder, debezium()),
    "maxwell": (MaxwellDecoder, maxwell()),
}


def one_by_one(decoder):
    """The same decoder under another name, for which nothing is usual."""
    made = type(decoder)
    return type("Own", (made,), {})()


def outcome(decoder, messages, options, table_=TABLE, size=100):
    """What messages become in batches of a size, up to the first error."""
    target = FakeTarget(shapes={"t": table_})
    decoding = step(decoder, target, **options)
    decoding.open()
    decode, found = decoding.compile(NOTHING, STREAM), []
    for at in range(0, len(messages), size):
        try:
            changes = decode(batch(received(*messages[at : at + size], first=at)))
        except Exception as error:  # noqa: BLE001  equal errors are equal outcomes
            return [*found, (type(error), str(error))]
        one = changes.tables.get("t")
        names = None if one is None else one.shape.named(range(len(one.shape.columns)))
        rows = None if one is None else (names, one.ops, [*one.rows], one.places, one.moved, one.partial)
        found.append((rows, changes.skipped, changes.poison, changes.bytes, changes.facts))
    return [*found, json.dumps(decoding.lowered())]


OPTIONS = [
    {"on_schema_change": "ignore"},
    {"on_schema_change": "ignore", "on_truncate": "apply", "on_delete": "skip"},
    {"on_schema_change": "evolve", "on_truncate": "skip", "on_loss": "round"},
    {"columns": {"id": "id", "text": "text", "unknown": "doc"}, "on_truncate": "skip"},
    {"exclude_columns": ["unknown", "text"], "on_truncate": "skip"},
    {
        "on_schema_change": "ignore",
        "epoch_unit": "ms",
        "decimal_scales": {"amount": None},
        "target_timezone": "+02:00",
    },
    {
        "mode": "append",
        "on_schema_change": "ignore",
        "on_truncate": "skip",
        "metadata_columns": {"offset": "big", "op": "text", "event_id": "doc"},
    },
]


@pytest.mark.parametrize("name", sorted(ENVELOPES))
@given(data=st.data())
def test_together_and_one_by_one(name, data):
    make, messages = ENVELOPES[name]
    some = data.draw(st.lists(messages, min_size=1, max_size=12))
    options = data.draw(st.sampled_from(OPTIONS))
    decoder = make()
    size = data.draw(st.sampled_from([2, 5, 100]))
    with mock.patch.object(batches, "SLICE", data.draw(st.sampled_from([1, 3, batches.SLICE]))):
        together = outcome(decoder, some, options, size=size)
    assert together == outcome(one_by_one(decoder), some, options, size=size)


SMALL = table(id=Kind.INTEGER, text=Kind.TEXT, doc=Kind.JSON, made=TargetColumn("", Kind.TEXT, "text", written=False))
PACKED = dataclasses.replace(SMALL, packing=CopyLines((0, 1, 2), 4))


@given(
    values=st.lists(
        st.tuples(
            st.text(st.sampled_from("a\\\t\n\r\0Nä\U0001f600")) | st.none(), st.none() | st.text() | st.integers()
        ),
        min_size=1,
        max_size=12,
    ),
    ids=st.sampled_from([100, 4]),
    size=st.sampled_from([1, 3]),
)
def test_packed_rows_and_rows_as_they_are(values, ids, size):
    fields = [{"id": at % ids, "text": text, "doc": {text or "": doc}} for at, (text, doc) in enumerate(values)]
    messages = [(str(one["id"]), json.dumps(one, indent=one["id"] % 2 or None), 0, ()) for one in fields]
    with mock.patch.object(batches, "SLICE", size):
        packed = outcome(PlainDecoder(), messages, {}, PACKED, size=5)
    assert packed == outcome(one_by_one(PlainDecoder()), messages, {}, SMALL, size=5)


MADE = table("t", (), id=TargetColumn("", Kind.INTEGER, "integer", written=False))


@pytest.mark.parametrize("packing", [None, CopyLines((), 1)])
@pytest.mark.parametrize("value", ["{}", '{"unknown":1}'])
def test_rows_of_a_table_that_makes_all_its_values(value, packing):
    messages = [(str(at), value, 0, ()) for at in range(3)]
    options = {"mode": "append", "on_schema_change": "ignore"}
    together = outcome(PlainDecoder(), messages, options, dataclasses.replace(MADE, packing=packing))
    assert together == outcome(one_by_one(PlainDecoder()), messages, options, MADE)
    assert len(together[0][0][2]) == 3


@st.composite
def nearly_times(draw):
    """A time, or what is left of one after some characters were changed."""
    text = draw(st.sampled_from([one.strip('"') for one in (*TIMES, "2026-01-02T03:04:05.123456Z")]))
    for _ in range(draw(st.integers(0, 2))):
        at, sign = draw(st.integers(0, len(text))), draw(st.sampled_from(["", *"0123456789TZtz:-.+ ,e"]))
        text = text[:at] + sign + text[at + draw(st.integers(0, 1)) :]
    return text


@given(texts=st.lists(nearly_times(), min_size=1, max_size=4), name=st.sampled_from(["at", "local"]))
def test_times_together_and_one_by_one(texts, name):
    messages = [(str(at), f'{{"id":{at},"{name}":{json.dumps(text)}}}', 0, ()) for at, text in enumerate(texts)]
    assert outcome(PlainDecoder(), messages, {}) == outcome(one_by_one(PlainDecoder()), messages, {})
