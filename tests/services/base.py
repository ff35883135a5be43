"""What every service needs: a folder, a process that dies with us, waiting for an event, and an installer."""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_PR_SET_PDEATHSIG = 1
_PORTS = range(10_000, 32_000)
"""Below those that the kernel gives to connections: one of them could take a port before its server does."""
_CRASH = re.compile(r"terminated by signal|PANIC:|TRAP:|got signal|Assertion .*fail|OutOfMemoryError")
_taken: list[int] = []
"""Lock files of the ports that this process was given."""


class MissingServiceError(RuntimeError):
    """A server can't be had here; the message says what to install or to set."""


def cache(name: str) -> Path:
    """A folder outside the repository for what is downloaded once."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root) / "airflow-legacy-events" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, and that no other process is given while this one lives."""
    while True:
        port = random.choice(_PORTS)
        lock = os.open(_lock_file(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(lock)
            continue
        _taken.append(lock)
        return port


def _lock_file(port: int) -> Path:
    folder = Path(tempfile.gettempdir()) / f"legacy-events-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    return folder / str(port)


def wait_until(probe: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Return the first true value of `probe`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")


def apt_install(*packages: str) -> None:
    """Install Debian packages, one caller at a time; nothing that they bring is started.

    Raises:
        MissingServiceError: this is no Debian, we are not root, or apt failed.
    """
    done = subprocess.run(["sh", _ROOT / ".ci" / "apt", *packages], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise MissingServiceError(done.stderr.strip() or f"apt-get install {' '.join(packages)} failed")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder, while something is downloaded into it."""
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def end_with_parent() -> Callable[[], Any]:
    """What a new process calls first, so that it gets SIGTERM when the thread that started it ends."""
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def group_of(user: str | None) -> int | None:
    """The number of a user's own group."""
    return None if user is None else pwd.getpwnam(user).pw_gid


class Service:
    """A server process with a folder of its own."""

    name = "service"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"legacy-events-{self.name}-"))
        self.log = self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """What the server's variable holds for those who share it."""
        raise NotImplementedError

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        user: str | None = None,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the server, `environment` added to ours; it gets SIGTERM when the thread that called this ends."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**os.environ, **(environment or {})},
                user=user,
                group=group_of(user),
                extra_groups=None if user is None else [],
                preexec_fn=end_with_parent(),  # noqa: PLW1509  no lock is taken in it
            )

    def wait_ready(self, probe: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Wait for `probe`; a server that ends meanwhile is an error with the tail of its log."""

        def alive() -> Any:
            if self.process is not None and self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")
            return probe()

        try:
            return wait_until(alive, f"{self.name} being ready", seconds)
        except TimeoutError as error:
            raise RuntimeError(f"{error}:\n{self.tail()}") from error

    def tail(self) -> str:
        """The last lines of the server's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:]) if self.log.exists() else ""

    @property
    def crashes(self) -> list[str]:
        """The lines of its log that say that the server, or a process of it, ended by itself."""
        if self.process is None or not self.log.exists():
            return []
        return [line for line in self.log.read_text(errors="replace").splitlines() if _CRASH.search(line)]

    def pause(self) -> None:
        """Stop the server without its clients noticing: SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self.process is not None and self.process.poll() is None:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, number)
