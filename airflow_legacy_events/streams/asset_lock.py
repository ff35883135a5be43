"""Asset lock: tasks of one machine register an asset one after the other."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import time
from pathlib import Path

from airflow_legacy_events.core import flock

WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.02
_held: dict[str, int] = {}


def lock_asset(uri: str, seconds: float = WAIT_SECONDS) -> bool:
    """Wait until no other process of this machine is about to register an asset; hold the lock until this process ends.

    Airflow creates an unknown asset when the first task with an event for it ends. If several tasks do so at once, all
    but one meet a unique violation. Airflow (3.2, 3.3) then marks them failed without a retry, whatever they have
    delivered. A task's process ends once Airflow has its state, and the kernel then frees the lock.

    Args:
        uri: of the asset.
        seconds: longest wait; there is no wait if the lock file can't be opened, or is not this user's.

    Returns:
        Whether this process holds the lock.
    """
    if uri in _held:
        return True
    digest = hashlib.sha256(uri.encode()).hexdigest()[:32]
    path = Path(tempfile.gettempdir()) / f"legacy-events-{os.getuid()}-{digest}.lock"
    file = _open(path)
    if file is None:
        return False
    deadline = time.monotonic() + seconds
    while not flock.take(file):
        if time.monotonic() >= deadline:
            os.close(file)
            return False
        time.sleep(_POLL_SECONDS)
    _held[uri] = file
    return True


def _open(path: Path) -> int | None:
    """Return the open lock file; None if it can't be made, or the path is not a regular file of this user alone."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    found = os.fstat(file)
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid() and found.st_nlink == 1:
        return file
    os.close(file)
    return None
