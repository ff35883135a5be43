"""How many rows of a page are fetched at a time: so many that they can't fill the memory, however wide they are."""

from __future__ import annotations

BUDGET_BYTES = 16 * 2**20
"""What a chunk may hold: the server fails the page at a row that takes more than its share."""
_MOST_ROWS = 128
_GROWTH, _CLEAN_PAGES = 2, 8


class ChunkSize:
    """Rows of a chunk, and the bytes that each of them may have.

    Narrow rows come many at a time, each with a bound of its own. Where one is above that the page is read again in
    smaller chunks, whose rows may be larger.

    Args:
        most: bytes that a row may have where rows come one by one.
    """

    def __init__(self, most: int) -> None:
        self._most, self._rows, self._clean = most, _MOST_ROWS, 0

    def rows(self, suggested: int) -> int:
        """Return how many rows to fetch at a time.

        Args:
            suggested: by the width of the last ones.
        """
        return max(1, min(suggested, self._rows))

    def bytes(self, rows: int) -> int:
        """Return what a row of a chunk of so many may have."""
        return self._most if rows == 1 else min(self._most, BUDGET_BYTES // rows)

    def met(self, size: int) -> None:
        """Take note of a row that was larger than its chunk allows."""
        self._rows, self._clean = max(1, min(BUDGET_BYTES // size, self._rows // _GROWTH)), 0

    def done(self) -> None:
        """Take note of a page without one; after some of them rows come in larger chunks again."""
        self._clean += 1
        if self._clean % _CLEAN_PAGES == 0:
            self._rows = min(_MOST_ROWS, self._rows * _GROWTH)
