"""Checksums of events: CRC32 over all that stands before it, in the last four bytes."""

from __future__ import annotations

from zlib import crc32

CHECKSUM_BYTES = 4


def sum_of(*parts: bytes) -> int:
    """Return the checksum of bytes that stand one behind the other."""
    total = 0
    for part in parts:
        total = crc32(part, total)
    return total


def ends_with_checksum(head: bytes, body: bytes) -> bool:
    """Return whether the last four bytes of an event are the checksum of what stands before them."""
    if len(body) < CHECKSUM_BYTES:
        return False
    return sum_of(head, body[:-CHECKSUM_BYTES]) == int.from_bytes(body[-CHECKSUM_BYTES:], "little")
