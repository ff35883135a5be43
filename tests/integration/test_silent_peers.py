"""A peer that stays connected and says nothing: every wait of a session ends, with an error of ours."""

from __future__ import annotations

import logging
import sqlite3
import threading

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.databases import base, watchdog
from airflow_legacy_events.databases.generic import GenericDatabase
from airflow_legacy_events.databases.generic.lock import RowLock
from airflow_legacy_events.databases.postgres import listening
from airflow_legacy_events.sources.query import QuerySource
from tests.support.legacy import reused_database
from tests.support.silence import proxy

ONE = sa.select(sa.literal_column("1"))
WAITS = {
    "reading": lambda database: database.read(ONE),
    "looking for the table": lambda database: database.reflect("t", None),
    "reading the server's identity": lambda database: database.identity(),
}
DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+mysqldb"}
SHORTLY = {"connect_timeout": "1", "read_timeout": "1"}
HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
TOLD = r"connection 'crm' did not answer for 0\.3 s while {}.* was closed"


@pytest.fixture(params=["postgresql-18", "mariadb-11.8"])
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        yield found


@pytest.fixture
def silent(legacy):
    with proxy(str(legacy.url.host), int(legacy.url.port or 0)) as found:
        yield found


@pytest.fixture
def hurry(monkeypatch):
    """Lets a database be waited for only shortly from now on: before that a busy machine may take its time."""

    def hurry(database):
        monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.1)
        database.statement_timeout_seconds = 0.2

    return hurry


@pytest.fixture(params=["own", "generic"])
def database(request, legacy, silent):
    """A database behind a proxy: as it is known here, and through its SQLAlchemy dialect alone."""
    url = {"host": "127.0.0.1", "port": silent.port}
    if request.param == "generic":
        url["drivername"] = DRIVERS[legacy.dialect]
        made = GenericDatabase(legacy.url.set(**url), conn_id="crm", statement_timeout_seconds=30)
    else:
        made = legacy.database(**url)
    yield made
    made.close()


@pytest.mark.parametrize("doing", WAITS)
def test_a_statement_that_is_never_answered_ends(database, silent, doing, hurry):
    database.read(ONE)
    silent.silent.set()
    hurry(database)
    with pytest.raises(SourceError, match=TOLD.format(doing)):
        WAITS[doing](database)


def test_a_run_whose_peer_falls_silent_between_two_pages_ends(legacy, database, silent, hurry):
    legacy.execute("INSERT INTO t VALUES (1), (2), (3)")
    source = QuerySource(
        database=database, stream="s", source="crm", table="t", watermark_columns=("id",), limits=Limits(1)
    )
    batches = source.open(None).batches
    next(batches)
    silent.silent.set()
    hurry(database)
    with pytest.raises(SourceError, match=TOLD.format("(reading|holding a snapshot)")):
        list(batches)


def test_a_peer_that_is_silent_while_a_session_is_made_ends_it(database, silent, hurry):
    hurry(database)
    database.url = database.url.update_query_dict({} if "postgresql" in database.url.drivername else SHORTLY)
    silent.silent_at = lambda sent: b"SET" in sent
    with pytest.raises(SourceError, match=r"connection 'crm' (did not answer|failed)"):
        database.read(ONE)


def test_closing_ends_a_statement_that_is_never_answered(legacy, silent, monkeypatch):
    monkeypatch.setattr(base, "_CLOSE_SECONDS", 0.5)
    url = legacy.url.set(host="127.0.0.1", port=silent.port, drivername=DRIVERS[legacy.dialect])
    database = GenericDatabase(url, conn_id="crm", statement_timeout_seconds=3_600)
    database.read(ONE)
    silent.silent.set()
    ended = threading.Event()

    def read() -> None:
        with pytest.raises(SourceError, match=r"connection 'crm' failed while reading"):
            database.read(ONE)
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    while not database._turn.locked():
        pass
    database.close()
    assert ended.wait(30)


def test_a_lease_whose_peer_falls_silent_is_lost(legacy, silent, monkeypatch):
    url = legacy.url.set(host="127.0.0.1", port=silent.port, drivername=DRIVERS[legacy.dialect])
    database = GenericDatabase(url, conn_id="crm", statement_timeout_seconds=10)
    log = logging.getLogger("tests")
    with RowLock(database._connect_to_write, "s", HOLDER, log, heartbeat=3_600).held() as lease:
        lease.check()
        silent.silent.set()
        monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.1)
        lease._patience = 0.2
        with pytest.raises(SourceError, match=r"the lock of stream 's' is lost, its session failed"):
            lease.check()
    database.close()


@pytest.fixture
def without_a_socket(tmp_path):
    """SQLite through its dialect, with a function that does not return until the test ends."""
    path, free = tmp_path / "plain.db", threading.Event()
    sqlite3.connect(path).close()
    database = GenericDatabase(sa.make_url(f"sqlite:///{path}"), conn_id="crm", statement_timeout_seconds=3_600)
    sa.event.listen(
        database._engine, "connect", lambda made, _: made.create_function("never", 0, lambda: free.wait(60) or 1)
    )
    yield database
    database.close()
    free.set()


NEVER = sa.select(sa.literal_column("never()"))


def test_a_driver_that_can_not_be_cut_is_left_behind(without_a_socket, hurry):
    assert without_a_socket.read(ONE) == [(1,)]
    hurry(without_a_socket)
    with pytest.raises(SourceError, match=TOLD.format("reading")):
        without_a_socket.read(NEVER)
    with pytest.raises(SourceError, match=r"connection 'crm' failed while reading: its driver did not return"):
        without_a_socket.read(ONE)


def test_a_driver_that_can_not_be_cut_does_not_keep_anybody_from_closing(without_a_socket, monkeypatch):
    monkeypatch.setattr(base, "_CLOSE_SECONDS", 0.5)
    ended = threading.Event()

    def read() -> None:
        with pytest.raises(SourceError, match=r"connection 'crm' failed while reading"):
            without_a_socket.read(NEVER)
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    while not without_a_socket._turn.locked():
        pass
    without_a_socket.close()
    assert ended.wait(30)


@pytest.fixture
def postgres_behind(request):
    with reused_database(request, "postgresql-18") as found, proxy(found.url.host, found.url.port) as between:
        database = found.database(host="127.0.0.1", port=between.port)
        yield between, database
        database.close()


@pytest.mark.parametrize("said", [b"LISTEN", b"pg_notify"])
def test_listening_to_a_peer_that_falls_silent_ends(postgres_behind, said, monkeypatch):
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(listening, "_ANSWER_SECONDS", 0.2)
    silent, database = postgres_behind
    silent.silent_at = lambda sent: said in sent
    told = TOLD.format("listening for notifications")
    with pytest.raises(SourceError, match=told), database.listen("orders"):
        pass
