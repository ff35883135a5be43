"""The header of a SQLite file, read through a descriptor that SQLite itself has open.

A descriptor of our own must not be closed: closing one takes away every lock that this process has on the file, those
of SQLite's sessions included (sqlite.org/howtocorrupt.html, section 2.2).
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
    """Return the file's change counter; None where the system does not show which files this process has open.

    Without WAL every transaction that writes adds one. With WAL a session adds one with the first change that it makes
    to the file's first page, seen once a checkpoint has written it; so it tells less, but it never falls.

    Args:
        path: of a database that a session of this process is reading, which keeps the header still.
    """
    with contextlib.suppress(OSError):
        wanted = path.stat()
        for number in [int(one.name) for one in _OPEN_FILES.iterdir()]:
            with contextlib.suppress(OSError):  # the listing's own descriptor is closed by now
                found = os.fstat(number)
                if stat.S_ISREG(found.st_mode) and os.path.samestat(found, wanted):
                    return int.from_bytes(os.pread(number, _BYTES_OF_COUNTER, _PLACE_OF_COUNTER))
    return None


def is_behind(counter: int, stored: int) -> bool:
    """Return whether a counter comes before a stored one; it begins anew after 2^32 transactions."""
    return (counter - stored) % _WRAPS >= _WRAPS // 2
