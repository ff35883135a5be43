"""The lock of a stream in MariaDB and MySQL: who holds it, who gives way, who is told what."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.databases import locks
from airflow_legacy_events.databases.mysql import lock
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.locks import named_lock

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
OTHER = {**HOLDER, "run": "r2", "pid": 1}


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def user(legacy):
    """A user who may read the database and nothing else."""
    name = f"u{legacy.url.database[-12:]}"
    for host in ("localhost", "127.0.0.1", "%"):
        legacy.execute(f"CREATE USER {name}@'{host}' IDENTIFIED BY '{legacy.url.password}'")
        legacy.execute(f"GRANT SELECT ON {legacy.url.database}.* TO {name}@'{host}'")
    yield {"username": name}
    for host in ("localhost", "127.0.0.1", "%"):
        legacy.execute(f"DROP USER {name}@'{host}'")


@pytest.fixture
def databases(legacy):
    made = []

    def make(**url):
        made.append(legacy.database(**url))
        return made[-1]

    yield make
    for database in made:
        database.close()


def session_of(legacy) -> int:
    rows = []
    while not rows:
        rows = legacy.execute(
            "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT /* legacy-events %%' AND db = %s",
            legacy.url.database,
        )
    return rows[0][0]


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
    monkeypatch.setattr(lock, "_LOOK_SECONDS", 0.1)


def test_a_user_without_rights_beyond_select_sees_the_holder(legacy, databases, user):
    with databases(**user).lock("s", HOLDER):
        number = session_of(legacy)
        busy = refused(databases(**user).lock("s", OTHER))
    assert busy.holder == f"dag 'd', task 't', run 'r1', try 1 on host worker-1, pid 4711, backend pid {number}"
    assert busy.healthy is True


def test_an_earlier_try_is_ended_and_finds_its_lease_lost(databases, user, caplog):
    with databases(**user).lock("s", HOLDER) as earlier, databases(**user).lock("s", {**HOLDER, "try": 2}) as later:
        later.check()
        for _ in range(2):
            with pytest.raises(SourceError, match=r"the lock of stream 's' is lost, .* The watermark was not moved"):
                earlier.check()
        later.check()
    assert "ending dag 'd', task 't', run 'r1', try 1 on host worker-1, pid 4711, an earlier" in caplog.text


def test_an_earlier_try_with_names_of_any_length_and_alphabet_is_recognised(databases):
    holder = {**HOLDER, "dag": "\u00e4" * 250, "task": "/* */ %s \U0001f9fe", "run": "r" * 250}
    with databases().lock("s", holder), databases().lock("s", {**holder, "try": 2}) as later:
        later.check()


def test_a_lock_that_was_left_is_free_at_once(databases):
    for _ in range(5):
        with databases().lock("s", HOLDER) as lease:
            lease.check()


def test_two_streams_are_locked_by_one_process(databases):
    database = databases()
    with database.lock("s", HOLDER) as first, database.lock("s2", HOLDER) as second:
        first.check()
        second.check()


def test_the_lock_is_of_its_database(legacy, databases):
    with databases().lock("s", HOLDER), databases(database="information_schema").lock("s", OTHER) as lease:
        lease.check()


def test_a_holder_without_life_is_told_with_the_statement_that_ends_it(legacy, databases, monkeypatch):
    monkeypatch.setattr(locks, "LEASE_SECONDS", 0.0)
    with databases().lock("s", HOLDER):
        number = session_of(legacy)
        busy = refused(databases().lock("s", OTHER))
    assert "whose last heartbeat was" in str(busy)
    assert f"end its session in the source database: KILL {number}" in str(busy)
    assert busy.healthy is False


def test_the_server_itself_ends_a_session_whose_process_is_gone(legacy, databases, monkeypatch):
    monkeypatch.setattr(lock, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(lock, "_DEAD_SECONDS", 1)
    gone = databases().lock("s", HOLDER)
    lease = gone.__enter__()
    session_of(legacy)
    beating, lease._session.rows = lease._session.rows, lambda statement: lease._released.wait(30)  # no more statements
    while lease._ask("SELECT IS_USED_LOCK(%s)", lease._lock) != [(None,)]:
        pass
    with databases().lock("s", OTHER) as other:
        other.check()
        with pytest.raises(SourceError, match="is lost"):
            lease.check()
    lease._session.rows = beating
    with pytest.raises(GeneratorExit):
        gone.gen.throw(GeneratorExit)


def test_a_lease_whose_session_was_ended_is_lost_and_warned_of(legacy, databases, caplog):
    with databases().lock("s", HOLDER) as lease:
        legacy.execute(f"KILL {session_of(legacy)}")
        while "the lease of stream s could not be renewed" not in caplog.text:
            pass
        with pytest.raises(SourceError, match="is lost"):
            lease.check()


def test_the_lease_outlives_the_end_of_the_session_that_looks_at_it(legacy, databases):
    with databases().lock("s", HOLDER) as lease:
        legacy.execute(f"KILL {lease._watcher.number}")
        lease.check()
        legacy.execute(f"KILL QUERY {lease._session.number}")
        lease.check()


def test_a_run_of_another_user_is_no_reason_to_skip(legacy, databases, user):
    """The holder's own user is known for certain; what its statement names may be written by anybody."""
    with databases().lock("s", HOLDER) as lease:
        number = session_of(legacy)
        told = stranger(databases(**user).lock("s", OTHER))
        later = stranger(databases(**user).lock("s", {**HOLDER, "try": 2}))
        lease.check()
    assert told == later
    assert (
        f"held by backend pid {number} of a database user that can't be seen, which can't be identified as a run"
        in told
    )
    assert f"KILL {number}" in told
    with databases(**user).lock("s", HOLDER):
        assert f"of database user {user['username']!r}" in stranger(databases().lock("s", OTHER))


