"""Messages that Maxwell 1.22 sent for two tables of MySQL, beside ours for the same changes.

`maxwell/shop.jsonl` holds them with all optional members. Ours lack `schema_id`, the number of Maxwell's own record of
the columns. Table `nopk` has no primary key there, which is why its first column is named as the key here.
"""

import json
from pathlib import Path

from airflow_legacy_events.core.columns import ABSENT, Column, Kind, Shape
from airflow_legacy_events.core.model import (
    ENDED,
    HIDDEN,
    STARTED,
    Batch,
    LogEvent,
    LogNotes,
    LogTransaction,
    Stream,
)
from airflow_legacy_events.envelopes.maxwell import MaxwellEnvelope

SAMPLES = [json.loads(line) for line in (Path(__file__).parent / "maxwell" / "shop.jsonl").read_text().splitlines()]
SERVER = "6b0a16dd-e75a-11f1-b222-02fc00000001"
TIME = SAMPLES[0]["ts"]
ORDERS = (
    Column("id", Kind.INTEGER, "int", nullable=False),
    Column("v", Kind.TEXT, "varchar"),
    Column("d", Kind.DECIMAL, "decimal"),
    Column("ts", Kind.TIMESTAMP, "datetime"),
    Column("t2", Kind.INSTANT, "timestamp"),
    Column("j", Kind.TEXT, "text"),
    Column("b", Kind.BYTES, "varbinary"),
    Column("e", Kind.TEXT, "enum"),
    Column("f", Kind.INTEGER, "tinyint"),
    Column("u", Kind.INTEGER, "bigint unsigned"),
)
EXTRA = (*ORDERS, Column("extra", Kind.INTEGER, "int"))
NOPK = (Column("a", Kind.INTEGER, "int"), Column("b", Kind.SINGLE, "float"), Column("c", Kind.FLOAT, "double"))
FIRST = (
    *("1", "é€😀", "12345.678", "2026-01-02 03:04:05.123456", "2026-01-02 03:04:05.123+00", '{"a":1.50}'),
    *(b"\x00\xff\x10", "b", "1", "18446744073709551615"),
)
SECOND = ("1", "new", "0.001", *FIRST[3:])
THIRD = ("7", *SECOND[1:])


def stream(table):
    return Stream(
        "shop_db.etl.drain@log",
        table,
        "",
        "",
        database="shop",
        schema="shop",
        table=table,
        product="mysql",
    )


def shape(columns, table):
    width, last = len(columns), len(columns) + len(HIDDEN)
    return Shape(
        (*columns, *HIDDEN, *columns),
        tuple(range(width)),
        (0,),
        (width, width + 1),
        width + 2,
        before=tuple(range(last, last + width)),
        unchanged=width + 3,
        numbered=True,
        table=f"shop.{table}",
    )


def gtid(number):
    return f"{SERVER}:{number}"


def transaction(number, xid, *events, changes=1, thread=7):
    first, (position, *_) = 1, events[0]
    found = []
    for position, count in events:
        place = f"binlog.000001:{position}"
        found.append(LogEvent(first, place, place))
        first += count
    name = gtid(number)
    return name, LogTransaction(f"binlog.000001:{position}", xid, name, 5, thread, TIME, changes=changes, events=found)


def change(columns, values, number, at=1, old=None):
    values = (*values, *(None,) * (len(columns) - len(values)))
    old = (ABSENT,) * len(columns) if old is None else (*old, *(None,) * (len(columns) - len(old)))
    return (*values, gtid(number), at, "2026-11-23 16:25:02+00", None, *old)


def encode(columns, table, rows, ops, **notes):
    of_table = shape(columns, table)
    batch = Batch(of_table, rows, len(rows), None, ops, notes=LogNotes(**notes))
    return MaxwellEnvelope().compile(of_table, stream(table))(batch)


def expected(*places, but=("schema_id",)):
    return [{name: one for name, one in SAMPLES[at].items() if name not in but} for at in places]


def told(messages, but=()):
    found = [json.loads(value, parse_float=str) for value in messages.values]
    again = [json.loads(value) for value in messages.values]
    for text, value in zip(found, again, strict=True):
        assert list(text) == list(value)
    return [{name: one for name, one in value.items() if name not in but} for value in again]


