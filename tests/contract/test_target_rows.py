"""What every target does with rows: the table equals what the messages say, and every count is right."""

from __future__ import annotations

import contextlib

import pytest

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.ports.target import Counts, TableStates
from tests.support.targets import WITH_ROWS, delete, upsert, world_of

TABLE = (
    "CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a varchar(40) DEFAULT 'default', b varchar(40) DEFAULT 'default')"
)


@pytest.fixture(params=["fake", *WITH_ROWS])
def world(request):
    with world_of(request, request.param) as found:
        if request.param != "fake":
            found.execute(TABLE)
        yield found


@pytest.fixture
def shape(world):
    return world.shape()


@pytest.fixture
def filled(world, shape):
    world.apply(shape, upsert("1", "x", "y"), upsert("2", "x", "y"))


def test_a_missing_row_is_inserted_and_one_that_is_there_updated(world, shape):
    assert world.apply(shape, upsert("1", "x", "y"), upsert("10", "x", "y")) == Counts(2, 0, 0)
    assert world.apply(shape, upsert("1", "z", "y"), upsert("2", "x", "y")) == Counts(2, 0, 0)
    assert world.rows() == [(1, "z", "y"), (2, "x", "y"), (10, "x", "y")]


def test_the_same_rows_again_change_nothing(world, shape, filled):
    assert world.apply(shape, upsert("1", "x", "y"), upsert("2", "x", "y")) == Counts(2, 0, 0)
    assert world.rows() == [(1, "x", "y"), (2, "x", "y")]


def test_an_absent_column_keeps_its_value_and_null_is_null(world, shape, filled):
    world.apply(shape, upsert("1", ABSENT, None), upsert("3", ABSENT, None))
    assert world.rows() == [(1, "x", None), (2, "x", "y"), (3, "default", None)]


def test_a_row_of_which_only_the_key_is_known_is_there_afterwards(world, shape, filled):
    assert world.apply(shape, upsert("1", ABSENT, ABSENT), upsert("3", ABSENT, ABSENT)) == Counts(2, 0, 0)
    assert world.rows() == [(1, "x", "y"), (2, "x", "y"), (3, "default", "default")]


def test_a_row_that_was_deleted_before_has_the_defaults_of_absent_columns(world, shape, filled):
    world.apply(shape, upsert("1", "z", ABSENT, whole=True), upsert("3", "z", ABSENT, whole=True))
    assert world.rows() == [(1, "z", "default"), (2, "x", "y"), (3, "z", "default")]


def test_deleted_keys_are_gone_and_one_that_was_not_there_counts(world, shape, filled):
    assert world.apply(shape, delete(shape, "1"), delete(shape, "7")) == Counts(0, 2, 0)
    assert world.rows() == [(2, "x", "y")]


def test_rows_are_deleted_updated_and_inserted_in_one_call(world, shape, filled):
    found = world.apply(shape, delete(shape, "1"), upsert("2", "z", ABSENT), upsert("3", "n", "n"))
    assert found == Counts(2, 1, 0)
    assert world.rows() == [(2, "z", "y"), (3, "n", "n")]


def test_a_changed_key_keeps_what_the_message_does_not_say(world, shape, filled):
    assert world.apply(shape, upsert("7", "z", ABSENT, former=("1",))) == Counts(1, 0, 0)
    assert world.rows() == [(2, "x", "y"), (7, "z", "y")]


def test_keys_that_change_in_a_chain_follow_one_another(world, shape):
    world.apply(shape, upsert("1", "one", "y"), upsert("2", "two", "y"))
    world.apply(shape, upsert("3", ABSENT, ABSENT, former=("2",)), upsert("2", ABSENT, ABSENT, former=("1",)))
    assert world.rows() == [(2, "one", "y"), (3, "two", "y")]


def test_a_changed_key_whose_row_is_missing_is_written(world, shape, filled):
    assert world.apply(shape, upsert("7", "z", ABSENT, former=("6",))) == Counts(1, 0, 0)
    assert world.rows() == [(1, "x", "y"), (2, "x", "y"), (7, "z", "default")]


def test_a_row_under_the_new_key_was_deleted_at_the_source(world, shape, filled):
    world.apply(shape, upsert("2", "z", ABSENT, former=("1",)))
    assert world.rows() == [(2, "z", "y")]


def test_a_row_whose_key_changed_before_it_was_deleted_is_gone(world, shape, filled):
    assert world.apply(shape, delete(shape, "7", former=("1",))) == Counts(0, 1, 0)
    assert world.rows() == [(2, "x", "y")]


def test_a_truncated_table_holds_only_what_came_after(world, shape, filled):
    world.apply(shape, upsert("3", "n", "n"), truncated=True)
    assert world.rows() == [(3, "n", "n")]
    world.apply(shape, truncated=True)
    assert world.rows() == []


def test_no_rows_need_nothing(world, shape, filled):
    assert world.apply(shape) == Counts()
    assert world.rows() == [(1, "x", "y"), (2, "x", "y")]


def test_many_rows_are_updated_inserted_and_deleted(world, shape):
    half = world.many // 2
    every = [upsert(str(at), "x", f"b{at}") for at in range(2 * half)]
    assert world.apply(shape, *every[half:]) == Counts(half)
    assert world.apply(shape, *every) == Counts(2 * half)
    assert len(world.rows()) == 2 * half
    assert world.apply(shape, *[delete(shape, str(at)) for at in range(1, 2 * half)]) == Counts(0, 2 * half - 1)
    assert world.rows() == [(0, "x", "b0")]


def test_what_a_savepoint_holds_is_undone_alone(world, shape, filled):
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("3", "n", "n")]))
        with contextlib.suppress(KeyError), unit.savepoint():
            unit.apply(TableStates(shape, [upsert("4", "n", "n"), delete(shape, "1")]))
            raise KeyError
        unit.apply(TableStates(shape, [upsert("5", "n", "n")]))
    assert [row[0] for row in world.rows()] == [1, 2, 3, 5]


def test_an_error_rolls_the_transaction_back_and_the_next_one_goes_on(world, shape, filled):
    with contextlib.suppress(KeyError), world.target.transaction() as unit:
        unit.apply(TableStates(shape, [delete(shape, "1")]))
        raise KeyError
    world.apply(shape, upsert("3", "n", "n"))
    assert [row[0] for row in world.rows()] == [1, 2, 3]


def test_a_transaction_that_is_given_up_changes_nothing(world, shape, filled):
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [delete(shape, "1")]))
        unit.roll_back()
    world.apply(shape, upsert("3", "n", "n"))
    assert [row[0] for row in world.rows()] == [1, 2, 3]
