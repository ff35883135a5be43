"""SQLite file header, read through a descriptor that SQLite itself has open.

A descriptor of our own could not be closed: closing it would release every lock of this process on the file, including
those of SQLite's sessions (sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_OPEN_FILES = Path("/dev/fd")
_WRAPS = 2**32
_PLACE_OF_COUNTER, _BYTES_OF_COUNTER = 24, 4


def change_counter(path: Path) -> int | None:
    """Return the file's change counter; None if the system doesn't list this process's open files.

    Without WAL, every write transaction increments it. With WAL, a session increments it with its first change to the
    file's first page, visible after a checkpoint. So it is less precise there, but it never decreases.

    Args:
        path: of a database that a session of this process is reading, so that the header can't change.
    """
    with contextlib.suppress(OSError):
        wanted = path.stat()
        for number in [int(one.name) for one in _OPEN_FILES.iterdir()]:
            with contextlib.suppress(OSError):  # the listing's own descriptor is already closed
                found = os.fstat(number)
                if stat.S_ISREG(found.st_mode) and os.path.samestat(found, wanted):
                    return int.from_bytes(os.pread(number, _BYTES_OF_COUNTER, _PLACE_OF_COUNTER))
    return None


def is_behind(counter: int, stored: int) -> bool:
    """Return whether a counter is before a stored one; it wraps around after 2^32 transactions."""
    return (counter - stored) % _WRAPS >= _WRAPS // 2
