"""The lock that is a row, on Firebird: who gets it, who loses it, and where there is none."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.databases.generic.lock import RowLock
from airflow_legacy_events.databases.generic.session import Session
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
OTHER = {**HOLDER, "run": "r2"}
LOG = logging.getLogger("tests")


@pytest.fixture
def legacy(request):
    with legacy_database(request, "firebird") as found:
        yield found


@pytest.fixture
def lock(legacy):
    database = legacy.database()

    def lock(holder, heartbeat=0.05, connect=database._connect_to_write):
        return RowLock(connect, "crm.t@topic", holder, LOG, heartbeat=heartbeat).held()

    yield lock
    database.close()


def held(legacy) -> list:
    return legacy.execute("SELECT beats FROM legacy_events_locks")


def die(legacy) -> None:
    """A holder that died an hour ago: its row is there, and nobody renews it."""
    legacy.execute("UPDATE legacy_events_locks SET token = 'dead', leased_at = dateadd(-1 HOUR TO leased_at)")


def test_the_table_is_made_and_a_free_lock_leaves_no_row(legacy, lock):
    with lock(HOLDER) as lease:
        lease.check()
        assert len(held(legacy)) == 1
    assert held(legacy) == []


def test_the_lease_is_renewed_while_it_is_held(legacy, lock):
    with lock(HOLDER):
        (before,) = held(legacy)
        while held(legacy) == [before]:
            pass


def test_a_dead_holder_is_taken_over_and_finds_out(legacy, lock, caplog):
    with lock(HOLDER, heartbeat=60) as dead:
        die(legacy)
        with caplog.at_level(logging.WARNING), lock(OTHER) as lease:
            lease.check()
            with pytest.raises(SourceError, match=r"lock of stream 'crm.t@topic' is lost, its row .* another run"):
                dead.check()
    assert "took the lock over from dag 'd', task 't', run 'r1'" in caplog.text
    assert "whose last heartbeat is too old" in caplog.text
    assert held(legacy) == []


@pytest.mark.parametrize("jump", [-1, 1])
def test_a_holder_that_renews_its_lease_keeps_it_though_the_servers_clock_jumped(legacy, lock, jump):
    with lock(HOLDER) as lease:
        legacy.execute(f"UPDATE legacy_events_locks SET leased_at = dateadd({jump} HOUR TO leased_at)")
        with pytest.raises(BusyError), lock(OTHER, heartbeat=0.2):
            pass
        lease.check()


def test_an_earlier_try_of_the_same_task_loses_the_lock_at_once_and_leaves_the_row_alone(legacy, lock):
    with lock(HOLDER, heartbeat=60) as earlier, lock({**HOLDER, "try": 2}) as lease:
        with pytest.raises(SourceError, match="is lost"):
            earlier.check()
        lease.check()
        assert len(held(legacy)) == 1
    assert held(legacy) == []


def test_a_row_that_was_removed_is_a_lost_lock(legacy, lock):
    with lock(HOLDER, heartbeat=60) as lease:
        legacy.execute("DELETE FROM legacy_events_locks")
        with pytest.raises(SourceError, match=r"was removed\. The watermark was not moved"):
            lease.check()


def test_a_session_that_ends_loses_the_lock(legacy, lock):
    opened: list[Session] = []
    database = legacy.database()

    def connect() -> Session:
        opened.append(database._connect_to_write())
        return opened[-1]

    with lock(HOLDER, heartbeat=60, connect=connect) as lease:
        opened[0].call(lambda connection: connection.connection.dbapi_connection.close())
        with pytest.raises(SourceError, match=r"is lost, its session failed"):
            lease.check()
    database.close()


def test_a_row_that_somebody_else_keeps_locked_ends_the_lease_instead_of_waiting_for_ever(legacy):
    database, other = legacy.database(), legacy.connect()
    lock = RowLock(database._connect_to_write, "s", HOLDER, LOG, heartbeat=60, patience=0.3)
    with lock.held() as lease:
        other._connection.execute_immediate("UPDATE legacy_events_locks SET beats = 99")
        with pytest.raises(SourceError, match="is lost, its session failed"):
            lease.check()
        other._connection.rollback()
    other.close()
    database.close()


def test_a_user_who_may_not_make_the_table_reads_without_a_lock_and_is_warned(legacy, caplog):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    legacy.execute("GRANT SELECT ON t TO reader")
    database = legacy.database(username="READER")
    with caplog.at_level(logging.WARNING), database.lock("crm.t@topic", HOLDER) as lease:
        lease.check()
        with database.lock("crm.t@topic", OTHER):
            pass
        assert database.read(sa.select(sa.column("id")).select_from(sa.table("t"))) == []
    database.close()
    assert "stream crm.t@topic has no lock: the table legacy_events_locks does not exist" in caplog.text
    assert legacy.execute("SELECT count(*) FROM rdb$relations WHERE rdb$relation_name = 'LEGACY_EVENTS_LOCKS'") == [
        (0,)
    ]


def test_a_user_who_may_not_write_the_table_is_told_the_grant(legacy, lock):
    with lock(HOLDER):
        pass
    database = legacy.database(username="READER")
    grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON legacy_events_locks"
    with pytest.raises(SourceError, match=grant), database.lock("crm.t@topic", HOLDER):
        pass
    legacy.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON legacy_events_locks TO reader")
    with database.lock("crm.t@topic", HOLDER) as lease:
        lease.check()
    database.close()


@pytest.mark.parametrize("holder", ["", "nonsense", "[1]", "[" * 3_000, '{"dag": "d", "task": "t", "try": "x"}'])
def test_a_row_whose_holder_is_broken_is_told_while_it_is_renewed_and_then_taken_over(legacy, lock, holder):
    names = holder.startswith("{")
    expected, text = (BusyError, "is being worked on by") if names else (SourceError, "that names no run. Nothing was")
    with lock(HOLDER, heartbeat=60):
        legacy.execute(f"UPDATE legacy_events_locks SET holder = '{holder}'")
        with pytest.raises(expected, match=text) as told, lock({**HOLDER, "try": 2}):
            pass
        assert isinstance(told.value, BusyError) == names
        die(legacy)
        with lock(OTHER) as lease:
            lease.check()
    assert held(legacy) == []
