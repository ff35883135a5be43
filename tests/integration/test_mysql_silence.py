"""A server of MariaDB or MySQL that stays connected and says nothing keeps no run from ending."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases import base
from airflow_legacy_events.databases.mysql import lock, reading
from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.silence import proxy

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}


@pytest.fixture(params=of("mysql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def silent(legacy):
    with proxy(str(legacy.url.host), int(legacy.url.port or 0)) as found:
        yield found


@pytest.fixture
def database(legacy, silent, monkeypatch):
    monkeypatch.setattr(reading, "_KILLER_SECONDS", 1)
    monkeypatch.setattr(base, "_CLOSE_SECONDS", 0.5)
    made = legacy.database(timeout=60, host="127.0.0.1", port=silent.port)
    yield made
    made.close()


def test_a_run_that_is_stopped_tries_once_to_kill_its_statement(database, silent):
    sleeping = threading.Event()
    silent.silent_at = lambda sent: b"SLEEP(60)" in sent and not sleeping.set()
    failed = []

    def read() -> None:
        with pytest.raises(SourceError, match="failed while reading") as error:
            database.read(sa.text("SELECT SLEEP(60)"))
        failed.append(error.value)

    reading_ = threading.Thread(target=read)
    reading_.start()
    assert sleeping.wait(10)
    before = len(silent._sockets)
    database.close()
    reading_.join(10)
    assert len(failed) == 1
    assert len(silent._sockets) == before + 1


def test_a_lock_is_let_go_of(database, silent, monkeypatch):
    monkeypatch.setattr(lock, "_RELEASE_SECONDS", 0.2)
    with database.lock("s", HOLDER):
        silent.silent.set()
        before = len(silent._sockets)
    assert len(silent._sockets) == before
    assert not [one for one in threading.enumerate() if one.name == "legacy-events-lease"]


def test_a_check_of_a_lock_that_is_not_answered_is_not_asked_again(database, silent, monkeypatch):
    monkeypatch.setattr(reading, "_SILENT_SECONDS", 1)
    monkeypatch.setattr(lock, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(lock, "QUICK_SECONDS", 0.5)
    with database.lock("s", HOLDER) as lease:
        silent.silent.set()
        before = len(silent._sockets)
        with pytest.raises(SourceError, match="lock of stream 's' is lost"):
            lease.check()
        assert len(silent._sockets) == before
