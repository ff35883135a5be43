"""SQLite's lock of a stream: a file beside the database, freed by the kernel."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.databases.sqlite import lock
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
CHILD = """
import json, sys, time
import sqlalchemy as sa
from airflow_legacy_events.databases.sqlite.database import SqliteDatabase
database = SqliteDatabase(sa.make_url(sys.argv[1]), conn_id="crm", statement_timeout_seconds=60)
with database.lock("s", json.loads(sys.argv[2])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def legacy(request):
    with legacy_database(request, "sqlite") as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


@pytest.fixture
def child(legacy):
    """Another process that holds the lock of stream `s`."""
    command = [sys.executable, "-c", CHILD, str(legacy.url), json.dumps(HOLDER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_of_another_process_is_busy_and_free_once_it_is_killed(database, child):
    with pytest.raises(BusyError, match="pid 4711") as busy, database.lock("s", {**HOLDER, "run": "r2"}):
        pass
    assert busy.value.healthy is None

    child.send_signal(signal.SIGKILL)
    child.wait(10)

    with database.lock("s", {**HOLDER, "run": "r2"}) as lease:
        lease.check()


def test_an_earlier_try_is_waited_for(database, child):
    threading.Timer(0.3, child.kill).start()
    with database.lock("s", {**HOLDER, "try": 2}) as lease:
        lease.check()
    assert child.wait(10) == -signal.SIGKILL


def test_an_earlier_try_that_does_not_end_is_told_with_its_host_and_pid(database, child, monkeypatch):
    monkeypatch.setattr(lock, "LEASE_SECONDS", 0.2)
    with pytest.raises(SourceError) as alive, database.lock("s", {**HOLDER, "try": 2}):
        pass
    assert not isinstance(alive.value, BusyError)
    assert "try 1 on host worker-1, pid 4711: an earlier try of this task, which did not end within" in str(alive.value)


def test_a_lock_file_that_was_removed_or_replaced_is_a_lost_lease(legacy, database):
    with database.lock("s", HOLDER) as lease:
        [file] = _lock_files(legacy)
        lease.check()
        file.unlink()
        with pytest.raises(SourceError, match=r"the lock file of stream 's', .* was removed while it was held"):
            lease.check()
        file.touch()
        with pytest.raises(SourceError, match="The watermark was not moved"):
            lease.check()


def test_the_lock_file_names_its_holder_and_stays_behind_it_empty(legacy, database):
    with database.lock("s", HOLDER):
        [file] = _lock_files(legacy)
        assert json.loads(file.read_text()) == HOLDER
    assert file.read_text() == ""


def test_a_link_to_the_database_shares_its_lock(legacy, database, tmp_path):
    link = tmp_path / "elsewhere"
    link.mkdir()
    (link / "link.db").symlink_to(legacy.url.database)
    other = legacy.database(database=str(link / "link.db"))
    with database.lock("s", HOLDER), pytest.raises(BusyError), other.lock("s", {**HOLDER, "run": "r2"}):
        pass
    other.close()


@pytest.mark.parametrize("content", [b"", b'{"dag": "d", ', b"[]", b"\xff", b"[" * 60_000])
def test_a_file_that_names_no_run_is_no_runs_lock(legacy, database, child, content, monkeypatch):
    monkeypatch.setattr(lock, "APART_SECONDS", 0.01)
    [file] = _lock_files(legacy)
    file.write_bytes(content)
    told = refused(database.lock("s", HOLDER))
    assert f"held by process {child.pid} of this machine, which can't be identified as a run" in str(told)


def test_a_holder_that_is_just_writing_its_name_is_busy_all_the_same(legacy, database, child, monkeypatch):
    [file] = _lock_files(legacy)
    text = file.read_text()
    file.write_text(text[:9])
    monkeypatch.setattr(lock.time, "sleep", lambda _: file.write_text(text))
    with pytest.raises(BusyError, match="pid 4711"), database.lock("s", {**HOLDER, "run": "r2"}):
        pass


def stranger(file):
    """Another process that locks a file which it may only read."""
    code = f"import fcntl, os; fcntl.flock(os.open({str(file)!r}, os.O_RDONLY), 2); print('held', flush=True); input()"
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("left", ["", "dead", "alive"])
def test_who_only_reads_the_file_does_not_let_runs_be_skipped(legacy, database, left, monkeypatch):
    """Whatever the last run left in it, if it died: its number may be another process's by now."""
    monkeypatch.setattr(lock, "APART_SECONDS", 0.01)
    with database.lock("s", HOLDER):
        pass
    [file] = _lock_files(legacy)
    number = {"": None, "dead": 2**22 + 1, "alive": os.getpid()}[left]
    file.write_text(json.dumps({**HOLDER, "host": socket.gethostname(), "pid": number}) if left else "")
    with stranger(file) as process:
        assert process.stdout.readline() == "held\n"
        told = refused(database.lock("s", {**HOLDER, "run": "r2"}))
        assert f"held by process {process.pid} of this machine" in str(told)
        process.communicate("\n")
    with database.lock("s", HOLDER) as lease:
        lease.check()


def test_a_run_of_this_machine_is_a_run(legacy, database):
    mine = {**HOLDER, "host": socket.gethostname(), "pid": os.getpid()}
    with database.lock("s", mine), pytest.raises(BusyError, match="run 'r1'"), database.lock("s", HOLDER):
        pass


def test_a_stranger_that_gives_the_lock_back_meanwhile_is_nobody(legacy, database):
    with database.lock("s", HOLDER):
        pass
    [file] = _lock_files(legacy)
    with stranger(file) as process:
        assert process.stdout.readline() == "held\n"
        threading.Timer(0.2, process.communicate, ["\n"]).start()
        with database.lock("s", HOLDER) as lease:
            lease.check()


def refused(taken):
    with pytest.raises(SourceError) as found:
        taken.__enter__()
    assert not isinstance(found.value, BusyError)
    return found.value


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/null")])
def test_a_lock_file_that_is_no_file_is_told_with_the_remedy(legacy, database, make):
    with database.lock("s", HOLDER):
        pass
    [file] = _lock_files(legacy)
    file.unlink()
    make(file)
    with pytest.raises(SourceError, match=r"the lock of stream 's' is the file .* Remove"):
        database.lock("s", HOLDER).__enter__()


def test_a_try_that_is_no_number_is_no_earlier_try(legacy, database, child):
    [file] = _lock_files(legacy)
    for odd in ("x", [1], None):
        file.write_text(json.dumps({**HOLDER, "try": odd, "host": "\x1b[31m"}))
        with pytest.raises(BusyError, match=r"on host \\x1b\[31m"), database.lock("s", {**HOLDER, "run": "r2"}):
            pass
    file.write_text(json.dumps({**HOLDER, "try": "x"}))
    with pytest.raises(BusyError), database.lock("s", {**HOLDER, "try": 2}):
        pass


def _lock_files(legacy) -> list[Path]:
    return list(Path(legacy.url.database).parent.glob("*.lock"))
