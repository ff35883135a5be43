"""Messages that Debezium 3.6 sent for a table, beside ours for the same changes.

`debezium/customers.jsonl` holds them with default settings, but for `provide.transaction.metadata`, whose block
`transaction` is left out here. The table has its default replica identity at first, then FULL.
"""

import json
from pathlib import Path

import pytest

from airflow_legacy_events.core.columns import ABSENT, Column, Elements, Kind, Shape
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.model import HIDDEN, Batch, LogNotes, LogTransaction, Stream
from airflow_legacy_events.envelopes.debezium import DebeziumEnvelope

SAMPLES = [
    json.loads(line) for line in (Path(__file__).parent / "debezium" / "customers.jsonl").read_text().splitlines()
]
COLUMNS = (
    Column("id", Kind.INTEGER, "int4", nullable=False),
    Column("name", Kind.TEXT, "text"),
    Column("email", Kind.TEXT, "text"),
    Column("balance", Kind.DECIMAL, "numeric(10,2)"),
    Column("active", Kind.BOOLEAN, "bool"),
    Column("created_at", Kind.INSTANT, "timestamptz"),
    Column("birth", Kind.DATE, "date"),
    Column("ts", Kind.TIMESTAMP, "timestamp"),
    Column("tod", Kind.TIME, "time"),
    Column("attrs", Kind.JSON, "jsonb"),
    Column("doc", Kind.BYTES, "bytea"),
    Column("uid", Kind.UUID, "uuid"),
    Column("tags", Kind.ARRAY, "text[]", elements=Elements(Kind.TEXT)),
    Column("big", Kind.TEXT, "text"),
    Column("r8", Kind.FLOAT, "float8"),
)
WIDTH, LAST = len(COLUMNS), len(COLUMNS) + len(HIDDEN)
ALL = tuple(range(WIDTH))
CHANGES = Shape(
    (*COLUMNS, *HIDDEN, *COLUMNS),
    ALL,
    (0,),
    (WIDTH, WIDTH + 1),
    WIDTH + 2,
    before=tuple(range(LAST, LAST + WIDTH)),
    unchanged=WIDTH + 3,
    numbered=True,
    table="public.customers",
)
ROWS = Shape(COLUMNS, ALL, (0,), before=ALL, table="public.customers")
STREAM = Stream("pg.drain@log", "pg.public.customers", "", "", database="lab", schema="public", table="customers")
FIRST, SECOND = "0/16DC2CB8", "0/16DC3E00"
TRANSACTIONS = {FIRST: LogTransaction(FIRST, 743), SECOND: LogTransaction(SECOND, 744)}

NOTHING = (None,) * WIDTH
ZOE = (
    *("1", 'Zoë "Q"', "z@example.com", "12.50", "t", "2026-01-02 03:04:05.123456+00", "1990-05-06"),
    *("2026-01-02 03:04:05.123456", "12:34:56.789", '{"a": 1}', "\\xdeadbeef", "7d444840-9dc0-11d1-b245-5ffdce74fad2"),
    *("{x,y}", None, "1.5"),
)
CID = ("Cid", None, "7.10", "t", "2026-03-04 05:06:07+00", *NOTHING[6:])


def row(*values):
    return (*values, *NOTHING[len(values) :])


def key(number):
    return (number, *(ABSENT,) * (WIDTH - 1))


def change(values, place, number, old=None):
    return (*values, place, number, "2026-11-23 16:03:05.342576+00", None, *(old or (ABSENT,) * WIDTH))


def without(value):
    """Return a value without its times and what a log read by commits has no knowledge of."""
    if value is None:
        return None
    found = {name: one for name, one in json.loads(value).items() if not name.startswith("ts_")}
    assert found.pop("transaction", "") != ""
    source = {name: one for name, one in found["source"].items() if not name.startswith("ts_")}
    assert source.pop("version")
    assert isinstance(source.pop("lsn"), int)
    assert source.pop("sequence")
    if found["op"] == "r":
        assert source.pop("snapshot") in ("true", "first", "last_in_data_collection")
        source.pop("txId")
    return json.dumps({**found, "source": source}, ensure_ascii=False)


def told(messages):
    each = messages.each or [()] * len(messages.values)
    return [
        (one, without(value), list(map(list, headers)))
        for one, value, headers in zip(messages.keys, messages.values, each, strict=True)
    ]


def expected(first, last):
    return [(one["key"], without(one["value"]), one["headers"]) for one in SAMPLES[first:last]]


def encode(shape, rows, ops, **notes):
    return DebeziumEnvelope().compile(shape, STREAM)(Batch(shape, rows, len(rows), None, ops, notes=LogNotes(**notes)))


def test_rows_of_a_snapshot():
    rows = [ZOE, row("2", "Bob", None, None, "f")]
    assert told(encode(ROWS, rows, "r", place="0/16DC24A0")) == expected(0, 2)


def test_changes_of_a_table_with_the_identity_of_its_key():
    moved = {(FIRST, 3): ("30", *CID), (FIRST, 4): key("3")}
    rows = [
        change(("3", *CID), FIRST, 1),
        change(row("2", "Bob", "b@x", "99.95", "f"), FIRST, 2, key("2")),
        change(key("3"), FIRST, 3, key("3")),
        change(("30", *CID), FIRST, 4),
        change(key("2"), FIRST, 5, key("2")),
        change(row("4", "D"), FIRST, 6),
        change(row("5", "E"), FIRST, 7),
        change(key("4"), FIRST, 8, key("4")),
    ]
    messages = encode(CHANGES, rows, [*"cudcdccd"], transactions=TRANSACTIONS, moved=moved)
    assert told(messages) == expected(2, 13)
    assert messages.rows == [0, 1, 2, 2, 3, 4, 4, 5, 6, 7, 7]


def test_changes_of_a_table_with_whole_old_rows():
    rows = [
        change(("1", "Zoe2", *ZOE[2:]), SECOND, 1, ZOE),
        change(row("5", "E"), SECOND, 2, row("5", "E")),
    ]
    assert told(encode(CHANGES, rows, ["u", "d"], transactions=TRANSACTIONS)) == expected(13, 16)


def test_an_infinite_date_is_no_number_as_it_is_in_debezium():
    assert '"birth":-2147472692' in SAMPLES[16]["value"]
    infinite = ("7", "inf", None, None, None, None, "infinity", *NOTHING[7:13], "xxxxxxxxxx", None)
    with pytest.raises(EnvelopeError, match="column 'birth' holds an infinite date: use envelope='cloudevents'"):
        encode(CHANGES, [change(infinite, SECOND, 3)], "c", transactions=TRANSACTIONS)


def test_members_come_in_the_same_order():
    (value,) = encode(CHANGES, [change(ZOE, FIRST, 1)], "c", transactions=TRANSACTIONS).values
    found, sample = json.loads(value), json.loads(SAMPLES[2]["value"])
    assert list(found) == list(sample)
    assert list(found["source"]) == list(sample["source"])
    assert list(found["after"]) == list(sample["after"])
    times = {name: one for name, one in sample["source"].items() if name.startswith("ts_")}
    assert times.items() <= found["source"].items()
    assert json.dumps(found, separators=(",", ":"), ensure_ascii=False) == value
    assert found["source"]["lsn"] == int("16DC2CB8", 16)
    assert found["source"]["sequence"] == f'[null,"{int("16DC2CB8", 16)}"]'
