"""File locks, which the kernel frees with the process that holds them."""

from __future__ import annotations

import fcntl


def take(file: int) -> bool:
    """Lock an open file unless another holds its lock; return whether it is ours.

    Args:
        file: its descriptor; closing it frees the lock.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