def test_changes_of_a_table():
    transactions = dict(
        [
            transaction(19, 150, (26905, 1)),
            transaction(20, 151, (27224, 1)),
            transaction(21, 152, (27601, 2), changes=2),
            transaction(22, 154, (27972, 2), (28096, 1), changes=3),
            transaction(23, 157, (28362, 1)),
        ]
    )
    rows = [
        change(ORDERS, FIRST, 19),
        change(ORDERS, SECOND, 20, old=FIRST),
        change(ORDERS, SECOND, 21, 1, old=SECOND),
        change(ORDERS, THIRD, 21, 2),
        change(ORDERS, ("2", "t1"), 22, 1),
        change(ORDERS, ("3", "t2"), 22, 2),
        change(ORDERS, ("2", "t1"), 22, 3, old=("2", "t1")),
        change(ORDERS, THIRD, 23, old=THIRD),
    ]
    moved = {(gtid(21), 1): THIRD, (gtid(21), 2): SECOND}
    found = encode(ORDERS, "orders", rows, [*"cudcccdd"], transactions=transactions, moved=moved)
    assert told(found) == expected(*range(7))
    assert (found.rows, found.merged) == ([0, 1, 3, 4, 5, 6, 7], {2})
    assert found.keys == [
        f'{{"database":"shop","table":"orders","pk.id":{number}}}' for number in (1, 1, 7, 2, 3, 2, 7)
    ]
    assert '"d":12345.678,' in str(found.values[0])


def test_a_column_that_was_added_is_there():
    transactions = dict([transaction(25, 159, (28837, 1))])
    found = encode(EXTRA, "orders", [change(EXTRA, (*"4x", *(None,) * 8, "5"), 25)], "c", transactions=transactions)
    assert told(found) == expected(10)


def test_floats_are_written_with_the_digits_of_their_type():
    transactions = dict([transaction(28, 162, (29388, 1)), transaction(29, 163, (29642, 1))])
    before = ("1", "1.100000023841858", "1.1")
    after = ("1", "2.5", "1.1")
    rows = [change(NOPK, before, 28), change(NOPK, after, 29, old=before)]
    found = encode(NOPK, "nopk", rows, ["c", "u"], transactions=transactions)
    key = ("primary_key", "primary_key_columns")
    assert told(found, but=key) == expected(11, 12, but=("schema_id", *key))


def test_a_snapshot_stands_between_its_beginning_and_its_end():
    of_table = Shape(NOPK, (0, 1, 2), (0,), before=(0, 1, 2), table="shop.nopk")
    encoder = MaxwellEnvelope().compile(of_table, stream("nopk"))
    notes = LogNotes(place="binlog.000001:29642")
    nothing = [(None,) * 3]
    batches = [
        Batch(of_table, nothing, 1, None, STARTED, 1, notes=notes),
        Batch(of_table, [("1", "2.5", "1.1")], 1, None, "r", 1, notes=notes),
        Batch(of_table, nothing, 1, None, ENDED, 1, notes=notes),
    ]
    found = [encoder(one) for one in batches]
    but = ("ts", "primary_key", "primary_key_columns")
    assert [*told(found[0], but), *told(found[1], but), *told(found[2], but)] == expected(
        7, 8, 9, but=("schema_id", *but)
    )
    assert [one.everywhere for one in found] == [True, False, True]
    start, end = (json.loads(one.values[0]) for one in (found[0], found[2]))
    assert (start["primary_key"], start["primary_key_columns"]) == ([None], ["a"])
    assert (end["primary_key"], end["primary_key_columns"]) == ([], [])
    assert found[0].keys == ['{"database":"shop","table":"nopk","pk.a":null}']
    assert list(json.loads(found[2].keys[0])) == ["database", "table", "_uuid"]
    assert found[2].keys == encoder(batches[2]).keys


def test_members_come_in_the_same_order():
    transactions = dict([transaction(19, 150, (26905, 1)), transaction(22, 154, (27972, 3), changes=3)])
    rows = [change(ORDERS, FIRST, 19), change(ORDERS, ("2", "t1"), 22, old=FIRST)]
    found = encode(ORDERS, "orders", rows, ["c", "u"], transactions=transactions)
    samples = expected(0, 3)
    for value, sample in zip(found.values, samples, strict=True):
        members = list(json.loads(value))
        assert [one for one in members if one != "old"] == list(sample)
    assert list(json.loads(found.values[1]))[-1] == "old"
