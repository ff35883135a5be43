"""Bytes that come in blocks, taken in pieces of any size."""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Numbers
from airflow_legacy_events.databases.mysql.changelog.binlog.header import HEADER_BYTES, Header, header

BLOCK_BYTES = 2**17
"""Most bytes of a block."""


class Blocks(Numbers):
    """A cursor in bytes that come in blocks; it holds one block beside what is taken.

    Args:
        read: returns at most so many bytes, at least one, and none at the end.
    """

    __slots__ = ("_at", "_block", "_read")

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read, self._block, self._at = read, b"", 0

    def take(self, size: int) -> bytes:
        """Return the next bytes; see `Numbers.take`."""
        begin, self._at = self._at, self._at + size
        if self._at <= len(self._block):
            return self._block[begin : self._at]
        parts = [self._block[begin:]]
        missing = size - len(parts[0])
        while missing > 0:
            self._block = self._read(BLOCK_BYTES)
            if not self._block:
                raise ValueError(f"an event ends before {missing} bytes of it that must be there")
            self._at = min(missing, len(self._block))
            parts.append(self._block[: self._at])
            missing -= self._at
        return b"".join(parts)

    def event(self, most: int) -> tuple[Header, bytes]:
        """Return header and body of the next event, which has at most so many bytes.

        Raises:
            ValueError: there is none, or it says that it is longer.
        """
        block, at = self._block, self._at
        if len(block) - at < HEADER_BYTES:
            head = header(self.take(min(HEADER_BYTES, most)))
        else:
            head = header(block, at)
            self._at = at + HEADER_BYTES
        if head.size > most:
            raise ValueError(f"an event of {head.size} bytes stands where {most} bytes are left")
        return head, self.take(head.size - HEADER_BYTES)

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, at least one, and none at the end."""
        if self._at == len(self._block):
            self._block, self._at = self._read(size), 0
        begin, self._at = self._at, min(len(self._block), self._at + size)
        return self._block[begin : self._at]
