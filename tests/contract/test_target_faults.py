"""What every target does when the database objects, or goes away: nothing is half done, and no value is shown."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.errors import ConfigurationError, TargetError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports.target import (
    Counts,
    ObjectionError,
    OutcomeUnknownError,
    TableStates,
)
from airflow_legacy_events.core.sink.halving import apply_halved
from airflow_legacy_events.watermarks.in_target import TargetPositions
from airflow_legacy_events.watermarks.table import TableWatermarkStore
from tests.support.targets import APPLYING, DEFERRING, KEEPING_OUT, delete, upsert, world_of

SECRET = "4711-secret"
FIRST, SECOND = Watermark(("t[0]=1@0",), None, {"kind": "topic"}), Watermark(("t[0]=2@0",), None, {"kind": "topic"})


@pytest.fixture(params=APPLYING)
def world(request):
    with world_of(request, request.param) as found:
        yield found


@pytest.fixture
def shape(world):
    world.execute(
        f"CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a varchar(40) NOT NULL, b {world.key_text} UNIQUE, n integer"
        " CHECK (n < 100))"
    )
    return world.shape()


@pytest.fixture
def positions(world):
    return TargetPositions(world.target.engine, "dwh")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(("2", "x", SECRET, ABSENT), id="a second unique index"),
        pytest.param(("2", None, ABSENT, ABSENT), id="NULL in a column without it"),
        pytest.param(("2", ABSENT, "z", ABSENT), id="a column without default"),
        pytest.param(("2", "x", "z", "4711"), id="a check"),
    ],
)
def test_an_objection_to_values_names_none_and_leaves_the_rest(world, shape, row):
    world.apply(shape, upsert("1", "x", SECRET, ABSENT))
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("3", "x", "y", ABSENT)]))
        with pytest.raises(ObjectionError) as error, unit.savepoint():
            unit.apply(TableStates(shape, [upsert("4", "x", "w", ABSENT), upsert(*row)]))
        unit.apply(TableStates(shape, [upsert("5", "x", "v", ABSENT)]))
    assert [one[0] for one in world.rows()] == [1, 3, 5]
    assert error.value.code
    assert SECRET not in error.value.reason
    assert "4711" not in error.value.reason
    assert error.value.__cause__ is None


def test_rows_that_exchange_unique_values_pass_one_by_one(world, shape):
    every = [upsert("1", "x", "p", ABSENT), upsert("2", "x", "q", ABSENT)]
    world.apply(shape, *every)
    log = [upsert("1", "x", None, ABSENT), upsert("2", "x", "p", ABSENT), upsert("1", "x", "q", ABSENT)]

    def some(unit, within):
        last = {log[at].row[0]: log[at] for at in within}
        return {"t": unit.apply(TableStates(shape, [last[key] for key in sorted(last)]))}

    with world.target.transaction() as unit:
        found = apply_halved(unit, [0, 1, 2], some)
    assert not found.guilty
    assert world.rows() == [(1, "x", "q", None), (2, "x", "p", None)]


def test_a_text_that_is_too_long_or_a_number_out_of_range_never_changes(world):
    world.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a varchar(5), n smallint)")
    shape = world.shape()
    for row in (("1", "123456", ABSENT), ("1", ABSENT, "70000"), ("1", ABSENT, "x")):
        try:
            world.apply(shape, upsert(*row))
        except ObjectionError:
            assert world.rows() == []
        else:
            assert tuple(map(str, world.rows()[0])) == tuple("None" if one is ABSENT else one for one in row)
            world.apply(shape, delete(shape, "1"))


def test_two_spellings_of_a_key_are_refused(world):
    world.execute(f"CREATE TABLE t (k {world.folding} NOT NULL PRIMARY KEY, a varchar(40))")
    shape = world.shape()
    assert world.target.identity_of(shape, ("a",)) == world.target.identity_of(shape, ("A",))
    assert world.target.identity_of(shape, ("a",)) != world.target.identity_of(shape, ("b",))
    world.apply(shape, upsert("a", "x"))
    for state in (upsert("A", "y"), delete(shape, "A")):
        with pytest.raises(ConfigurationError, match="two spellings of a key") as error:
            world.apply(shape, state)
        assert "collation" in str(error.value)
    assert world.rows() == [("a", "x")]


def test_other_keys_have_identities_of_their_own(world):
    world.execute(f"CREATE TABLE t (k {world.exact_text} NOT NULL, n integer NOT NULL, PRIMARY KEY (k, n))")
    shape = world.shape()
    keys = [("a", "1"), ("A", "1"), ("a", "2"), ("á", "1"), ("a ", "1")]
    identities = [world.target.identity_of(shape, key) for key in keys]
    assert world.target.identity_of(shape, ("a", "01")) == identities[0]
    kept = list(dict(zip(identities, keys, strict=True)).values())
    assert world.apply(shape, *[upsert(*key) for key in kept]) == Counts(len(kept))
    assert len(world.rows()) == len(kept) >= 4


@pytest.mark.parametrize("world", KEEPING_OUT, indirect=True)
def test_rows_that_a_trigger_keeps_out_end_the_run_by_its_name(world, shape):
    world.keep_out("t")
    with pytest.raises(TargetError, match="trigger") as error:
        world.apply(world.shape(), upsert("1", "x", ABSENT, ABSENT))
    assert "kept_out" in str(error.value).lower()
    assert not error.value.retry_helps


def _settled(unit, states):
    with unit.savepoint():
        unit.apply(states)
        unit.settle()


@pytest.mark.parametrize("world", DEFERRING, indirect=True)
def test_deferred_constraints_object_when_they_are_settled(world):
    world.execute("CREATE TABLE p (id integer NOT NULL PRIMARY KEY)")
    world.execute(
        "CREATE TABLE t (id integer NOT NULL PRIMARY KEY, p_id integer, CONSTRAINT of_p FOREIGN KEY (p_id) REFERENCES p"
        " (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    child, parent = world.shape("t"), world.shape("p")
    with world.target.transaction() as unit:
        unit.apply(TableStates(child, [upsert("1", "7")]))
        unit.apply(TableStates(parent, [upsert("7")]))
        unit.settle()
    with world.target.transaction() as unit:
        for states in (TableStates(child, [upsert("2", "8")]), TableStates(parent, [delete(parent, "7")])):
            with pytest.raises(ObjectionError):
                _settled(unit, states)
        unit.apply(TableStates(child, [upsert("3", "7")]))
        unit.settle()
    assert world.rows() == [(1, 7), (3, 7)]


@pytest.mark.parametrize("world", DEFERRING, indirect=True)
def test_an_objection_at_commit_changes_nothing(world):
    world.execute(
        "CREATE TABLE t (id integer NOT NULL PRIMARY KEY, t_id integer REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    shape = world.shape()
    with pytest.raises(ObjectionError), world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "8")]))
    assert world.apply(shape, upsert("1", "1")) == Counts(1)


def test_a_statement_that_is_refused_ends_the_run_without_its_text(world):
    with pytest.raises(TargetError) as error, world.target.transaction() as unit:
        unit.execute(sa.text(f"SELECT nothing FROM t_{SECRET.replace('-', '_')} WHERE 'x' = '{SECRET}'"))
    assert not error.value.retry_helps
    assert f"'{SECRET}'" not in str(error.value)


def test_the_answer_of_a_statement(world, shape):
    t = sa.table("t", sa.column("id"), sa.column("a"))
    world.apply(shape, upsert("1", "x", ABSENT, ABSENT), upsert("2", "x", ABSENT, ABSENT))
    with world.target.transaction() as unit:
        assert unit.execute(sa.select(t.c.id).order_by(t.c.id)).rows == [(1,), (2,)]
        assert unit.execute(sa.update(t).values(a="y")).number == 2
        assert unit.holds(shape)
        assert unit.execute(sa.delete(t)).number == 2
        assert not unit.holds(shape)


def _saved(target, positions, shape, key, new, expected):
    with target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert(key, "x", ABSENT, ABSENT)]))
        positions.save(unit, "s", new, expected=expected)


def test_a_position_moves_with_the_rows_and_a_zombie_changes_nothing(world, shape, positions):
    assert positions.load("s") is None
    with world.target.transaction() as unit:
        positions.save(unit, "s", FIRST, expected=None)
    zombie = world.another()
    assert positions.load("s") == FIRST
    _saved(world.target, positions, shape, "1", SECOND, FIRST)
    for expected in (FIRST, None):
        with pytest.raises(WatermarkError, match="'s'"):
            _saved(zombie, positions, shape, "9", SECOND, expected)
    assert [one[0] for one in world.rows()] == [1]
    assert positions.load("s") == SECOND
    store = TableWatermarkStore(world.target.engine, "dwh")
    assert store.load("s") == SECOND
    store.save("s", FIRST, expected=SECOND)
    assert positions.load("s") == FIRST
    positions.forget("s")
    with pytest.raises(WatermarkError):
        _saved(zombie, positions, shape, "9", SECOND, FIRST)
    zombie.close()


def test_a_position_of_a_transaction_that_is_rolled_back_is_not_saved(world, positions):
    positions.load("s")
    with world.target.transaction() as unit:
        positions.save(unit, "s", FIRST, expected=None)
        unit.roll_back()
    assert positions.load("s") is None


def test_a_transaction_whose_commit_was_cut_has_an_unknown_outcome(world, shape, positions):
    positions.load("s")
    with world.cut_at_commit(), pytest.raises(OutcomeUnknownError):
        _saved(world.target, positions, shape, "1", FIRST, None)
    assert positions.load("s") in (None, FIRST)
    assert bool(world.rows()) is (positions.load("s") == FIRST)
    assert world.apply(shape, upsert("2", "x", ABSENT, ABSENT)) == Counts(1)


def _until_closed(target, shape, closing):
    with target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "x", ABSENT, ABSENT)]))
        closing.set()
        while True:
            unit.holds(shape)


def test_a_target_is_closed_from_another_thread(world, shape):
    closing = threading.Event()

    def close():
        closing.wait()
        world.target.close()

    thread = threading.Thread(target=close)
    thread.start()
    with pytest.raises(TargetError, match="closed by its run"):
        _until_closed(world.target, shape, closing)
    thread.join()
    assert world.rows() == []
    with pytest.raises(TargetError, match="closed by its run"), world.target.transaction():
        pass


def test_two_targets_write_one_after_the_other(world, shape):
    other = world.another()
    inside, done = threading.Event(), []

    def write():
        inside.wait()
        with other.transaction() as unit:
            done.append(unit.apply(TableStates(shape, [upsert("1", "z", ABSENT, ABSENT)])))

    thread = threading.Thread(target=write)
    thread.start()
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "x", ABSENT, ABSENT)]))
        inside.set()
    thread.join()
    other.close()
    assert done in ([Counts(1)], [])
    assert world.rows()[0][0] == 1
