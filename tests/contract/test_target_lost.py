"""What every target does when its connection is lost, or another writer was faster."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import TargetError
from airflow_legacy_events.core.ports.target import Counts, TableStates, TransactionLostError
from tests.support.targets import WITH_ROWS, upsert, world_of


@pytest.fixture(params=[one for one in WITH_ROWS if one != "firebird"])  # it runs inside of the tests' process
def world(request):
    with world_of(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a varchar(9))")
        yield found


@pytest.fixture
def shape(world):
    return world.shape()


def test_a_connection_that_was_lost_between_two_transactions_is_opened_again(world, shape):
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "x")]))
        connection = unit.connection
    world.cut(connection)
    assert world.apply(shape, upsert("2", "x")) == Counts(1)
    assert world.rows() == [(1, "x"), (2, "x")]


def test_a_connection_that_is_lost_within_a_transaction_ends_the_run_and_a_retry_may_pass(world, shape):
    with pytest.raises((TargetError, TransactionLostError)) as error:
        _cut_inside(world, shape)
    assert getattr(error.value, "retry_helps", True)
    assert world.rows() == []
    assert world.apply(shape, upsert("2", "x")) == Counts(1)


def _cut_inside(world, shape):
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "x")]))
        world.cut(unit.connection)
        unit.apply(TableStates(shape, [upsert("2", "x")]))


@pytest.mark.parametrize("world", ["firebird"], indirect=True)
def test_a_key_that_another_writer_inserts_in_between_is_tried_again(world, shape):
    once = []

    def insert_first(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT") and not once:
            once.append(world.execute("INSERT INTO t VALUES (1, 'other')"))

    sa.event.listen(world.target.engine, "before_cursor_execute", insert_first)
    try:
        world.apply(shape, upsert("1", "ours"))
    except TransactionLostError:
        world.apply(shape, upsert("1", "ours"))
    sa.event.remove(world.target.engine, "before_cursor_execute", insert_first)
    assert world.rows() == [(1, "ours")]
