"""Compressed columns of MariaDB (`COMPRESSED`), whose values the log holds as they are stored."""

from __future__ import annotations

import zlib

_ZLIB, _BARE = 8, 8
_SIZES = 7


def opened(stored: bytes) -> bytes:
    """Return a value: it is empty, or a byte for the method, then the value, or its length and the compressed one.

    Raises:
        ValueError: it is damaged.
    """
    if not stored:
        return stored
    head = stored[0]
    if not head:
        return stored[1:]
    begin = 1 + (head & _SIZES)
    if head >> 4 != _ZLIB:
        raise ValueError(f"a compressed value of method {head >> 4}")
    size = int.from_bytes(stored[1:begin], "big")
    machine = zlib.decompressobj(-zlib.MAX_WBITS if head & _BARE else zlib.MAX_WBITS)
    try:
        found = machine.decompress(stored[begin:], size + 1)
    except zlib.error:
        raise ValueError("a compressed value that is damaged") from None
    if len(found) != size or not machine.eof:
        raise ValueError("a compressed value of another length")
    return found
