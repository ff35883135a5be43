"""UUID, INET4 and INET6 of MariaDB, which the log holds as bytes without the zeros at their end."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable

_LONG, _SHORT = 16, 4
_WORDS = struct.Struct(">8H")
_MAPPED = 0xFFFF


def _uuid(stored: bytes) -> str:
    return str(uuid.UUID(bytes=stored.ljust(_LONG, b"\0")))


def _inet4(stored: bytes) -> str:
    return ".".join(map(str, stored.ljust(_SHORT, b"\0")))


def _inet6(stored: bytes) -> str:
    """Return the text of an address; unlike `inet_ntop`, the server shortens a single group of zeros, too."""
    stored = stored.ljust(_LONG, b"\0")
    words = _WORDS.unpack(stored)
    begin, count = _longest_gap(words)
    if begin == 0 and (count == 6 or (count == 5 and words[5] == _MAPPED)):  # noqa: PLR2004
        return f"::{'ffff:' if count == 5 else ''}{_inet4(stored[-_SHORT:])}"  # noqa: PLR2004
    groups = [f"{word:x}" for word in words]
    return f"{':'.join(groups[:begin])}::{':'.join(groups[begin + count :])}" if count else ":".join(groups)


def _longest_gap(words: tuple[int, ...]) -> tuple[int, int]:
    """Return where the first of the longest gaps of zeros begins, and its length."""
    found, begin = (0, 0), 0
    for at, word in enumerate(words):
        if word:
            begin = at + 1
        elif at + 1 - begin > found[1]:
            found = begin, at + 1 - begin
    return found


ADDRESSES: dict[str, Callable[[bytes], str]] = {"uuid": _uuid, "inet4": _inet4, "inet6": _inet6}
"""By declared type, what returns the text of a stored value."""
