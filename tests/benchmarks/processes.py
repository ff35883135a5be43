"""Programs as children, and what they and the servers cost."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
"""The checkout."""
_QUIET_SHARE = 0.1
_PATIENCE_SECONDS = 15.0


@dataclass(frozen=True)
class Ended:
    """A program that ended well: what it printed and its CPU seconds, its own children included."""

    output: str
    cpu: float


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ended:
    """Run a program to its end; one that fails is an error with the tail of what it said."""
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            cwd=cwd,
        )
        assert process.stdout is not None
        output = process.stdout.read()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)  # the only way to the usage of this very child
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            said = (output + complaints.read()).splitlines()[-40:]
            raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n" + "\n".join(said))
    return Ended(output, usage.ru_utime + usage.ru_stime)


def cpu_of_tree(pid: int) -> float | None:
    """CPU seconds of a process, its living descendants and its children that have ended; None if it is gone."""
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return None
    total = 0.0
    for process in processes:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def parent_of(pid: int) -> int | None:
    """The parent of a process of this machine."""
    try:
        return psutil.Process(pid).ppid()
    except psutil.NoSuchProcess:
        return None


def settle(*meters: Callable[[], float | None]) -> None:
    """Wait until the servers rest: what a case left behind is not to be paid by the next one."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        before = [meter() or 0.0 for meter in meters]
        time.sleep(0.5)
        if all((meter() or 0.0) - start < _QUIET_SHARE / 2 for meter, start in zip(meters, before, strict=True)):
            return
