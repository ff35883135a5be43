"""Transactions of a MySQL or MariaDB target: what is lost, what is unknown, and what the server alone may end."""

from __future__ import annotations

import contextlib
import threading

import pytest

from airflow_legacy_events.core.columns import ABSENT, Shape
from airflow_legacy_events.core.errors import TargetError, WatermarkError
from airflow_legacy_events.core.model import Batch, Watermark
from airflow_legacy_events.core.model.changes import DELETE, UPSERT, Changes, Received, TableChanges
from airflow_legacy_events.core.ports.target import (
    Counts,
    ObjectionError,
    OutcomeUnknownError,
    TableStates,
    TransactionLostError,
)
from airflow_legacy_events.core.sink.delivery import AppliedDelivery
from airflow_legacy_events.core.sink.reducing import reduced
from airflow_legacy_events.core.sink.tables import FACT, KnownTables
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.support.engines import of
from tests.support.targets import upsert, world_of

STREAM = "orders@dwh.t"


class Held:
    """A lease that is never lost."""

    def check(self):
        return None


class Letters:
    """Messages that can't be applied."""

    def __init__(self):
        self.sent = []

    def send(self, changes, poison):
        self.sent += [(one.place, one.error) for one in poison]


@pytest.fixture(params=of("mysql"))
def world(request):
    with world_of(request, request.param) as found:
        yield found


@pytest.fixture
def shape(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, email varchar(20) UNIQUE, n integer) ENGINE=InnoDB")
    world.execute("INSERT INTO t VALUES (1, 'a', 0), (2, 'b', 0), (3, 'c', 0)")
    return world.shape()


def changes_of(shape, rows):
    count = len(rows)
    received = Received(
        ["t"] * count, [0] * count, range(count), [b""] * count, [b""] * count, [()] * count, [None] * count
    )
    found = TableChanges(shape, [UPSERT] * count, list(rows), list(range(count)))
    return Changes(received, {"t": found})


def deliver(world, shape, rows, **options):
    positions = TargetPositions(world.target.engine, "dwh")
    delivery = AppliedDelivery(STREAM, Held(), target=world.target, positions=positions, **options)
    delivery.load()
    delivery.begin({})
    batch = Batch(Shape((), (), ()), rows, len(rows), Watermark((str(len(rows)),), None, {}), "c")
    delivery.deliver(batch, changes_of(shape, rows))
    return positions.load(STREAM).values


def test_rows_that_exchange_a_unique_value_pass_one_after_the_other(world, shape):
    letters = Letters()
    rows = [("1", "t", ABSENT), ("2", "a", ABSENT), ("1", "b", ABSENT), ("4", "n", "1"), ("3", "c", "5")]
    assert deliver(world, shape, rows, dead_letters=letters) == ("5",)
    assert world.rows() == [(1, "b", 0), (2, "a", 0), (3, "c", 5), (4, "n", 1)]
    assert letters.sent == []


def test_one_guilty_message_among_others_goes_to_the_dead_letters(world, shape):
    letters = Letters()
    rows = [(str(at), f"e{at}", "1") for at in range(10, 40)]
    rows[7], rows[20] = ("17", "a", "1"), ("30", "e30", "99999999999")
    assert deliver(world, shape, rows, dead_letters=letters) == ("30",)
    assert letters.sent == [(7, "1062"), (20, "1264")]
    assert len(world.rows()) == 3 + 28


def in_one_transaction(world, shape, within="a savepoint", meanwhile=lambda unit: None):
    """Write rows 1 and 3, the second one within a savepoint or not."""
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "x", "1")]))
        meanwhile(unit)
        with unit.savepoint() if within == "a savepoint" else contextlib.nullcontext():
            unit.apply(TableStates(shape, [upsert("3", "y", "1")]))