def test_who_may_do_nothing_does_not_let_runs_be_skipped(legacy, databases):
    name = f"n{legacy.url.database[-12:]}"
    hosts = ("localhost", "127.0.0.1", "%")
    for host in hosts:
        legacy.execute(f"CREATE USER {name}@'{host}' IDENTIFIED BY '{legacy.url.password}'")
    with legacy.connect(username=name, database="") as other:
        other.execute("SELECT GET_LOCK(%s, 0)", (named_lock(legacy),))
        told = stranger(databases().lock("s", OTHER))
        assert f"held by backend pid {other.number} of database user {name!r}" in told
    for host in hosts:
        legacy.execute(f"DROP USER {name}@'{host}'")


def test_a_session_of_this_user_that_names_no_run_is_none(legacy, databases):
    with legacy.connect() as other:
        other.execute("SELECT GET_LOCK(%s, 0)", (named_lock(legacy),))
        number = other.number
        assert f"held by backend pid {number} of database user" in stranger(databases().lock("s", OTHER))


def test_a_run_that_acknowledges_is_still_a_run(databases):
    with databases().lock("s", HOLDER) as lease:
        lease.execute([sa.text("SELECT 1")])
        assert refused(databases().lock("s", OTHER)).healthy is True


def test_a_stranger_that_gives_the_lock_back_meanwhile_is_nobody(legacy, databases, monkeypatch):
    with legacy.connect() as other:
        other.execute("SELECT GET_LOCK(%s, 0)", (named_lock(legacy),))
        who, looks = lock.NamedLock._who, []

        def looked(lock):
            looks.append(who(lock))
            other.execute("SELECT RELEASE_LOCK(%s)", (named_lock(legacy),))
            return looks[-1]

        monkeypatch.setattr(lock.NamedLock, "_who", looked)
        with databases().lock("s", OTHER) as lease:
            lease.check()
    assert len(looks) == 1


def test_a_lock_that_can_not_be_reached_is_a_source_error(databases):
    with pytest.raises(SourceError, match=r"connection 'crm' failed while connecting"):
        databases(port=1).lock("s", HOLDER).__enter__()
