"""PostgreSQL's lock of a stream: who holds it, who gives way, who is told what."""

from __future__ import annotations

import contextlib
import threading

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core import names
from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.databases import locks
from airflow_legacy_events.databases.postgres import lock
from tests.support.engines import of
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
OTHER = {**HOLDER, "run": "r2", "pid": 1}


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def role(legacy):
    """A user who may connect and nothing else."""
    name = f"{legacy.url.database}_reader"
    legacy.execute(f"CREATE ROLE {name} LOGIN")
    yield name
    legacy.execute(f"DROP OWNED BY {name}")
    legacy.execute(f"DROP ROLE {name}")


@pytest.fixture
def databases(legacy):
    made = []

    def make(**url):
        made.append(legacy.database(**url))
        return made[-1]

    yield make
    for database in made:
        database.close()


def backend(legacy) -> int:
    [(pid,)] = legacy.execute(
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name LIKE 'legacy-events-%' AND datname = current_database()"
    )
    return pid


def refused(lock, error=BusyError):
    with pytest.raises(error) as found:
        lock.__enter__()
    return found.value


def stranger(lock):
    """What is told of a holder that is no run."""
    told = refused(lock, SourceError)
    assert not isinstance(told, BusyError)
    assert "Nothing was read" in str(told)
    return str(told)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(locks, "APART_SECONDS", 0.02)


def test_a_busy_lock_names_the_backend_too(legacy, databases):
    with databases().lock("s", HOLDER):
        pid = backend(legacy)
        busy = refused(databases().lock("s", OTHER))
    assert busy.holder == f"dag 'd', task 't', run 'r1', try 1 on host worker-1, pid 4711, backend pid {pid}"
    assert busy.healthy is True


def test_an_earlier_try_is_ended_and_finds_its_lease_lost(legacy, databases, caplog):
    with databases().lock("s", HOLDER) as earlier:
        pid = backend(legacy)
        with databases().lock("s", {**HOLDER, "try": 2}) as later:
            later.check()
            with pytest.raises(SourceError, match=r"the lock of stream 's' is lost, .* The watermark was not moved"):
                earlier.check()
            with pytest.raises(SourceError, match="is lost"):
                earlier.check()
            later.check()
    assert "ending dag 'd', task 't', run 'r1', try 1 on host worker-1, pid 4711, an earlier" in caplog.text
    assert f"backend pid {pid}" in caplog.text


def test_an_earlier_try_with_names_of_any_length_is_recognised(databases):
    holder = {**HOLDER, "dag": "ä" * 250, "task": "/* */ %s", "run": "r" * 250}
    with databases().lock("s", holder), databases().lock("s", {**holder, "try": 2}) as later:
        later.check()


def test_names_that_differ_only_behind_the_cut_are_different_runs(databases):
    with (
        databases().lock("s", {**HOLDER, "run": "r" * 300 + "1"}),
        pytest.raises(BusyError),
        databases().lock("s", {**HOLDER, "run": "r" * 300 + "2", "try": 2}),
    ):
        pass


def test_a_holder_without_life_is_told_with_the_statement_that_ends_it(legacy, databases, monkeypatch):
    monkeypatch.setattr(locks, "LEASE_SECONDS", 0.0)
    with databases().lock("s", HOLDER):
        pid = backend(legacy)
        busy = refused(databases().lock("s", OTHER))
    assert "whose last heartbeat was 0 s ago although its session is open" in str(busy)
    assert f"SELECT pg_terminate_backend({pid})" in str(busy)
    assert busy.healthy is False


def test_the_lease_is_renewed_and_a_lost_one_warned_of(legacy, databases, monkeypatch, caplog):
    monkeypatch.setattr(lock, "HEARTBEAT_SECONDS", 0.01)
    query = "SELECT state_change FROM pg_stat_activity WHERE pid = %s"
    with databases().lock("s", HOLDER) as lease:
        pid = backend(legacy)
        begin = legacy.execute(query, pid)
        while legacy.execute(query, pid) == begin:
            pass
        legacy.execute("SELECT pg_terminate_backend(%s)", pid)
        while "the lease of stream s could not be renewed" not in caplog.text:
            pass
        with pytest.raises(SourceError, match="is lost"):
            lease.check()


def test_a_run_of_another_user_is_no_reason_to_skip(legacy, databases, role):
    """The holder's own user is known for certain; what its statement names may be written by anybody."""
    legacy.execute(f"GRANT pg_read_all_stats TO {role}")
    with databases().lock("s", HOLDER) as lease:
        pid, [(user,)] = backend(legacy), legacy.execute("SELECT current_user")
        told = stranger(databases(username=role).lock("s", OTHER))
        later = stranger(databases(username=role).lock("s", {**HOLDER, "try": 2}))
        lease.check()
    assert told == later
    assert (
        f"held by backend pid {pid} of database user {user!r}, which can't be identified as a run of this user" in told
    )
    assert "All runs of a stream need the same database user" in told
    assert f"SELECT pg_terminate_backend({pid})" in told


