"""Sessions of PostgreSQL whose peer stays connected and says nothing: those that hold a lock, listen or ask once."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases import watchdog
from airflow_legacy_events.databases.postgres import listening, lock
from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.silence import proxy

ONE = sa.select(sa.literal_column("1"))
HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
DELETE = sa.delete(sa.table("t")).where(sa.column("id") == 1)
LEASES = {
    "a check": lambda lease: lease.check(),
    "a transaction": lambda lease: lease.execute([DELETE]),
}


@pytest.fixture(params=of("postgresql"))
def postgresql(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        found.execute("INSERT INTO t SELECT n FROM generate_series(1, 100) n")
        yield found


@pytest.fixture
def behind(postgresql):
    """A proxy before the server, and a database of ours behind it."""
    with proxy(str(postgresql.url.host), int(postgresql.url.port or 0)) as found:
        database = postgresql.database(timeout=0.2, host="127.0.0.1", port=found.port)
        yield found, database
        database.close()


@pytest.mark.parametrize("ask", LEASES)
def test_a_lock_whose_session_is_not_answered_is_lost(behind, ask, monkeypatch):
    monkeypatch.setattr(lock, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(lock, "STATEMENT_SECONDS", 0.1)
    monkeypatch.setattr(lock, "_END_SECONDS", 0.2)
    silent, database = behind
    with database.lock("s", HOLDER) as lease:
        silent.silent.set()
        with pytest.raises(SourceError, match="is lost, its session ended: it did not answer, though it stayed"):
            LEASES[ask](lease)


def test_a_lock_is_given_back_though_nobody_answers(behind, monkeypatch):
    monkeypatch.setattr(lock, "_END_SECONDS", 0.2)
    silent, database = behind
    with database.lock("s", HOLDER):
        silent.silent.set()


def test_a_lock_that_can_not_be_asked_for_is_not_taken(behind, monkeypatch):
    monkeypatch.setattr(lock, "ANSWER_SECONDS", 0.2)
    silent, database = behind
    silent.silent_at = lambda sent: b"pg_try_advisory_lock" in sent
    with pytest.raises(SourceError, match="could not be taken: it did not answer"), database.lock("s", HOLDER):
        pass


def test_a_listener_that_hears_nothing_asks_whether_somebody_is_there(behind, monkeypatch):
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(listening, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(listening, "_ANSWER_SECONDS", 0.2)
    silent, database = behind
    with database.listen("news") as listener:
        threading.Timer(0.2, silent.silent.set).start()
        with pytest.raises(SourceError, match=r"did not answer for 0\.3 s while listening"):
            listener.wait()


def test_what_a_listener_hears_beside_a_sign_of_life_counts(postgresql, monkeypatch):
    monkeypatch.setattr(listening, "PROBE_SECONDS", 0.0)
    database = postgresql.database()
    with database.listen("news") as listener:
        for _ in range(20):
            postgresql.execute("NOTIFY news")
            assert listener.wait()
    database.close()


@pytest.mark.parametrize("sent", [b"SET client_encoding", b'FROM "t"'], ids=["the first statement", "a page"])
def test_a_session_that_falls_silent_at_a_statement_ends(behind, sent, monkeypatch):
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.1)
    silent, database = behind
    silent.silent_at = lambda some: sent in some
    with pytest.raises(SourceError, match=r"did not answer for 0\.3 s"):
        database.read(sa.select(sa.column("id")).select_from(sa.table("t")))


def test_a_question_beside_the_read_session_ends_too(behind, monkeypatch):
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.1)
    silent, database = behind
    silent.silent_at = lambda some: b"DELETE" in some
    with pytest.raises(SourceError, match=r"did not answer for 0\.3 s while checking whether rows may be written"):
        database.refusal(DELETE)


def test_close_ends_a_read_that_is_not_answered(behind):
    silent, database = behind
    database.statement_timeout_seconds = 60
    database.read(ONE)
    silent.silent.set()
    found = []

    def read() -> None:
        with pytest.raises(SourceError) as ended:
            database.read(ONE)
        found.append(ended.value)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    wait_until(database._turn.locked, "the read")
    database.close()
    reading.join(5)
    assert len(found) == 1
