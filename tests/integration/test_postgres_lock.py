"""PostgreSQL's lock of a stream: who holds it, who gives way, who is told what."""

from __future__ import annotations

import pytest

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
    assert "which has shown no life for 0 s although its session is open" in str(busy)
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


def test_who_may_not_see_the_holder_is_told_so(legacy, databases, role):
    with databases().lock("s", HOLDER):
        pid = backend(legacy)
        busy = refused(databases(username=role).lock("s", OTHER))
    assert f"a session that this user may not look at, backend pid {pid}" in str(busy)
    assert busy.healthy is None


def test_who_may_not_end_an_earlier_try_is_told_so(legacy, databases, role):
    legacy.execute(f"GRANT pg_read_all_stats TO {role}")
    with databases().lock("s", HOLDER):
        told = refused(databases(username=role).lock("s", {**HOLDER, "try": 2}), SourceError)
    assert "the lock of stream 's' could not be taken: " in str(told)


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
        return locks.HeldLock()

    monkeypatch.setattr(lock.AdvisoryLock, "_who", gone_meanwhile)
    with databases().lock("s", OTHER) as lease:
        lease.check()
