"""Chunk size: the number of rows fetched at a time, so that memory stays bounded however wide the rows are."""

from __future__ import annotations

BUDGET_BYTES = 16 * 2**20
"""Bytes of a chunk: the server fails the page at a row that exceeds its share."""
_MOST_ROWS = 128
_GROWTH, _CLEAN_PAGES = 2, 8


class ChunkSize:
    """Number of rows in a chunk, and the size limit of each row.

    Narrow rows are fetched many at a time, each with its own limit. If a row exceeds it, the page is read again in
    smaller chunks with a larger limit per row.

    Args:
        most: row size limit in bytes when rows are fetched one by one.
    """

    def __init__(self, most: int) -> None:
        self._most, self._rows, self._clean = most, _MOST_ROWS, 0

    def rows(self, suggested: int) -> int:
        """Return how many rows to fetch at a time.

        Args:
            suggested: number based on the width of the last rows.
        """
        return max(1, min(suggested, self._rows))

    def bytes(self, rows: int) -> int:
        """Return the row size limit, in bytes, in a chunk of `rows` rows."""
        return self._most if rows == 1 else min(self._most, BUDGET_BYTES // rows)

    def met(self, size: int) -> None:
        """Record a row of `size` bytes that exceeded its chunk's limit."""
        self._rows, self._clean = max(1, min(BUDGET_BYTES // size, self._rows // _GROWTH)), 0

    def done(self) -> None:
        """Record a page without such a row. After several of them, chunks become larger again."""
        self._clean += 1
        if self._clean % _CLEAN_PAGES == 0:
            self._rows = min(_MOST_ROWS, self._rows * _GROWTH)
