"""Runs all parts of the check, beside each other where they can be, and says how long each took.

The tests' lines are shown as they come, every other part's output once it ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

VENV = os.environ.get("VENV", ".venv")
NAMES = ("env", "lint", "types", "layers", "site", "services", "tests", "airflow32")
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run every part, also when another one failed; 1 where one did."""
    parts = Parts()
    with ThreadPoolExecutor() as pool:
        pool.submit(parts.run, "airflow32", ["make", "airflow32"])  # has an environment of its own
        if parts.run("env", ["make", f"{VENV}/.mysqlclient"]):
            pool.submit(parts.run_all, {name: ["make", name] for name in ("lint", "types", "layers", "site")})
            with parts.services() as addresses:
                parts.run("tests", ["make", "test"], environment=addresses, live=True)
    return parts.summary()


class Parts:
    """What has run, what it took and whether it succeeded."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._ended: dict[str, tuple[float, bool]] = {}
        self._printing = threading.Lock()

    def run_all(self, commands: Mapping[str, Sequence[str]]) -> None:
        """Run parts one after the other."""
        for name, command in commands.items():
            self.run(name, command)

    def run(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None, live: bool = False
    ) -> bool:
        """Run a part, show its output, return whether it succeeded."""
        began, lines = time.monotonic(), list[str]()
        process = spawn(command, environment or {}, stderr=subprocess.STDOUT)
        for line in process.stdout or ():
            if live:
                self.show(line)
            else:
                lines.append(line)
        succeeded = process.wait() == 0
        self.end(name, began, "".join(lines), succeeded=succeeded)
        return succeeded

    @contextlib.contextmanager
    def services(self) -> Iterator[dict[str, str]]:
        """Start the servers of the tests; give the variables that name them; stop them with the context."""
        began = time.monotonic()
        process = spawn([f"{VENV}/bin/python", "-m", "tests.services"], {})
        exports = [shlex.split(line)[1] for line in process.stdout or ()]
        self.end("services", began, "", succeeded=process.poll() is None)
        try:
            yield dict(one.split("=", 1) for one in exports)
        finally:
            process.terminate()
            process.wait()

    def end(self, name: str, began: float, output: str, *, succeeded: bool) -> None:
        """Keep what a part took, and show what it said."""
        seconds = time.monotonic() - began
        self._ended[name] = seconds, succeeded
        self.show(f"{'=' * 20} {name}: {'done' if succeeded else 'FAILED'} in {seconds:.0f} s\n{output}")

    def show(self, text: str) -> None:
        """Print whole lines."""
        with self._printing:
            print(text, end="", flush=True)

    def summary(self) -> int:
        """Print the seconds of every part; return the exit status."""
        total = time.monotonic() - self._began
        self.show(f"{'=' * 20} seconds of each part\n")
        for name in NAMES:
            seconds, succeeded = self._ended.get(name, (0.0, False))
            self.show(f"{name:10} {seconds:7.1f}{'' if succeeded else '  FAILED' if seconds else '  not run'}\n")
        self.show(f"{'total':10} {total:7.1f}\n")
        return 0 if all(name in self._ended and self._ended[name][1] for name in NAMES) else 1


def spawn(command: Sequence[str], environment: Mapping[str, str], stderr: int | None = None) -> subprocess.Popen[str]:
    """Start a process that ends with this one."""
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
        preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),  # noqa: PLW1509
    )


if __name__ == "__main__":
    sys.exit(main())
