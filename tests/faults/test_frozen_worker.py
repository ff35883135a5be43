"""A worker that is stopped with a batch in its hands, and wakes after its lock was given to another run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from airflow_legacy_events.core.lease import PROOF_SECONDS
from tests.faults.frozen_child import WAITS
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.locks import lose, named_lock
from tests.support.profile import LONG

SHORT_PROOF = 0.1
PROOF, DEAD = (PROOF_SECONDS, 20) if LONG else (SHORT_PROOF, 1)
EACH = of("sqlite", "postgresql", "mysql")  # a file of Firebird is open to one process
OTHER = {"dag": "d", "task": "t", "run": "r2", "map_index": -1, "try": 1, "host": "h", "pid": 2}


@pytest.fixture
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE places (id integer PRIMARY KEY, body varchar(200))")
        for number in range(1, 5):
            found.execute(f"INSERT INTO places VALUES ({number}, '{'x' * 100}')")
        yield found


class Worker:
    """The child."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.told: list[str] = []

    def until_it_waits(self) -> None:
        while (line := self._process.stdout.readline().rstrip()) != WAITS:
            assert line, self.told
            self.told.append(line)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        status = Path(f"/proc/{self._process.pid}/stat")
        while status.read_text().rpartition(") ")[2][0] != "T":
            pass

    def wake(self) -> list[str]:
        """What it tells from now on."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._process.send_signal(signal.SIGCONT)
        return self._process.stdout.read().splitlines()


@contextmanager
def a_worker(legacy, place="batch", proof=SHORT_PROOF, dead=20):
    url = legacy.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.faults.frozen_child", url, place, str(proof), str(dead)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            worker = Worker(process)
            worker.until_it_waits()
            yield worker
        finally:
            process.kill()


def until(seconds):
    """Wait until both clocks have moved so far."""
    end = time.clock_gettime(time.CLOCK_BOOTTIME) + seconds, time.time() + seconds
    while (time.clock_gettime(time.CLOCK_BOOTTIME), time.time()) < end:
        time.sleep(0.01)


@pytest.mark.parametrize("place", ["batch", "letters"])
@pytest.mark.parametrize("legacy", EACH, indirect=True)
def test_a_worker_that_lost_its_lock_while_it_was_stopped_sends_nothing_more(legacy, place):
    with a_worker(legacy, place) as worker:
        assert worker.told == ["published t 1,2"]
        worker.stop()
        lose(legacy)
        until(SHORT_PROOF)
        other = legacy.database()
        with other.lock("s", OTHER) as lease:
            lease.check()
            told = worker.wake()
            lease.check()
        other.close()
    assert [line.split()[0] for line in told] == ["failed"]
    assert "stream 's'" in told[0]
    assert "The watermark was not moved" in told[0]


@pytest.mark.parametrize("legacy", EACH, indirect=True)
def test_a_worker_that_was_stopped_and_kept_its_lock_goes_on(legacy):
    with a_worker(legacy) as worker:
        worker.stop()
        until(SHORT_PROOF)
        assert worker.wake() == ["published t 3,4", "ended 4"]


@pytest.mark.parametrize("legacy", of("mysql"), indirect=True)
def test_a_worker_whose_session_the_server_ended_sends_nothing_more(legacy):
    with a_worker(legacy, proof=PROOF, dead=DEAD) as worker:
        worker.stop()
        while legacy.execute("SELECT IS_USED_LOCK(%s)", named_lock(legacy)) != [(None,)]:
            time.sleep(0.02)
        told = worker.wake()
    assert [line.split()[0] for line in told] == ["failed"]
