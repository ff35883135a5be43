"""Messages of pgoutput from their bytes, and the numbers beside them."""

from collections import deque

import pytest

from airflow_legacy_events.core.columns import ABSENT, Column, Kind
from airflow_legacy_events.core.model.log import LogForm, LogGap, LogPosition, LogTransaction, TableName
from airflow_legacy_events.databases.postgres.changelog import pgoutput
from airflow_legacy_events.databases.postgres.changelog.changes import Changes
from airflow_legacy_events.databases.postgres.changelog.collecting import MOST_BYTES, Collector
from airflow_legacy_events.databases.postgres.changelog.numbering import record_end, widened
from airflow_legacy_events.databases.postgres.changelog.numbers import numbers_of
from airflow_legacy_events.databases.postgres.changelog.transaction import Transaction
from airflow_legacy_events.databases.postgres.changelog.tuples import Tuples
from tests.support import pgoutput as bytes_of

OID = 3_000_000_000


def changes_of(names, identity, key, *, full=False, nullable=False, order=None):
    order = range(len(names)) if order is None else order
    columns = tuple(Column(names[at], Kind.TEXT, "text", nullable) for at in order)
    form = LogForm(TableName("public", "t"), columns, identity)
    tuples = Tuples(len(names), order, [names[at] for at in order])
    return Changes(form, tuples, key, full=full, leaf=False)


def transaction(delivered=0):
    return Transaction(pgoutput.Begin(16, "now", 7), "0/10", 7, delivered, 2**24)


def test_messages_around_rows():
    assert pgoutput.begin(bytes_of.begin(2**40 + 5, 86_400_000_000, 4_294_967_295)) == (
        2**40 + 5,
        "2000-01-02 00:00:00+00",
        4_294_967_295,
    )
    assert pgoutput.begin(bytes_of.begin(1, 1_500_000, 1)).time == "2000-01-01 00:00:01.5+00"
    assert pgoutput.begin(bytes_of.begin(1, 10_000_000, 1)).time == "2000-01-01 00:00:10+00"
    assert pgoutput.committed(bytes_of.commit(2**62, 2**62 + 9)) == 2**62 + 9
    assert pgoutput.keepalive(bytes_of.keepalive(2**50, True)) == (2**50, True)
    assert pgoutput.keepalive(bytes_of.keepalive(0, False)) == (0, False)
    assert pgoutput.truncated(bytes_of.truncate(1, OID)) == (1, OID)
    assert pgoutput.type_name(bytes_of.type_(OID, "public", "größe")) == (OID, "public.größe")


def test_a_relation():
    columns = [(True, "id", 23, -1), (False, "größe", OID, 1028)]
    found = pgoutput.relation(bytes_of.relation(OID, "", "t", "d", columns))
    assert found == (OID, "pg_catalog", "t", "d", (("id", 23, -1, True), ("größe", OID, 1028, False)))
    assert pgoutput.relation(bytes_of.relation(1, "s", "empty", "n", [])) == (1, "s", "empty", "n", ())


def test_a_logical_message():
    found = pgoutput.logical(bytes_of.message("outbox", b"\0\xff"))
    assert found == (True, "outbox", b"\0\xff")
    assert pgoutput.logical(bytes_of.message("", b"", transactional=False)) == (False, "", b"")


@pytest.mark.parametrize("text", ["", "a", "é", "x" * 127, "x" * 128, "x" * 70_000, "\U0001f600" * 5, "\0", "n", "u"])
def test_values_of_any_length_beside_nulls(text):
    changes = changes_of(["id", "a", "b", "c"], ("id",), ("id",))
    row = changes.inserted(bytes_of.insert(OID, ["1", text, None, None]), "0/10", 1, "now")
    assert row == ("1", text, None, None, "0/10", 1, "now", None)