class TestLocks:
    @pytest.fixture
    def world(self, world):
        world.legacy.begin_with(innodb_lock_wait_timeout="1")
        world.target.close()
        world.target = world.another()
        yield world
        world.target.close()

    @pytest.mark.parametrize("within", ["a savepoint", "the transaction"])
    def test_a_lock_that_is_held_too_long_undoes_the_whole_transaction(self, world, shape, within):
        with world.legacy.connect() as other:
            other.execute("BEGIN")
            other.execute("UPDATE t SET n = 7 WHERE id = 3")
            with pytest.raises(TransactionLostError, match="1205"):
                in_one_transaction(world, shape, within)
            assert world.rows() == [(1, "a", 0), (2, "b", 0), (3, "c", 0)]
            other.execute("COMMIT")
        assert world.apply(shape, upsert("1", "x", "1"), upsert("3", "z", "1")) == Counts(2, 0, 0)
        assert world.rows() == [(1, "x", 1), (2, "b", 0), (3, "z", 1)]

    def test_a_batch_that_waited_in_vain_is_begun_again(self, world, shape):
        other = world.legacy.connect()
        other.execute("BEGIN")
        other.execute("UPDATE t SET n = 7 WHERE id = 2")
        found, lost = world.target.transaction, []

        def transaction():
            if len(lost) == 1:  # once the first one was lost
                other.execute("COMMIT")
            lost.append(1)
            return found()

        world.target.transaction = transaction
        rows = [("1", "p", "1"), ("2", "q", "1"), ("9", "r", "1")]
        # The first transaction writes the position alone.
        positions = TargetPositions(world.target.engine, "dwh")
        delivery = AppliedDelivery(STREAM, Held(), target=world.target, positions=positions)
        delivery.load()
        delivery.begin({})
        lost.clear()
        after = Watermark(("3",), None, {})
        delivery.deliver(Batch(Shape((), (), ()), rows, 3, after, "c"), changes_of(shape, rows))
        other.close()
        assert len(lost) == 2
        assert positions.load(STREAM).values == ("3",)
        assert world.rows() == [(1, "p", 1), (2, "q", 1), (3, "c", 0), (9, "r", 1)]


def test_a_deadlock_undoes_the_whole_transaction(world, shape):
    world.execute("CREATE TABLE weight (id integer PRIMARY KEY) ENGINE=InnoDB")
    with world.legacy.connect() as other:
        other.execute("BEGIN")
        other.execute(f"INSERT INTO weight VALUES {', '.join(f'({at})' for at in range(200))}")
        other.execute("UPDATE t SET n = 7 WHERE id = 3")
        waiting = threading.Thread(target=other.execute, args=("UPDATE t SET n = 7 WHERE id = 1",))
        with pytest.raises(TransactionLostError, match="1213"):
            in_one_transaction(world, shape, meanwhile=lambda _: waiting.start())
        waiting.join()
        other.execute("COMMIT")
    assert world.rows() == [(1, "a", 7), (2, "b", 0), (3, "c", 7)]


def test_a_key_that_another_writer_inserts_meanwhile_begins_the_transaction_again(world, shape):
    with world.target.transaction() as unit:
        apply, other = unit.apply, world.legacy.connect()
        sender = unit._sender
        change = sender.change

        def inserted_before(statement):
            if statement.startswith(b"INSERT"):
                other.execute("INSERT INTO t VALUES (9, 'z', 0)")
                other.close()
            return change(statement)

        sender.change = inserted_before
        with pytest.raises(TransactionLostError, match="another writer inserted a key"):
            apply(TableStates(shape, [upsert("9", "y", "1")]))
        unit.roll_back()
    assert world.apply(shape, upsert("9", "y", "1")) == Counts(1, 0, 0)
    assert world.rows()[-1] == (9, "y", 1)


def killed(world, unit):
    [(number,)] = unit.connection.exec_driver_sql("SELECT CONNECTION_ID()").fetchall()
    world.execute(f"KILL {number}")
    while world.execute(f"SELECT 1 FROM information_schema.processlist WHERE id = {number}"):
        pass


def test_a_session_that_ends_at_commit_leaves_the_outcome_unknown(world, shape):
    def killed_at_commit():
        with world.target.transaction() as unit:
            unit.apply(TableStates(shape, [upsert("1", "x", "1")]))
            killed(world, unit)

    with pytest.raises(OutcomeUnknownError):
        killed_at_commit()
    assert world.apply(shape, upsert("2", "y", "1")) == Counts(1, 0, 0)
    assert world.rows()[:2] == [(1, "a", 0), (2, "y", 1)]


def test_a_session_that_ends_before_ends_the_run(world, shape):
    with pytest.raises(TargetError) as error:
        in_one_transaction(world, shape, meanwhile=lambda unit: killed(world, unit))
    assert error.value.retry_helps


def test_a_session_that_the_server_ended_between_two_transactions_is_replaced(world, shape):
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "x", "1")]))
        [(number,)] = unit.connection.exec_driver_sql("SELECT CONNECTION_ID()").fetchall()
    world.execute(f"KILL {number}")
    assert world.apply(shape, upsert("2", "y", "1")) == Counts(1, 0, 0)


def test_the_session_is_strict_in_utc_and_not_idle_in_a_transaction(world, shape):
    mariadb = world.legacy.engine.name.startswith("mariadb")
    idle = "idle_write_transaction_timeout" if mariadb else "wait_timeout"
    level = "transaction_isolation" if world.legacy.engine.name == "mysql-9.7" else "tx_isolation"
    asked = f"SELECT @@sql_mode, @@time_zone, @@{idle}, @@{level}, @@foreign_key_checks"
    with world.target.transaction() as unit:
        [(modes, *rest)] = unit.connection.exec_driver_sql(asked).fetchall()
    assert {"STRICT_ALL_TABLES", "NO_AUTO_VALUE_ON_ZERO", "ERROR_FOR_DIVISION_BY_ZERO"} <= set(modes.split(","))
    assert rest == ["+00:00", 30, "READ-COMMITTED", 1]


