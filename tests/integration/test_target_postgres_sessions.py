"""Sessions that write to PostgreSQL: lost, cut at COMMIT, idle for too long, closed, and what they leave behind."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import TargetError
from airflow_legacy_events.core.ports.target import (
    Counts,
    ObjectionError,
    OutcomeUnknownError,
    TableStates,
    TransactionLostError,
)
from airflow_legacy_events.databases.postgres.target import settings
from tests.support.engines import of
from tests.support.silence import proxy
from tests.support.targets import delete, upsert, world_of

SECRET = "s3cret"
MANY = 150
OURS = "FROM pg_stat_activity WHERE application_name LIKE 'legacy-events%' AND datname = current_database()"


@pytest.fixture(params=of("postgresql"))
def world(request):
    with world_of(request, request.param) as found:
        found.execute("CREATE TABLE t (id int PRIMARY KEY, a text)")
        yield found


@pytest.fixture
def shape(world):
    return world.shape()


def end_sessions(world):
    assert world.execute(f"SELECT pg_terminate_backend(pid, 5000) {OURS}")


def test_a_session_that_is_lost_between_two_batches_is_replaced(world, shape):
    assert world.apply(shape, upsert("1", "x")) == Counts(1)
    end_sessions(world)
    assert world.apply(shape, upsert("2", "x")) == Counts(1)


CALLS = {
    "arrays": lambda unit, shape: unit.apply(TableStates(shape, [upsert("1", "x")])),
    "copy": lambda unit, shape: unit.apply(TableStates(shape, [upsert(str(at), "x") for at in range(MANY)])),
    "settle": lambda unit, _: unit.settle(),
    "savepoint": lambda unit, _: unit.savepoint().__enter__(),
    "holds": lambda unit, shape: unit.holds(shape),
    "execute": lambda unit, _: unit.execute(sa.text("SELECT 1")),
}


def broken(world, shape, breaks, call):
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "x")]))
        breaks()
        call(unit, shape)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_session_that_is_lost_in_a_transaction_loses_it(world, shape, call):
    with pytest.raises(TransactionLostError):
        broken(world, shape, lambda: end_sessions(world), call)
    assert world.apply(shape, upsert("2", "x")) == Counts(1)
    assert world.rows() == [(2, "x")]


def test_the_server_ends_a_session_that_is_idle_in_its_transaction(world, shape, monkeypatch):
    def wait():
        while world.execute(f"SELECT 1 {OURS}"):
            pass

    monkeypatch.setattr(settings, "IDLE_SECONDS", 0.05)
    with pytest.raises(TransactionLostError):
        broken(world, shape, wait, CALLS["settle"])
    assert world.rows() == []


@pytest.mark.parametrize("passes", [True, False])
def test_a_lost_answer_to_a_commit_is_unknown(world, shape, passes):
    with proxy(str(world.legacy.url.host), int(world.legacy.url.port)) as front:
        world.legacy.url = world.legacy.url.set(host="127.0.0.1", port=front.port)
        target = world.another()

        def cut(some):
            if b"COMMIT" not in some or b"DROP" in some:
                return False
            if passes:
                front.answered = lambda _: front.close() or b""
                return False
            front.close()
            return True

        def committed():
            with target.transaction() as unit:
                unit.apply(TableStates(shape, [upsert("1", "x")]))
                front.silent_at = cut

        with pytest.raises(OutcomeUnknownError):
            committed()
        target.close()
    while world.execute(f"SELECT 1 {OURS} AND state <> 'idle'"):
        pass
    assert world.rows() == ([(1, "x")] if passes else [])


def test_a_statement_that_takes_too_long_ends_the_run(world, shape):
    target = world.another(seconds=0.1)
    with world.legacy.connect() as other:
        other.execute("BEGIN; INSERT INTO t VALUES (1, 'theirs')")
        world.target = target
        with pytest.raises(TargetError, match="Raise statement_timeout") as found:
            world.apply(shape, upsert("1", "x"))
        assert found.value.retry_helps
    target.close()


def test_a_run_that_waits_can_be_closed_from_another_thread(world, shape):
    with world.legacy.connect() as other, ThreadPoolExecutor() as threads:
        other.execute("BEGIN; INSERT INTO t VALUES (1, 'theirs')")
        ours = threads.submit(world.apply, shape, upsert("1", "x"))
        while not world.execute(f"SELECT 1 {OURS} AND wait_event_type = 'Lock'"):
            assert not ours.done(), ours.exception()
        world.target.close()
        assert isinstance(ours.exception(), TargetError)


def test_two_tasks_that_wait_for_each_other_are_tried_again(world, shape):
    world.apply(shape, upsert("1", "x"), upsert("2", "x"))
    with world.legacy.connect() as other, ThreadPoolExecutor() as threads:
        other.execute("SET deadlock_timeout = '1min'")
        other.execute("BEGIN; UPDATE t SET a = 'theirs' WHERE id = 2")
        ours = threads.submit(world.apply, shape, upsert("1", "ours"), upsert("2", "ours"))
        while not world.execute(f"SELECT 1 {OURS} AND wait_event_type = 'Lock'"):
            assert not ours.done(), ours.exception()
        other.execute("UPDATE t SET a = 'theirs' WHERE id = 1")
        assert isinstance(ours.exception(), TransactionLostError)
        other.execute("COMMIT")


def test_the_settings_are_those_of_the_transaction_alone(world, shape):
    names = ("row_security", "TimeZone", "DateStyle", "idle_in_transaction_session_timeout", "statement_timeout", "jit")
    asked = ", ".join(f"current_setting('{name}')" for name in names)
    with world.target.transaction() as unit:
        inside = unit.driver.execute(f"SELECT {asked}").fetchone()
        session = unit.driver
        unit.driver.execute("SET LOCAL statement_timeout = 0")
    outside = session.execute(f"SELECT {asked}").fetchone()
    session.rollback()
    assert inside == ("off", "UTC", "ISO, YMD", "30s", "20s", "off")
    assert (outside[0], *outside[3:5]) == ("on", "0", "0")


def test_temporary_tables_are_gone_and_made_again(world, shape):
    states = [upsert(str(at), "x") for at in range(MANY)]

    def undone(unit):
        with unit.savepoint():
            assert unit.apply(TableStates(shape, states)) == Counts(MANY)
            assert unit.apply(TableStates(shape, [delete(shape, str(at)) for at in range(MANY)])) == Counts(0, MANY)
            raise KeyError

    with world.target.transaction() as unit:
        for _ in range(2):
            with pytest.raises(KeyError):
                undone(unit)
        assert unit.apply(TableStates(shape, states)) == Counts(MANY)
    with world.target.transaction() as unit:
        left = unit.driver.execute("SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'")
        assert left.fetchall() == []


def test_no_value_gets_into_the_log(world, shape, caplog):
    caplog.set_level(logging.DEBUG)
    world.execute("ALTER TABLE t ADD UNIQUE (a)")
    with pytest.raises(ObjectionError, match="t_a_key") as found:
        world.apply(shape, *[upsert(str(at), SECRET) for at in range(MANY)])
    assert SECRET not in str(found.value) + caplog.text
