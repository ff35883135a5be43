"""Tables of a target as the last run left them, and the order in which tables of one batch are written."""

import contextlib
from types import SimpleNamespace

import pytest

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, TableChanges
from airflow_legacy_events.core.ports.target import Counts, RowState, TableStates
from airflow_legacy_events.core.sink.ordering import steps_of
from airflow_legacy_events.core.sink.tables import FACT, KnownTables
from tests.support.fake_target import shape

TABLE = shape("id", "a", table="orders")


class Unit:
    def __init__(self, target):
        self.target = target

    def holds(self, shape):
        return bool(self.target.keys)

    def roll_back(self):
        self.target.rolled_back += 1


class Target:
    def __init__(self, identity="1", *keys, moves=False):
        self.now, self.keys, self.identity_moves, self.rolled_back = identity, set(keys), moves, 0

    def has_one(self, shape, keys):
        return any(tuple(one) in self.keys for one in keys)

    def identity(self, table):
        return self.now

    @contextlib.contextmanager
    def transaction(self):
        yield Unit(self)


def changes(*some):
    return TableChanges(TABLE, [op for op, _ in some], [(key, ABSENT) for _, key in some], list(range(len(some))))


def left(target, *some, before=None):
    """What a run that applied some changes leaves."""
    known = KnownTables(target, "s", {"orders": TABLE}, emptied=True)
    known.loaded(before)
    known.meet({"orders": None})
    facts = known.left(Unit(target), {"orders": changes(*some)}, {"orders": Counts(upserted=1)})
    return Watermark(("t[0]=1",), None, facts)


def check(target, mark, emptied=True, shapes=SimpleNamespace):
    shapes = {"orders": TABLE} if shapes is SimpleNamespace else shapes
    KnownTables(target, "s", shapes, emptied=emptied).loaded(mark)


def test_the_same_table_with_rows_is_continued():
    mark = left(Target("1"), (UPSERT, "1"))

    assert mark.facts == {FACT: {"orders": {"id": "1", "rows": True}}}
    check(target := Target("1", ("1",)), mark)
    assert target.rolled_back == 1


@pytest.mark.parametrize(
    ("target", "shapes", "message"),
    [
        (Target("2", ("1",)), {"orders": TABLE}, "is another one"),
        (Target("1"), {"orders": TABLE}, "is empty, and held rows"),
        (Target(None), {"orders": None}, "does not exist any more"),
    ],
)
def test_a_table_that_lacks_what_was_applied_is_an_error_with_all_three_ways_out(target, shapes, message):
    mark = left(Target("1"), (UPSERT, "1"))

    with pytest.raises(WatermarkError, match=message) as caught:
        check(target, mark, shapes=shapes)
    for way in ("watermark rewind s", "watermark forget s", "watermark set s --accept object"):
        assert way in str(caught.value)


def test_a_table_that_its_topic_emptied_is_continued():
    mark = left(Target("1"), (UPSERT, "1"), (DELETE, "1"))

    assert mark.facts[FACT]["orders"]["rows"] is False
    check(Target("1"), mark)


def test_a_table_that_is_only_appended_to_may_be_emptied_at_will():
    check(Target("1"), left(Target("1"), (UPSERT, "1")), emptied=False)


def test_a_table_that_is_not_written_any_more_is_not_looked_at():
    check(Target("2"), left(Target("1"), (UPSERT, "1")), shapes={})


def test_an_altered_table_is_known_by_the_row_that_was_applied_last():
    mark = left(Target("1", moves=True), (UPSERT, "1"), (UPSERT, "2"), (DELETE, "2"))

    assert mark.facts[FACT]["orders"]["last"] == [["1"]]
    check(Target("2", ("1",), moves=True), mark)
    with pytest.raises(WatermarkError, match="is another one"):
        check(Target("2", ("7",), moves=True), mark)


@pytest.mark.parametrize(
    ("some", "last"),
    [([(DELETE, "1")], []), ([(TRUNCATE, ABSENT)], []), ([(DELETE, "2")], [["1"]]), ([(UPSERT, "9")], [["9"], ["1"]])],
)
def test_the_last_row_is_one_that_is_there(some, last):
    before = left(Target("1", ("1",), moves=True), (UPSERT, "1"))
    found = left(Target("1", ("1",), moves=True), *some, before=before)

    assert found.facts[FACT]["orders"]["last"] == last


def states(name, *parents, rows=(), truncated=False):
    made = shape("id", table=name)
    made = type(made)(name, made.columns, made.key, parents=parents)
    return TableStates(made, [RowState((key,), 0, deleted) for key, deleted in rows], truncated)


def shown(steps):
    return [(one.shape.table, [row.row[0] for row in one.rows], one.truncated) for one in steps]


def test_tables_without_foreign_keys_between_them_are_written_as_they_are():
    tables = [states("b", "elsewhere", rows=[("1", True), ("2", False)]), states("a", rows=[("3", False)])]

    assert steps_of(tables) == tables


def test_parents_are_written_first_and_deleted_last():
    child = states("child", "parent", "child", rows=[("1", False), ("2", True)])
    parent = states("parent", rows=[("3", True), ("4", False)])

    assert shown(steps_of([child, parent])) == [
        ("parent", ["4"], False),
        ("child", ["1"], False),
        ("child", ["2"], False),
        ("parent", ["3"], False),
    ]


def test_emptied_tables_come_before_all_children_first():
    child = states("child", "parent", rows=[("1", False)], truncated=True)
    parent = states("parent", rows=[("2", False)], truncated=True)

    assert shown(steps_of([parent, child])) == [
        ("child", [], True),
        ("parent", [], True),
        ("parent", ["2"], False),
        ("child", ["1"], False),
    ]


def test_a_ring_of_foreign_keys_has_a_first_one():
    steps = steps_of([states("a", "b", rows=[("1", False)]), states("b", "a", rows=[("2", False)])])

    assert sorted(name for name, _, _ in shown(steps)) == ["a", "b"]
