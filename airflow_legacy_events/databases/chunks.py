"""Rows fetched a chunk at a time, so that neither a chunk nor a page of wide rows grows with their width."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

CHUNK_BYTES = 2**20
_MOST_ROWS = 128
_SAMPLE = slice(0, None, 13)
_NUMBER_BYTES = 8


class Chunks:
    """Gathers the rows of pages, one page after the other.

    Attributes:
        rows: how many to fetch at a time: few at first, then as the width of the last page's rows suggests.
    """

    def __init__(self) -> None:
        self.rows = 4

    def gather(self, chunks: Iterable[list[tuple[Any, ...]]], max_bytes: int | None) -> list[tuple[Any, ...]]:
        """Return all rows, or those of the first chunks that together hold about `max_bytes`."""
        rows: list[tuple[Any, ...]] = []
        size = 1.0
        for chunk in chunks:
            rows += chunk
            sample = chunk[_SAMPLE]
            size += _width(sample) * len(chunk) / len(sample)
            if max_bytes is not None and size >= max_bytes:
                break
        if rows:
            self.rows = max(1, min(_MOST_ROWS, int(CHUNK_BYTES * len(rows) / size)))
        return rows


def _width(rows: list[tuple[Any, ...]]) -> int:
    values = [value for row in rows for value in row if value is not None]
    try:
        return sum(map(len, values))
    except TypeError:
        return sum(len(value) if isinstance(value, (str, bytes)) else _NUMBER_BYTES for value in values)
