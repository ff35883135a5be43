"""Chunked fetching: the size of a chunk or page in bytes stays bounded, however wide the rows are."""

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
    """Collects the rows of pages, one page after another.

    Args:
        conn_id: Airflow's name of the connection, for messages.
        max_row_bytes: a larger row is refused.

    Attributes:
        rows: how many to fetch at a time: few at first, then based on the width of the last rows. It changes while a
            page is collected. If rows become wide, at most one chunk is too large.
    """

    def __init__(self, conn_id: str = "", max_row_bytes: int = MAX_ROW_BYTES) -> None:
        self.rows = 4
        self._conn_id, self._most = conn_id, max_row_bytes

    def gather(self, chunks: Iterable[list[Row]], max_bytes: int | None, key: Sequence[str] = ()) -> list[Row]:
        """Return all rows, or those of the first chunks that together hold about `max_bytes`.

        Args:
            chunks: of rows, none of them empty; each has at most `rows` rows, as of when it is fetched.
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
        """Yield the rows in pages of at most `limit`. A page ends early at about `max_bytes`; see `gather`."""
        source, left = iter(chunks), list[Row]()

        def counted() -> Iterator[list[Row]]:
            nonlocal left  # rows beyond the limit go to the next page
            room = limit
            while room and (chunk := left or next(source, [])):
                some, left = chunk[:room], chunk[room:]
                room -= len(some)
                yield some

        while page := self.gather(counted(), max_bytes, key):
            yield page

    def one_by_one(self, fetch: Callable[[], Row | None]) -> Iterator[list[Row]]:
        """Yield chunks of one row or of at most about `CHUNK_BYTES`, from a driver that returns rows one by one.

        However wide the rows are, memory holds at most that plus one row beyond the chunks already yielded.

        Args:
            fetch: returns the next row, None after the last one.
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
    """Estimate the memory of rows in bytes; narrow rows count as ASCII text."""
    size = 0
    for values in zip(*chunk, strict=True):
        try:
            found = sum(map(len, filter(None, values)))
        except TypeError:
            found = sum(len(value) if isinstance(value, (str, bytes)) else _NUMBER_BYTES for value in values)
        if found > _WIDE_BYTES * len(chunk):  # one emoji makes every character of a str four bytes
            found = sum(map(sys.getsizeof, values))
        size += found
    return size


def _bytes(value: Any) -> int:
    """Return a value's size in UTF-8 bytes."""
    if isinstance(value, str):
        if value.isascii():
            return len(value)
        parts = (value[at : at + _PART] for at in range(0, len(value), _PART))  # encoders allocate for the worst case
        return sum(len(part.encode(errors="surrogatepass")) for part in parts)
    return len(value) if isinstance(value, bytes) else _NUMBER_BYTES
