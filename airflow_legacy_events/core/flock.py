"""File locks (flock): the kernel releases them when the holding process ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def take(file: int) -> bool:
    """Lock an open file unless another process holds its lock; return whether the lock is ours.

    Args:
        file: its descriptor; closing it releases the lock.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holders(file: int) -> tuple[int, ...] | None:
    """Return the PIDs of the process that holds a file's lock, in this and in inner namespaces.

    None if it can't be seen: in another container, on another machine, or on a system without `/proc/locks`.

    Args:
        file: its descriptor.
    """
    status = os.fstat(file)
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with contextlib.suppress(OSError, ValueError):
        for kind, number, where in _locks():
            if (kind, where) == ("FLOCK", place):
                return _numbers(int(number))
    return None


def _locks() -> Iterator[tuple[str, str, str]]:
    """Yield kind, process and place of every lock in `/proc/locks`."""
    for line in Path("/proc/locks").read_text().splitlines():
        parts = line.split()
        if len(parts) == 8 and parts[1] != "->":  # "->": waiting for a lock  # noqa: PLR2004  its fields, see proc(5)
            yield parts[1], parts[4], parts[5]


def _numbers(process: int) -> tuple[int, ...]:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return tuple(map(int, line.split()[1:]))
    return (process,)
