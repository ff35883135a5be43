"""Packets of the client-server protocol. PyMySQL reads each as a whole; a transaction of gigabytes may be one packet.

A packet is cut into chunks of 16 MiB less a byte, the last of which is shorter; each chunk has a header of its length
(3 bytes, the lowest first) and its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct

WHOLE_BYTES = 2**17
"""Packets up to this size are given as a whole."""

_BUFFER_BYTES = 2 * WHOLE_BYTES
_CHUNK_BYTES = 2**24 - 1
_HEADER_BYTES = 4
_LENGTH = Struct("<I")  # its highest byte is the number of the chunk


def packed(command: int, body: bytes) -> bytes:
    """Return the packet of a command."""
    return (len(body) + 1).to_bytes(_HEADER_BYTES, "little") + bytes((command,)) + body


class Packets:
    """Reads the packets of an answer.

    Args:
        receive: receives into a buffer, and returns how many bytes came: at least one.
    """

    def __init__(self, receive: Callable[[memoryview], int]) -> None:
        self._receive, self._view = receive, memoryview(bytearray(_BUFFER_BYTES))
        self._at = self._end = self._left = 0
        self._continues = False

    def next(self) -> tuple[bytes, bool]:
        """Return the next packet and True; or the first part of a large one and False, then `rest` follows."""
        begin = self._at + _HEADER_BYTES
        if begin <= self._end:  # most packets lie in the buffer
            end = begin + (_LENGTH.unpack_from(self._view, self._at)[0] & _CHUNK_BYTES)
            if end <= self._end:
                self._at = end
                return bytes(self._view[begin:end]), True
        size = self._header()
        if size > WHOLE_BYTES:
            self._left, self._continues = size, size == _CHUNK_BYTES
            return self._part(), False
        self._need(size)
        begin, self._at = self._at, self._at + size
        return bytes(self._view[begin : self._at]), True

    def rest(self) -> Iterator[bytes]:
        """Yield the parts that follow of a large packet; none is larger than the buffer of 256 KiB."""
        while self._left or self._continues:
            if self._left:
                yield self._part()
            else:
                self._left = self._header()
                self._continues = self._left == _CHUNK_BYTES

    def _header(self) -> int:
        self._need(_HEADER_BYTES)
        self._at += _HEADER_BYTES
        return int.from_bytes(self._view[self._at - _HEADER_BYTES : self._at - 1], "little")

    def _part(self) -> bytes:
        self._need(min(self._left, _HEADER_BYTES + WHOLE_BYTES))
        begin, self._at = self._at, min(self._end, self._at + self._left)
        self._left -= self._at - begin
        return bytes(self._view[begin : self._at])

    def _need(self, size: int) -> None:
        """Receive until so many bytes lie in the buffer behind `at`."""
        if self._at == self._end:
            self._at = self._end = 0
        elif self._at + size > _BUFFER_BYTES:
            kept = bytes(self._view[self._at : self._end])
            self._view[: len(kept)] = kept
            self._at, self._end = 0, len(kept)
        while self._end - self._at < size:
            self._end += self._receive(self._view[self._end :])