def test_columns_are_left_out_and_put_in_another_order():
    changes = changes_of(["left out", "b", "id"], ("id",), ("id",), order=[2, 1])
    assert changes.inserted(bytes_of.insert(OID, ["x", "y", "1"]), "p", 1, "now")[:2] == ("1", "y")
    new = changes.updated(bytes_of.update(OID, [bytes_of.UNCHANGED, bytes_of.UNCHANGED, "1"]), "p", 1, "now").new
    assert new[:2] == ("1", ABSENT)
    assert new[-1] == '["b"]'


def test_unchanged_names_are_a_json_array():
    changes = changes_of(["id", 'q"q', "größe"], ("id",), ("id",))
    gone = bytes_of.UNCHANGED
    assert changes.updated(bytes_of.update(OID, ["1", gone, gone]), "p", 1, "now").new[-1] == '["q\\"q","größe"]'


def test_an_old_key_that_did_not_change_is_no_change_of_the_key():
    found = Collector(10, "0/1", before=True)
    one = transaction()
    changes = changes_of(["id", "a"], ("id",), ("id",))
    one.change(pgoutput.UPDATE, changes, bytes_of.update(OID, ["1", "b"], "K", ["1", None]), found)
    one.change(pgoutput.UPDATE, changes, bytes_of.update(OID, [bytes_of.UNCHANGED, "c"], "K", ["1", None]), found)
    [part] = found.chunk(one.position).parts
    assert part.ops == ["u", "u"]
    assert [row[:2] for row in part.rows] == [("1", "b"), ("1", "c")]
    assert part.before == [("1", ABSENT), ("1", ABSENT)]
    assert {row[-1] for row in part.rows} == {None}


def test_a_full_row_that_changes_beside_its_key_is_no_change_of_the_key():
    found, one = Collector(10, "0/1", before=False), transaction()
    changes = changes_of(["id", "a"], ("id", "a"), ("id",), full=True)
    one.change(pgoutput.UPDATE, changes, bytes_of.update(OID, ["1", "b"], "O", ["1", None]), found)
    one.change(pgoutput.UPDATE, changes, bytes_of.update(OID, ["2", bytes_of.UNCHANGED], "O", ["1", "b"]), found)
    [part] = found.chunk(one.position).parts
    assert (part.ops, [row[:2] for row in part.rows]) == (["u", "d", "c"], [("1", "b"), ("1", "b"), ("2", "b")])


@pytest.mark.parametrize("delivered", range(6))
def test_changes_that_were_delivered_are_dropped_by_their_number(delivered):
    found, one = Collector(10, "0/1", before=False), transaction(delivered)
    changes = changes_of(["id"], ("id",), ("id",))
    one.change(pgoutput.INSERT, changes, bytes_of.insert(OID, ["1"]), found)
    one.change(pgoutput.UPDATE, changes, bytes_of.update(OID, ["2"], "K", ["1"]), found)
    one.change(pgoutput.INSERT, changes, bytes_of.insert(OID, ["3"]), found)
    one.change(pgoutput.DELETE, changes, bytes_of.delete(OID, "K", ["2"]), found)
    rows = [
        (op, row[0], row[2])
        for part in found.chunk(one.position).parts
        for op, row in zip(part.ops, part.rows, strict=True)
    ]
    assert rows == [("c", "1", 1), ("d", "1", 2), ("c", "2", 3), ("c", "3", 4), ("d", "2", 5)][delivered:]
    assert one.position == LogPosition("0/10", 5)


def test_a_change_of_two_columns_of_a_key_by_one():
    changes = changes_of(["a", "b"], ("a", "b"), ("a", "b"))
    moved = [
        changes.updated(bytes_of.update(OID, new, "K", ["1", "1"]), "p", 1, "now").moved
        for new in (["1", "1"], ["1", "2"], ["2", "1"])
    ]
    assert moved == [False, True, True]


