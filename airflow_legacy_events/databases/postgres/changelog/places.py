"""Places of PostgreSQL's log: LSNs as the server writes them, such as `0/16B3748`."""

from __future__ import annotations

import re

_LSN = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})", re.ASCII)
_HALF = 32


def number_of(place: str) -> int:
    """Return a place as a number of bytes from the log's beginning; the difference of two is a size in bytes.

    Raises:
        ValueError: it is no LSN.
    """
    found = _LSN.fullmatch(place)
    if found is None:
        raise ValueError(f"{place!r} is no LSN, such as 0/16B3748")
    return int(found[1], 16) << _HALF | int(found[2], 16)


def place_of(number: int) -> str:
    """Return the place at a number of bytes from the log's beginning."""
    return f"{number >> _HALF:X}/{number & (1 << _HALF) - 1:X}"


def compare(one: str, other: str) -> int:
    """Return a number below 0, 0 or above 0 if `one` lies before, at or behind `other`."""
    return number_of(one) - number_of(other)
