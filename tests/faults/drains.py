"""Drains as a test sees them: processes that it starts, waits for step by step, stops and kills."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from airflow_legacy_events.core.report import Report
from airflow_legacy_events.sources.outbox.receipts import received
from tests.faults.drain_child import Job
from tests.faults.thin_store import FileStore
from tests.support.outbox import STREAM

_SECONDS = 60.0


@dataclass
class DrainProcess:
    """One drain.

    Attributes:
        pid: of its process.
        steps: that it told so far.
        report: of a run that went well.
        error: class, text and, of a `BusyError`, holder of one that failed.
        log: levels and lines, once it has ended.
        killed: whether the test killed it.
    """

    pid: int
    _connection: Connection
    steps: list[str] = field(default_factory=list)
    report: Report | None = None
    error: tuple[str, str, str | None] | None = None
    log: list[tuple[str, str]] = field(default_factory=list)
    killed: bool = False
    _gone: bool = False

    def reach(self, step: str, number: int = 1, seconds: float = _SECONDS) -> bool:
        """Wait until the drain tells a step for the `number`th time; return False where it ends before, or later."""
        deadline = time.monotonic() + seconds
        while self.steps.count(step) < number and not self._gone:
            left = deadline - time.monotonic()
            if left <= 0 or not self._connection.poll(left):
                return False
            self._hear()
        return self.steps.count(step) >= number

    def go_on(self) -> None:
        """Let it go on from the step at which it waits."""
        self._connection.send(None)

    def pause(self) -> None:
        """Stop it without its knowing: SIGSTOP."""
        os.kill(self.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """End it as a power cut would, and wait until it is gone; one that has ended by itself was not killed."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._until_gone()
        self.killed = self.report is None and self.error is None

    def end(self) -> Self:
        """Wait until it has ended by itself."""
        self._until_gone()
        assert self.report or self.error, f"the drain died by itself behind {self.steps[-3:]}"
        return self

    def warnings(self) -> list[str]:
        """What it warned of."""
        return [line for level, line in self.log if level == "WARNING"]

    def _until_gone(self) -> None:
        deadline = time.monotonic() + _SECONDS
        while not self._gone:
            assert self._connection.poll(max(0.0, deadline - time.monotonic())), f"it stands at {self.steps[-3:]}"
            self._hear()

    def _hear(self) -> None:
        try:
            what, found, *log = self._connection.recv()
        except (EOFError, ConnectionResetError):
            self._gone = True
            self._connection.close()
            return
        if what == "step":
            self.steps.append(found)
            return
        self.log = log[0]
        self.report, self.error = (found, None) if what == "ended" else (None, found)


@dataclass(frozen=True)
class Drains:
    """Starts drains of one outbox.

    Attributes:
        job: what each of them does.
    """

    job: Job
    _control: socket.socket
    _tries: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def start(self, *stops: str, run: str | None = None, **limits: Any) -> DrainProcess:
        """Start one, which waits at these steps: the next try of the job's run, or another run's only one.

        Some servers notice only after seconds that a holder of a lock is gone, but a later try ends an earlier one.
        """
        name = {"attempt": next(self._tries)} if run is None else {"run": run}
        return forked(self._control, replace(self.job, stops=stops, limits={**self.job.limits, **limits}, **name))

    def run(self, **limits: Any) -> DrainProcess:
        """Let one run to its end."""
        return self.start(**limits).end()

    def receipt(self) -> list[str]:
        """Ids whose rows the stored watermark says to be delivered and perhaps not acknowledged."""
        mark = FileStore(self.job.folder).load(STREAM)
        return [] if mark is None or mark.receipt is None else [row.key[0] for row in received(mark.receipt, 1)]


def forked(control: socket.socket, job: Any) -> DrainProcess:
    """Have a process fork, and give the fork its job."""
    ours, theirs = Pipe()
    socket.send_fds(control, [b"x"], [theirs.fileno()])
    theirs.close()
    pid = int.from_bytes(control.recv(8), "big")
    ours.send(job)
    return DrainProcess(pid, ours)


class Nursery:
    """The process of which drains are forks.

    Args:
        module: of its program.
    """

    def __init__(self, module: str = "tests.faults.drain_child") -> None:
        self._control, theirs = socket.socketpair()
        command = [sys.executable, "-m", module, str(theirs.fileno())]
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=root)
        theirs.close()

    def start(self, job: Any) -> DrainProcess:
        """Start a fork with a job of its own kind."""
        return forked(self._control, job)

    def drains(self, job: Job) -> Drains:
        """Return what starts drains of this kind."""
        return Drains(job, self._control)

    def close(self) -> None:
        """End it; drains that live still end with their test."""
        self._control.close()
        self._process.wait(30)


@contextmanager
def nursery(module: str = "tests.faults.drain_child") -> Iterator[Nursery]:
    """A process of which drains are forks, for as long as the context lasts."""
    found = Nursery(module)
    try:
        yield found
    finally:
        found.close()
