"""Rows packed as lines of COPY."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.model.changes import UPSERT, TableChanges, TargetColumn
from airflow_legacy_events.core.model.packed import PackedRows, column_of, picked
from airflow_legacy_events.core.ports.target import WholeRows
from airflow_legacy_events.core.sink.reducing import reduce_ahead, reduced
from airflow_legacy_events.databases.postgres.target import staging, texts
from airflow_legacy_events.databases.postgres.target.packing import CopyLines, named_positions
from tests.support.fake_target import FakeTarget, shape

values = st.none() | st.text(st.sampled_from("ab\\\t\n\r\0N.ä\U0001f600")) | st.sampled_from(["\\N", "\\.", "\\\\N"])
rows = st.lists(st.tuples(values, values, values), min_size=1)


@given(rows)
def test_a_row_is_what_it_was_when_it_is_unpacked(given_rows):
    packing = CopyLines((0, 1, 2), 3)
    packed = packing.pack(list(zip(*given_rows, strict=True)))
    assert [packing.unpack(one) for one in packed] == given_rows


@given(rows)
def test_lines_are_what_copy_reads_of_the_same_rows(given_rows):
    lines = texts.lines(list(zip(*given_rows, strict=True)))
    assert b"".join(texts.joined(lines)) == b"".join(texts.copied(given_rows))


def test_signs_of_copy_are_escaped_and_null_is_none_of_them():
    assert texts.lines([["a\tb\n\r\\", "\\N", None, "ä"], ["1", None, "\\", ""]]) == [
        b"a\\tb\\n\\r\\\\\t1",
        b"\\\\N\t\\N",
        b"\\N\t\\\\",
        "ä\t".encode(),
    ]


def test_columns_that_may_not_be_written_are_absent_again():
    columns = [TargetColumn(name, Kind.TEXT, "text", written=name != "made") for name in ("id", "made", "mark", "name")]
    positions = named_positions(columns, deleted=2)
    packing = CopyLines(positions, 4)
    [line] = packing.pack([["1"], [ABSENT], [ABSENT], [None]])
    assert (positions, packing.unpack(line)) == ((0, 3), ("1", ABSENT, ABSENT, None))


def test_half_of_a_surrogate_pair_is_not_packed():
    assert CopyLines((0,), 1).pack([["a", "\ud800"]]) is None


def packed_rows(*ids):
    packing = CopyLines((0, 1), 2)
    columns = [[str(one) for one in ids], [f"name {one}" for one in ids]]
    return PackedRows(packing, packing.pack(columns), {0: columns[0]})


def test_packed_rows_are_a_sequence_of_rows():
    found = packed_rows(2, 1, 3)
    assert [*found] == [("2", "name 2"), ("1", "name 1"), ("3", "name 3")]
    assert (found[1], found[-1], found[1:], len(found)) == (("1", "name 1"), ("3", "name 3"), [*found][1:], 3)
    assert [column_of(found, at) for at in (0, 1)] == [["2", "1", "3"], ["name 2", "name 1", "name 3"]]
    assert column_of([*found], 0) == ["2", "1", "3"]
    assert [*picked(found, [2, 0])] == picked([*found], [2, 0]) == [("3", "name 3"), ("2", "name 2")]
    assert [*PackedRows.joined([found, packed_rows(9)])][-1] == ("9", "name 9")
    with pytest.raises(IndexError):
        found[3]


@pytest.mark.parametrize("within", [None, [10, 12], [11]])
def test_rows_stay_packed_when_they_are_reduced(within):
    changes = TableChanges(shape("id", "name"), [UPSERT] * 3, packed_rows(2, 1, 3), [10, 11, 12], complete=True)
    identity = FakeTarget().identity_of
    reduce_ahead(changes, identity)
    states = reduced(changes, identity, within).rows
    assert isinstance(states, WholeRows)
    assert isinstance(states.rows, PackedRows)
    expected = [("1", "name 1", 11), ("2", "name 2", 10), ("3", "name 3", 12)]
    assert [(*one.row, one.place) for one in states] == [one for one in expected if within is None or one[2] in within]


def test_rows_of_one_key_are_reduced_as_ever():
    changes = TableChanges(shape("id", "name"), [UPSERT] * 3, packed_rows(1, 2, 1), [0, 1, 2], complete=True)
    identity = FakeTarget().identity_of
    reduce_ahead(changes, identity)
    assert [(one.row, one.place) for one in reduced(changes, identity).rows] == [
        (("1", "name 1"), 2),
        (("2", "name 2"), 1),
    ]


def test_appended_rows_stay_packed():
    changes = TableChanges(shape("id", "name", key=()), [UPSERT] * 2, packed_rows(2, 1), [0, 1], complete=True)
    states = reduced(changes, FakeTarget().identity_of, [1]).rows
    assert [(one.row, one.place) for one in states] == [(("1", "name 1"), 1)]
    assert isinstance(states.rows, PackedRows)


def test_copy_takes_packed_rows_as_they_are_and_some_columns_of_them_too():
    found = packed_rows(2, 1)
    assert [*staging.pieces_of(found, (0, 1), 2)] == [b"2\tname 2\n1\tname 1\n"]
    assert [*staging.pieces_of(found, (1,), 2)] == [b"name 2\nname 1\n"]
