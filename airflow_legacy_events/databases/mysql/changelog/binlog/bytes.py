"""Reads numbers and texts of the binlog one behind the other."""

from __future__ import annotations

from abc import ABC, abstractmethod

_ONE_BYTE = 0xFB
_SIZES = {0xFC: 2, 0xFD: 3, 0xFE: 8}


class Numbers(ABC):
    """Reads numbers from bytes; what it reads is there, or a ValueError says that the event is too short."""

    __slots__ = ()

    @abstractmethod
    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            ValueError: there are fewer.
        """

    def number(self, size: int) -> int:
        """Return the next number, unsigned, of so many bytes, the lowest first."""
        return int.from_bytes(self.take(size), "little")

    def packed(self) -> int:
        """Return the next length-encoded number, of 1, 3, 4 or 9 bytes.

        Raises:
            ValueError: it is the sign of NULL, which no event holds here, or cut off.
        """
        first = self.number(1)
        if first < _ONE_BYTE:
            return first
        if first not in _SIZES:
            raise ValueError(f"{first:#x} begins no length of an event")
        return self.number(_SIZES[first])


class Bytes(Numbers):
    """A cursor in bytes."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        """Begin at a place in `data`; nothing at or behind `end` is read."""
        self.data, self.at = data, at
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return self.end - self.at

    def take(self, size: int) -> bytes:
        """Return the next bytes; see `Numbers.take`."""
        start, self.at = self.at, self.at + size
        if size < 0 or self.at > self.end:
            raise ValueError(f"an event ends before {size} bytes of it that must be there")
        return self.data[start : self.at]

    def text(self) -> str:
        """Return the next text behind its length-encoded size; names of the server are UTF-8."""
        return self.take(self.packed()).decode()

    def rest(self) -> bytes:
        """Return everything that is left."""
        return self.take(self.left)
