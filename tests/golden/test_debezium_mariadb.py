"""Messages that Debezium's connector for MariaDB sent for a table, beside ours for the same changes.

`debezium/mariadb.jsonl` holds them with default settings.
"""

import json
from pathlib import Path

import pytest

from airflow_legacy_events.core.columns import ABSENT, Column, Kind, Shape
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.model import HIDDEN, Batch, LogEvent, LogNotes, LogTransaction, Stream
from airflow_legacy_events.envelopes.debezium import DebeziumEnvelope

SAMPLES = [json.loads(line) for line in (Path(__file__).parent / "debezium" / "mariadb.jsonl").read_text().splitlines()]
COLUMNS = (
    Column("id", Kind.INTEGER, "int", nullable=False),
    Column("name", Kind.TEXT, "varchar"),
    Column("email", Kind.TEXT, "varchar"),
    Column("balance", Kind.DECIMAL, "decimal"),
    Column("active", Kind.INTEGER, "tinyint(1)"),
    Column("created_at", Kind.INSTANT, "timestamp"),
    Column("birth", Kind.DATE, "date"),
    Column("ts", Kind.TIMESTAMP, "datetime"),
    Column("tod", Kind.TIME, "time"),
    Column("attrs", Kind.JSON, "json"),
    Column("doc", Kind.BYTES, "blob"),
    Column("st", Kind.TEXT, "enum"),
    Column("fl", Kind.TEXT, "set"),
    Column("yr", Kind.INTEGER, "year"),
    Column("u", Kind.INTEGER, "bigint unsigned"),
    Column("txt", Kind.TEXT, "text"),
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
    table="lab.customers",
)
ROWS = Shape(COLUMNS, ALL, (0,), before=ALL, table="lab.customers")
STREAM = Stream(
    "maria.shop.drain@log",
    "maria.lab.customers",
    "/maria/lab.customers",
    "maria.lab.customers.changed",
    database="lab",
    schema="lab",
    table="customers",
    product="mariadb",
)


def row(*values):
    return (*values, *(None,) * (WIDTH - len(values)))


ZOE = (
    *("1", 'Zoë "Q"', "z@example.com", "12.50", "1", "2026-01-02 03:04:05.123456+00", "1990-05-06"),
    *("2026-01-02 03:04:05.123456", "12:34:56.789000", '{"a":1}', b"\xde\xad\xbe\xef", "b", "x,y", "1999"),
    *(str(2**64 - 1), None),
)
CID = row("3", "Cid", None, "7.10", "1", "2026-03-04 05:06:07.000000+00")
BOB = row("2", "Bob", None, None, "0")


def change(values, gtid, number=1, old=None):
    return (*values, gtid, number, "2026-11-23 16:03:05+00", None, *(old or (ABSENT,) * WIDTH))


def transaction(number, position):
    gtid, place = f"0-1-{number}", f"mbin.000001:{position}"
    time = json.loads(SAMPLES[2]["value"])["source"]["ts_ms"] // 1000
    return gtid, LogTransaction(
        "mbin.000001:4", 7, gtid, 1, None, time, changes=1, events=[LogEvent(1, place, "mbin.000001:9")]
    )


def without(value):
    """Return a value without its times and the version."""
    if value is None:
        return None
    found = {name: one for name, one in json.loads(value).items() if not name.startswith("ts_")}
    assert found["source"].pop("version")
    if found["op"] == "r":
        assert found["source"].pop("snapshot") in ("true", "first", "last")
        found["source"] = {name: one for name, one in found["source"].items() if not name.startswith("ts_")}
    return json.dumps(found, ensure_ascii=False)


def told(messages):
    each = messages.each or [()] * len(messages.values)
    return [
        {"key": one, "value": without(value), "headers": list(map(list, headers))}
        for one, value, headers in zip(messages.keys, messages.values, each, strict=True)
    ]


def expected(first, last):
    return [{**one, "value": without(one["value"])} for one in SAMPLES[first:last]]


def encode(shape, rows, ops, **notes):
    batch = Batch(shape, rows, len(rows), None, ops, notes=LogNotes(**notes))
    return DebeziumEnvelope().compile(shape, STREAM)(batch)