def test_a_change_of_the_key_may_be_cut_in_two():
    found, one = Collector(1, "0/1", before=True), transaction()
    one.change(
        pgoutput.UPDATE,
        changes_of(["id"], ("id",), ("id",)),
        bytes_of.update(OID, ["2"], "K", ["1"]),
        found,
    )
    assert (found.full, found.over) == (True, 1)
    first = found.chunk(LogPosition("0/10", 1))
    assert (found.full, found.over) == (True, 0)
    second = found.chunk(LogPosition("0/10", 2))
    assert [(part.ops, part.rows[0][0], part.rows[0][2]) for part in (*first.parts, *second.parts)] == [
        (["d"], "1", 1),
        (["c"], "2", 2),
    ]
    assert not found.full
    assert found.chunk(LogPosition("0/10", 2)).parts == []


@pytest.mark.parametrize("most", [1, 2, 10])
def test_both_halves_of_a_change_of_the_key_know_the_other_one_in_whatever_chunks(most):
    found, one = Collector(most, "0/1", before=False), transaction()
    found.begin(one.xid, one.place)
    changes, noted = changes_of(["id", "a"], ("id",), ("id",)), {}
    for message in (
        bytes_of.update(OID, ["2", "b"], "K", ["1", None]),
        bytes_of.update(OID, ["3", "b"], "K", ["2", None]),
    ):
        one.change(pgoutput.UPDATE, changes, message, found)
        while found.full:
            chunk = found.chunk(one.position)
            rows = [row for part in chunk.parts for row in part.rows]
            assert {(row[2], row[3]) for row in rows} <= {*chunk.notes.moved}
            assert len(chunk.notes.moved) <= len(rows) + 1
            noted |= chunk.notes.moved
            assert chunk.notes.transactions == {one.place: LogTransaction(one.place, one.xid)}
    noted |= found.chunk(one.position).notes.moved
    assert noted == {
        ("0/10", 1): ("2", "b"),
        ("0/10", 2): ("1", ABSENT),
        ("0/10", 3): ("3", "b"),
        ("0/10", 4): ("2", ABSENT),
    }


def test_a_half_that_was_delivered_leaves_the_other_one_its_key():
    found, one = Collector(10, "0/1", before=False), transaction(1)
    one.change(pgoutput.UPDATE, changes_of(["id"], ("id",), ("id",)), bytes_of.update(OID, ["2"], "K", ["1"]), found)
    assert found.chunk(one.position).notes.moved["0/10", 2] == ("1",)


@pytest.mark.parametrize("delivered", range(4))
def test_inserts_that_follow_each_other_are_read_together_up_to_another_table(delivered):
    found, one = Collector(10, "0/1", before=True), transaction(delivered)
    behind = deque(bytes_of.insert(oid, [text]) for oid, text in [(OID, "2"), (OID, "é"), (OID + 1, "4"), (OID, "5")])
    one.change(pgoutput.INSERT, changes_of(["id"], ("id",), ("id",)), bytes_of.insert(OID, ["1"]), found, behind)
    while len(behind) > 2:  # what was delivered is not read together
        one.change(pgoutput.INSERT, changes_of(["id"], ("id",), ("id",)), behind.popleft(), found, behind)
    parts = found.chunk(one.position).parts
    rows = [(row[0], row[2]) for part in parts for row in part.rows]
    assert rows == [("1", 1), ("2", 2), ("é", 3)][delivered:]
    assert [(part.ops, part.before) for part in parts] == [(["c"] * len(rows), [None] * len(rows))] * bool(rows)
    assert one.position == LogPosition("0/10", 3)


def test_inserts_behind_a_full_chunk_are_not_read():
    found, one = Collector(10, "0/1", before=False), transaction()
    many = [bytes_of.insert(OID, ["x" * 2**20]) for _ in range(12)]
    behind = deque(many[1:])
    one.change(pgoutput.INSERT, changes_of(["id"], ("id",), ("id",)), many[0], found, behind)
    assert (found.rows, found.full, len(behind)) == (8, True, 4)
    found, one, behind = Collector(3, "0/1", before=False), transaction(), deque(many[1:])
    one.change(pgoutput.INSERT, changes_of(["id"], ("id",), ("id",)), many[0], found, behind)
    assert (found.rows, found.full, found.over, one.number, len(behind)) == (3, True, 0, 3, 9)


