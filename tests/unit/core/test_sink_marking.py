"""Rows that are written and marked as deleted in one batch are there, and marked."""

from dataclasses import replace

import pytest

from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, TableChanges
from airflow_legacy_events.core.sink.marking import segments
from tests.support.fake_target import shape

MARKED = replace(shape("id", "gone"), deleted=1)


def changes(history, table=MARKED):
    ops = [{"u": UPSERT, "d": DELETE, "t": TRUNCATE}[op] for op, _ in history]
    return TableChanges(table, ops, [(key, None) for _, key in history], list(range(len(history))))


def found(history, table=MARKED, within=None):
    within = list(range(len(history))) if within is None else within
    return [list(one) for one in segments([changes(history, table)], lambda _, key: key, within)]


@pytest.mark.parametrize(
    ("history", "parts"),
    [
        ([], [[]]),
        ([("u", "1"), ("u", "2")], [[0, 1]]),
        ([("d", "1"), ("u", "1"), ("d", "2")], [[0, 1, 2]]),
        ([("u", "1"), ("d", "1")], [[0], [1]]),
        ([("u", "1"), ("u", "2"), ("d", "1"), ("d", "2")], [[0, 1], [2, 3]]),
        ([("u", "1"), ("d", "1"), ("u", "1"), ("d", "1"), ("t", "")], [[0], [1, 2], [3, 4]]),
    ],
)
def test_a_delete_of_a_row_that_the_batch_wrote_begins_another_part(history, parts):
    assert found(history) == parts


def test_rows_that_are_really_deleted_need_no_parts():
    assert found([("u", "1"), ("d", "1")], shape("id", "gone")) == [[0, 1]]


def test_only_the_messages_that_count_are_looked_at():
    assert found([("u", "1"), ("d", "1"), ("d", "1")], within=[1, 2]) == [[1, 2]]
