"""Rows fetched a chunk at a time, so that neither a chunk nor a page of wide rows grows with their width."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from airflow_legacy_events.core.limits import MAX_ROW_BYTES
from airflow_legacy_events.databases import errors

CHUNK_BYTES = 2**20
_MOST_ROWS = 128
_NUMBER_BYTES = 8
_WIDE_BYTES = 1_000
_LONGEST_CHARACTER = 4
_PART = 2**16

Row: TypeAlias = tuple[Any, ...]


class Chunks:
    """Gathers the rows of pages, one page after the other.

    Args:
        conn_id: Airflow's name of the connection, for messages.
        max_row_bytes: a larger row is refused.

    Attributes:
        rows: how many to fetch at a time: few at first, then as the width of the last rows suggests. It changes while a
            page is gathered; rows that become wide are met by at most one chunk of so many.
    """

    def __init__(self, conn_id: str = "", max_row_bytes: int = MAX_ROW_BYTES) -> None:
        self.rows = 4
        self._conn_id, self._most = conn_id, max_row_bytes

    def gather(self, chunks: Iterable[list[Row]], max_bytes: int | None, key: Sequence[str] = ()) -> list[Row]:
        """Return all rows, or those of the first chunks that together hold about `max_bytes`.

        Args:
            chunks: of rows, none of them empty; each may be as large as `rows` says when it is fetched.
            max_bytes: of memory; None: all rows.
            key: names of the key columns, for the error.

        Raises:
            EnvelopeError: a row is too large.
        """
        rows: list[Row] = []
        size = 1
        for chunk in chunks:
            rows += chunk
            width = _width(chunk)
            if width * _LONGEST_CHARACTER > self._most:
                self._refuse_large(chunk, key)
            size += width
            widest = max(width / len(chunk), size / len(rows))
            self.rows = max(1, min(_MOST_ROWS, int(CHUNK_BYTES / widest)))
            if max_bytes is not None and size >= max_bytes:
                break
        return rows

    def pages(
        self, chunks: Iterable[list[Row]], limit: int, max_bytes: int, key: Sequence[str] = ()
    ) -> Iterator[list[Row]]:
        """Yield the rows in pages of at most `limit`; one that holds about `max_bytes` ends early. See `gather`."""
        source, left = iter(chunks), list[Row]()

        def counted() -> Iterator[list[Row]]:
            nonlocal left  # what is too much for a page is the next one's
            room = limit
            while room and (chunk := left or next(source, [])):
                some, left = chunk[:room], chunk[room:]
                room -= len(some)
                yield some

        while page := self.gather(counted(), max_bytes, key):
            yield page

    def one_by_one(self, fetch: Callable[[], Row | None]) -> Iterator[list[Row]]:
        """Yield chunks of about `CHUNK_BYTES` at most or of one row, from a driver that hands rows over singly.

        However wide rows become, no more than that and one row is held beside what was yielded before.

        Args:
            fetch: returns the next row, None behind the last.
        """
        chunk: list[Row] = []
        size = 0
        while (row := fetch()) is not None:
            chunk.append(row)
            for value in row:
                if value.__class__ is str or value.__class__ is bytes:
                    size += len(value)
            if size >= CHUNK_BYTES or len(chunk) == _MOST_ROWS:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _refuse_large(self, chunk: list[Row], key: Sequence[str]) -> None:
        for row in chunk:
            found = sum(map(_bytes, row))
            if found > self._most:
                raise errors.row_too_large(self._conn_id, found, self._most, key)


def _width(chunk: list[Row]) -> int:
    """Return the bytes of memory of rows, roughly: of narrow ones those of their ASCII text."""
    size = 0
    for values in zip(*chunk, strict=True):
        try:
            found = sum(map(len, filter(None, values)))
        except TypeError:
            found = sum(len(value) if isinstance(value, (str, bytes)) else _NUMBER_BYTES for value in values)
        if found > _WIDE_BYTES * len(chunk):  # a text with one emoji takes four bytes a character
            found = sum(map(sys.getsizeof, values))
        size += found
    return size


def _bytes(value: Any) -> int:
    """Return the bytes of a value as UTF-8."""
    if isinstance(value, str):
        if value.isascii():
            return len(value)
        parts = (value[at : at + _PART] for at in range(0, len(value), _PART))  # an encoder takes room for the worst
        return sum(len(part.encode(errors="surrogatepass")) for part in parts)
    return len(value) if isinstance(value, bytes) else _NUMBER_BYTES