def test_rows_of_a_snapshot():
    assert told(encode(ROWS, [ZOE, BOB], "r", place="mbin.000001:2425")) == expected(0, 2)


def test_changes():
    moved = {("0-1-11", 1): ("30", *CID[1:]), ("0-1-11", 2): CID}
    richer = row("2", "Bob", "b@x", "99.95", "0")
    rows = [
        change(CID, "0-1-9"),
        change(richer, "0-1-10", old=BOB),
        change(CID, "0-1-11", old=CID),
        change(("30", *CID[1:]), "0-1-11", 2),
        change(richer, "0-1-12", old=richer),
        change(row("8", "after"), "0-1-14"),
    ]
    found = [(9, 2789), (10, 3195), (11, 3590), (12, 3996), (14, 4516)]
    transactions = dict(transaction(number, position) for number, position in found)
    messages = encode(CHANGES, rows, [*"cudcdc"], transactions=transactions, moved=moved)
    assert told(messages) == expected(2, 10)


def test_members_come_in_the_same_order_and_the_connector_is_that_of_the_server():
    gtid, one = transaction(9, 2789)
    (value,) = encode(CHANGES, [change(CID, gtid)], "c", transactions={gtid: one}).values
    found, sample = json.loads(value), json.loads(SAMPLES[2]["value"])
    assert list(found) == list(sample)
    assert list(found["source"]) == list(sample["source"])
    assert json.dumps(found, separators=(",", ":"), ensure_ascii=False) == value
    encode_mysql = DebeziumEnvelope().compile(CHANGES, STREAM._replace(product="mysql"))
    thread = one._replace(thread=12)
    notes = LogNotes({gtid: thread})
    (value,) = encode_mysql(Batch(CHANGES, [change(CID, gtid)], 1, None, "c", notes=notes)).values
    source = json.loads(value)["source"]
    assert (source["connector"], source["thread"]) == ("mysql", 12)
    (value,) = encode(CHANGES, [change(CID, gtid)], "c", transactions={gtid: thread}).values
    assert json.loads(value)["source"]["thread"] is None


def test_the_time_is_that_of_the_commit_where_the_log_has_its_digits():
    gtid, one = transaction(9, 2789)
    precise = (*change(CID, gtid)[:WIDTH], gtid, 1, "2026-11-23 16:03:05.123456+00", None, *(ABSENT,) * WIDTH)
    for known, micros in ((one, 1795449785123456), (one._replace(gtid=None), 1795449785000000)):
        (value,) = encode(CHANGES, [precise], "c", transactions={gtid: known}).values
        assert json.loads(value)["source"]["ts_us"] == micros


def test_rows_of_one_event_are_counted_as_the_log_counts_them():
    gtid, one = transaction(9, 100)
    later = LogEvent(4, "mbin.000001:200", "mbin.000001:300")
    notes = LogNotes(
        {gtid: one._replace(events=[*one.events, later], changes=6)},
        {(gtid, 2): row("9"), (gtid, 3): row("3")},
    )
    rows = [change(row(str(number)), gtid, number) for number in range(1, 7)]
    found = DebeziumEnvelope().compile(CHANGES, STREAM)(Batch(CHANGES, rows, 6, None, [*"ccdccc"][:6], notes=notes))
    sources = [json.loads(value)["source"] for value in found.values if value is not None]
    assert [(one["pos"], one["row"]) for one in sources] == [
        *((100, 0), (100, 1), (100, 1), (200, 0), (200, 1), (200, 2)),
    ]