KEY = int.from_bytes(bytes.fromhex(names.digest("s", 16)), "big", signed=True)
COMMENT = '/* legacy-events {"dag":"d","task":"t","run":"r1","map_index":-1,"try":1,"host":"h","pid":1} */'


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT pg_advisory_lock({KEY})",
        f"SELECT pg_advisory_lock_shared({KEY})",
        f"BEGIN; SELECT pg_advisory_xact_lock({KEY})",
        f"{COMMENT} SET application_name = 'legacy-events-{names.digest('s', 16)}'; SELECT pg_advisory_lock({KEY})",
    ],
    ids=["lock", "shared", "transaction", "forged"],
)
def test_who_may_only_connect_does_not_let_runs_be_skipped(legacy, databases, role, statement):
    with legacy.connect(username=role) as other:
        other.execute(statement)
        told = stranger(databases().lock("s", OTHER))
        assert f"held by backend pid {other.info.backend_pid} of database user {role!r}" in told
    with databases().lock("s", OTHER) as lease:
        lease.check()


def test_a_prepared_transaction_does_not_let_runs_be_skipped(legacy, databases, role):
    with legacy.connect(username=role) as other:
        other.execute(f"BEGIN; SELECT pg_advisory_xact_lock({KEY}); PREPARE TRANSACTION '{role}'")
    assert "something that is not a session, such as a prepared transaction" in stranger(databases().lock("s", OTHER))
    legacy.execute(f"ROLLBACK PREPARED '{role}'")
    with databases().lock("s", OTHER) as lease:
        lease.check()


def test_a_session_of_this_user_that_names_no_run_is_none(legacy, databases):
    with legacy.connect() as other:
        other.execute(f'/* {{"dag": "d"}} */ SELECT pg_advisory_lock({KEY})')
        assert f"held by backend pid {other.info.backend_pid} of" in stranger(databases().lock("s", OTHER))


def test_who_waits_behind_a_run_does_not_hide_it(legacy, databases, role):
    with databases().lock("s", HOLDER), legacy.connect(username=role) as other:

        def wait():
            with contextlib.suppress(psycopg.errors.QueryCanceled):
                other.execute(f"SELECT pg_advisory_lock({KEY})")

        waits = threading.Thread(target=wait)
        waits.start()
        while not legacy.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            pass
        busy = refused(databases().lock("s", OTHER))
        other.cancel()
        waits.join()
    assert "run 'r1'" in busy.holder


def test_a_run_that_acknowledges_is_still_a_run(legacy, databases):
    with databases().lock("s", HOLDER) as lease:
        lease.execute([sa.text("SELECT 1")])
        busy = refused(databases().lock("s", OTHER))
    assert busy.healthy is True


def test_a_run_whose_statements_the_server_does_not_show_is_still_a_run(legacy, databases, role):
    legacy.execute(f"ALTER ROLE {role} SET track_activities = off")
    with databases(username=role).lock("s", HOLDER):
        busy = refused(databases(username=role).lock("s", OTHER))
    assert busy.healthy is None


def test_a_stranger_that_gives_the_lock_back_meanwhile_is_nobody(legacy, databases, role, monkeypatch):
    with legacy.connect(username=role) as other:
        other.execute(f"SELECT pg_advisory_lock({KEY})")
        who, looks = lock.AdvisoryLock._who, []

        def looked(lock):
            looks.append(who(lock))
            other.execute("SELECT pg_advisory_unlock_all()")
            return looks[-1]

        monkeypatch.setattr(lock.AdvisoryLock, "_who", looked)
        with databases().lock("s", OTHER) as lease:
            lease.check()
    assert len(looks) == 1


def test_the_lock_is_of_its_database(legacy, databases, postgres):
    with databases().lock("s", HOLDER), databases(database="postgres").lock("s", OTHER) as lease:
        lease.check()


def test_an_idle_timeout_of_the_role_does_not_end_the_lock(legacy, databases, role):
    legacy.execute(f"ALTER ROLE {role} SET idle_session_timeout = '1s'")
    legacy.execute(f"ALTER ROLE {role} SET statement_timeout = '1h'")
    with databases(username=role).lock("s", HOLDER) as lease:
        assert legacy.execute("SELECT pg_sleep(1.2)::text") == [("",)]
        lease.check()


def test_a_lock_that_can_not_be_reached_is_a_source_error(databases):
    with pytest.raises(SourceError, match=r"connection 'crm' failed while connecting"):
        databases(port=1).lock("s", HOLDER).__enter__()


def test_a_lock_that_was_given_back_is_free_at_once(databases):
    database = databases()
    for number in range(300):
        with database.lock("s", {**HOLDER, "run": f"r{number}"}):
            pass


def test_a_holder_that_is_gone_when_it_is_looked_for_does_not_keep_the_lock(databases, legacy, monkeypatch):
    """A server needs a moment to free what a killed process held."""
    held = databases().lock("s", HOLDER)
    held.__enter__()
    who = lock.AdvisoryLock._who

    def gone_meanwhile(lock):
        if not legacy.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"):
            return who(lock)
        held.__exit__(None, None, None)
        return None

    monkeypatch.setattr(lock.AdvisoryLock, "_who", gone_meanwhile)
    with databases().lock("s", OTHER) as lease:
        lease.check()
