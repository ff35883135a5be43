"""Checksums of events: CRC32 over all that stands before it, in the last four bytes."""

from __future__ import annotations

from zlib import crc32

CHECKSUM_BYTES = 4
CHECKED = 0x2144DF1C
"""CRC32 of anything that its own CRC32 follows, the lowest byte first."""


def ends_with_checksum(head: bytes, body: bytes) -> bool:
    """Return whether the last four bytes of an event are the checksum of what stands before them."""
    return len(body) >= CHECKSUM_BYTES and crc32(body, crc32(head)) == CHECKED