@pytest.mark.parametrize(
    ("kind", "type_", "value", "expected"),
    [
        (Kind.TEXT, "bit", "1", True),
        (Kind.TEXT, "bit", "0000000100000010", "AgE="),
        (Kind.TEXT, "bit", "000", "AA=="),
        (Kind.INTEGER, "bigint unsigned", str(2**63), -(2**63)),
        (Kind.INTEGER, "bigint unsigned zerofill", "7", 7),
        (Kind.INTEGER, "int unsigned", str(2**32 - 1), 2**32 - 1),
        (Kind.DECIMAL, "decimal", "-0.01", "/w=="),
        (Kind.DECIMAL, "decimal unsigned", "1234567890123456789012345678901234.50", "F8bjv9cP3ursQXFy3Lq6"),
        (Kind.SINGLE, "float", "1.100000023841858", 1.1),
        (Kind.FLOAT, "double", "3", 3.0),
        (Kind.DATE, "date", "1000-01-01", -354285),
        (Kind.DATE, "date", "0000-00-00", None),
        (Kind.DATE, "date", "2026-00-10", None),
        (Kind.TIMESTAMP, "datetime", "2026-01-02 03:04:05", 1767323045000),
        (Kind.TIMESTAMP, "datetime", "2026-01-02 03:04:05.123", 1767323045123),
        (Kind.TIMESTAMP, "datetime", "2026-01-02 03:04:05.1234", 1767323045123400),
        (Kind.TIMESTAMP, "datetime", "0000-00-00 00:00:00", None),
        (Kind.TIME, "time", "-838:59:59", -3020399000000),
        (Kind.TIME, "time", "00:00:00.5", 500000),
        (Kind.INSTANT, "timestamp", "2026-01-02 03:04:05+00", "2026-01-02T03:04:05Z"),
        (Kind.INSTANT, "timestamp", "0000-00-00 00:00:00.000+00", None),
        (Kind.JSON, "json", '{"a": 1.50}', '{"a": 1.50}'),
        (Kind.TEXT, "set", "", ""),
        (Kind.BYTES, "binary", b"\x00\xff", "AP8="),
        (Kind.BYTES, "vector", b"\x00\x00\x80?\xcd\xcc\x8c?", [1.0, 1.1]),
        (Kind.BYTES, "vector", "\\x", []),
        (
            *(Kind.BYTES, "geometry", b"\x01\x01\x00\x00\x00" + bytes(8) + b"\x00" * 6 + b"\xf0\x3f"),
            {"x": 0.0, "y": 1.0, "wkb": "AQEAAAAAAAAAAAAAAAAAAAAAAPA/", "srid": None},
        ),
        (
            *(Kind.BYTES, "geometry", "\\x010700000000000000"),
            {"wkb": "AQcAAAAAAAAA", "srid": None},
        ),
    ],
)
def test_values_of_each_type(kind, type_, value, expected):
    assert written(Column("v", kind, type_), value) == expected


@pytest.mark.parametrize(
    ("kind", "type_", "value", "expected"),
    [
        (Kind.DATE, "date", "0000-00-00", 0),
        (Kind.TIMESTAMP, "datetime", "0000-00-00 00:00:00.000000", 0),
        (Kind.INSTANT, "timestamp", "0000-00-00 00:00:00+00", "1970-01-01T00:00:00Z"),
    ],
)
def test_no_date_in_a_column_that_may_not_be_null_is_the_beginning_of_1970(kind, type_, value, expected):
    assert written(Column("v", kind, type_, nullable=False), value) == expected


def test_decimals_may_be_texts():
    assert written(Column("v", Kind.DECIMAL, "decimal"), "-0.10", decimals="string") == "-0.10"


@pytest.mark.parametrize(
    ("kind", "type_", "value"),
    [
        (Kind.BYTES, "vector", b"\x00\x00\x80\x7f"),
        (Kind.BYTES, "vector", b"\x00"),
        (Kind.TIME, "time", "12:60:00"),
        (Kind.TEXT, "bit", ""),
        (Kind.DATE, "date", "2026-13-01"),
    ],
)
def test_what_is_no_value_of_its_type_is_refused(kind, type_, value):
    with pytest.raises(EnvelopeError, match=f"column 'v' is declared '{type_}'"):
        written(Column("v", kind, type_), value)


def written(column, value, **options):
    key = Column("k", Kind.INTEGER, "int")
    shape = Shape((key, column, *HIDDEN), (1,), (0,), (2, 3), 4, numbered=True, table="lab.customers")
    batch = Batch(shape, [("1", value, "0-1-9", 1, None, None)], 1, None, "c", notes=LogNotes())
    (text,) = DebeziumEnvelope(**options).compile(shape, STREAM)(batch).values
    return json.loads(text)["after"]["v"]
