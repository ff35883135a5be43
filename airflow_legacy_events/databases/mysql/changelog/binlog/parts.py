"""Body of a large event that comes in parts: read once, its checksum counted on the way."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from airflow_legacy_events.databases.mysql.changelog.binlog.checksum import CHECKSUM_BYTES


class Parts:
    """The body of an event, without its checksum.

    Args:
        head: of the event.
        first: what is there of its body.
        rest: the parts that follow.
        size: of the body with the checksum, if it has one, in bytes.
        checksum: whether it has one.
    """

    def __init__(self, head: bytes, first: bytes, rest: Iterable[bytes], size: int, *, checksum: bool) -> None:
        self._part, self._at, self._rest = first, 0, iter(rest)
        self._trailer = CHECKSUM_BYTES if checksum else 0
        self._left = size - self._trailer
        self._sum = crc32(head)

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, at least one, and none at the end.

        Raises:
            ValueError: the event ends before.
        """
        found = self._take(min(size, self._left))
        self._left -= len(found)
        self._sum = crc32(found, self._sum)
        return found

    def right(self) -> bool:
        """Read what is left; return whether the checksum is right."""
        while self._left:
            self.read(self._left)
        given = b""
        while len(given) < self._trailer:
            given += self._take(self._trailer - len(given))
        return not given or int.from_bytes(given, "little") == self._sum

    def _take(self, size: int) -> bytes:
        while size and self._at == len(self._part):
            part = next(self._rest, None)
            if part is None:
                raise ValueError("an event is shorter than its header says")
            self._part, self._at = part, 0
        begin, self._at = self._at, min(len(self._part), self._at + size)
        return self._part[begin : self._at]