def test_many_rows_beside_another_unique_index_are_rolled_back_with_all_before_them(world, shape):
    many = [upsert(str(at), f"e{at}", "0") for at in range(4, 30)]
    world.apply(shape, *many)
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "x", "1"), upsert("99", "y", "1")]))
        with unit.savepoint():
            unit.apply(TableStates(shape, [upsert(one.row[0], f"new {one.row[0]}", "1") for one in many]))
        unit.roll_back()
    assert world.rows()[:4] == [(1, "a", 0), (2, "b", 0), (3, "c", 0), (4, "e4", 0)]
    assert len(world.rows()) == 29


@pytest.fixture
def slow(world):
    """A table whose rows take half a minute each."""
    world.execute("CREATE TABLE slow (id integer PRIMARY KEY, n integer) ENGINE=InnoDB")
    world.execute("CREATE TRIGGER slow_n BEFORE INSERT ON slow FOR EACH ROW SET NEW.n = SLEEP(30)")
    return world.shape("slow")


def test_a_statement_that_takes_too_long_is_cancelled(world, slow):
    quick = world.another(seconds=1)
    try:
        with pytest.raises(TargetError, match="statement timeout of 1 s"), quick.transaction() as unit:
            unit.apply(TableStates(slow, [upsert("1", None)]))
    finally:
        quick.close()


def test_a_target_that_is_closed_ends_what_runs(world, slow):
    running = "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'INSERT INTO%'"

    def close():
        while not world.execute(running):
            pass
        world.target.close()

    closing = threading.Thread(target=close)
    closing.start()
    with pytest.raises(TargetError, match="was closed by its run"), world.target.transaction() as unit:
        unit.apply(TableStates(slow, [upsert("1", None)]))
    closing.join()
    assert world.rows("slow") == []


def twice_the_same(unit, shape):
    with unit.savepoint():
        unit.apply(TableStates(shape, [upsert("2", "y", "1")]))
        unit.apply(TableStates(shape, [upsert("3", "y", "1")]))


def test_an_objection_is_undone_alone_within_a_savepoint(world, shape):
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1", "x", "1")]))
        with pytest.raises(ObjectionError):
            twice_the_same(unit, shape)
    assert world.rows() == [(1, "x", 1), (2, "b", 0), (3, "c", 0)]


class TestIdentity:
    """A table is known by the time of its creation, which ALTER TABLE changes, and by the rows applied last."""

    @pytest.fixture
    def left(self, world, shape):
        """What a run leaves that has written rows 1, 5 and 6, then deleted row 6; the table was altered since."""
        known = KnownTables(world.target, STREAM, {"t": shape}, emptied=True)
        changes = changes_of(shape, [("1", "p", "1"), ("5", "q", "1"), ("6", "r", "1"), ("6", ABSENT, ABSENT)])
        found = changes.tables["t"]
        found.ops[3] = DELETE
        known.meet(changes.tables)
        with world.target.transaction() as unit:
            counts = {"t": unit.apply(reduced(found, world.target.identity_of))}
            facts = known.left(unit, changes.tables, counts)
        assert facts[FACT]["t"] == {"id": world.target.identity("t"), "rows": True, "last": [["5"], ["1"]]}
        return {FACT: {"t": {**facts[FACT]["t"], "id": "2020-01-01 00:00:00"}}}

    def load(self, world, shape, facts):
        known = KnownTables(world.target, STREAM, {"t": shape}, emptied=True)
        known.loaded(Watermark(None, None, facts))
        return known.facts()[FACT]["t"]

    def test_an_altered_one_that_has_a_row_of_the_last_ones_is_the_same(self, world, shape, left):
        world.execute("DELETE FROM t WHERE id = 5")
        assert self.load(world, shape, left)["id"] == world.target.identity("t")

    def test_one_that_was_restored_without_them_is_another(self, world, shape, left):
        world.execute("DELETE FROM t WHERE id IN (1, 5)")
        with pytest.raises(WatermarkError, match="is another one than the last run wrote"):
            self.load(world, shape, left)

    def test_an_empty_one_is_another(self, world, shape, left):
        world.execute("DELETE FROM t")
        with pytest.raises(WatermarkError, match="is another one than the last run wrote"):
            self.load(world, shape, {FACT: {"t": {"id": "2020-01-01 00:00:00"}}})

    def test_one_whose_last_rows_are_not_known_is_the_same_with_any_row(self, world, shape, left):
        self.load(world, shape, {FACT: {"t": {"id": "2020-01-01 00:00:00"}}})
