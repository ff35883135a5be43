"""Marks of rows: checksums by which a later run recognizes a row and its version; they reveal nothing about the row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

from airflow_legacy_events.sources.query import last_rows

ROW_BYTES, VERSION_BYTES = 7, 6


class Mark(NamedTuple):
    """A row as it was read.

    Attributes:
        second: of its time; see `Reach.second`.
        row: checksum of its position.
        version: checksum of its values.
        at: its position, as read.
    """

    second: int
    row: bytes
    version: bytes
    at: tuple[Any, ...]


def mark_of(second: int, at: tuple[Any, ...], values: tuple[Any, ...]) -> Mark:
    """Return the mark of a row at a position; `values` are those that make a version."""
    row = hashlib.blake2b(repr(at).encode(errors="surrogatepass"), digest_size=ROW_BYTES).digest()
    return Mark(second, row, bytes.fromhex(last_rows.checksum(values)), at)


@dataclass
class Total:
    """Number of some rows, and the sum of their checksums."""

    rows: int = 0
    sum: int = 0

    def add(self, row: bytes, version: bytes) -> None:
        """Count a row."""
        self.rows += 1
        self.sum = (self.sum + int.from_bytes(row + version, "big")) % 2 ** (8 * (ROW_BYTES + VERSION_BYTES))