def test_an_insert_that_is_no_text_is_a_gap_behind_those_before_it():
    found, one, changes = Collector(10, "0/1", before=False), transaction(), changes_of(["id"], ("id",), ("id",))
    bad = bytes_of.insert(OID, ["?"]).replace(b"?", b"\xff")
    behind = deque([bytes_of.insert(OID, ["2"]), bad, bytes_of.insert(OID, ["4"])])
    assert one.change(pgoutput.INSERT, changes, bytes_of.insert(OID, ["1"]), found, behind) is None
    assert (found.rows, len(behind)) == (2, 2)
    gap = one.change(pgoutput.INSERT, changes, behind.popleft(), found, behind)
    assert isinstance(gap, LogGap)
    assert gap.hidden[:2] == ("0/10", 3)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (pgoutput.INSERT, bytes_of.insert(OID, [None])),
        (pgoutput.UPDATE, bytes_of.update(OID, ["1"], "O", [None])),
        (pgoutput.UPDATE, bytes_of.update(OID, [None], "O", ["1"])),
        (pgoutput.UPDATE, bytes_of.update(OID, [None])),
        (pgoutput.DELETE, bytes_of.delete(OID, "O", [None])),
    ],
)
def test_a_null_in_the_key_is_a_gap(kind, message):
    found, one = Collector(10, "0/1", before=False), transaction()
    gap = one.change(kind, changes_of(["id"], ("id",), ("id",), full=True, nullable=True), message, found)
    assert isinstance(gap, LogGap)
    assert (gap.why, gap.lost, gap.hidden[:2]) == ("its key is NULL", True, ("0/10", 1))
    assert not found.rows
    found.bytes = MOST_BYTES
    assert transaction(1).change(kind, changes_of(["id"], ("id",), ("id",), nullable=True), message, found) is None


def test_nothing_but_the_key_is_believed_of_an_old_row_that_may_not_be_whole():
    changes = changes_of(["id", "a"], ("id",), ("id",), full=False)
    assert changes.deleted(bytes_of.delete(OID, "O", ["1", None])) == ("1", ABSENT)


@pytest.mark.parametrize(
    ("xid", "near", "found"),
    [
        (208, 2**32 + 209, 2**32 + 208),
        (2**32 - 1, 2**32 + 5, 2**32 - 1),
        (5, 2**32 - 1, 2**32 + 5),
        (700, 800, 700),
        (3, 3 * 2**32, 3 * 2**32 + 3),
    ],
)
def test_transactions_are_widened_to_the_nearest(xid, near, found):
    assert widened(xid, near) == found


def test_a_place_behind_the_header_of_a_page_is_the_end_of_the_last_record():
    page = 8192 * 1000
    assert [record_end(page + within) for within in (0, 24, 40, 48, 8191)] == [page, page, page, page + 48, page + 8191]


@pytest.mark.parametrize(
    ("names", "attributes", "found"),
    [
        ("id a b", {1: "id", 2: "a", 3: "b"}, (1, 2, 3)),
        ("id b", {1: "id", 2: None, 3: "b"}, (1, 3)),
        ("id a", {1: "id", 2: "renamed"}, (1, 2)),
        ("a id", {1: "renamed", 2: "id"}, (1, 2)),
        ("id a c", {1: "id", 2: None, 3: "c"}, (1, 2, 3)),
        ("id a", {1: "id", 2: None, 3: "new"}, (1, None)),
        ("id a b", {1: "id", 2: "b", 3: "a"}, (None, None, None)),
        ("id a", {}, (None, None)),
        ("", {1: "new"}, ()),
    ],
)
def test_columns_are_numbered_where_the_catalog_leaves_no_doubt(names, attributes, found):
    assert numbers_of(names.split(), attributes, ordered=True) == found


def test_columns_of_a_partition_are_numbered_by_name_alone():
    assert numbers_of(["b", "id", "x"], {1: "id", 2: "b", 3: "y"}, ordered=False) == (2, 1, None)
