"""Readers of the binlog's row images, generated for the columns of one table map.

No name of the source enters the generated code, only numbers. Images with NULL in the same columns are read by code of
their own, so that values of a fixed size that follow each other are read at once.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

from airflow_legacy_events.databases.mysql.changelog.character_sets import unreadable
from airflow_legacy_events.databases.mysql.changelog.model import (
    Convert,
    LoggedColumn,
    Row,
    RowReader,
    RowsEvent,
    TableMap,
)
from airflow_legacy_events.databases.mysql.changelog.values.choosing import piece_of
from airflow_legacy_events.databases.mysql.changelog.values.code import Read, for_any, for_nulls, for_updates
from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece
from airflow_legacy_events.databases.mysql.changelog.values.strings import BINARY

_MOST_READERS = 256
_MOST_PATTERNS = 24
"""Different columns with NULL that get code of their own; others share slower code."""

_DAMAGES = (struct.error, LookupError, ArithmeticError, ValueError)


@lru_cache(_MOST_READERS)
def _reader(raw: bytes, columns: tuple[LoggedColumn, ...], convert: Convert) -> Reader:  # noqa: ARG001
    try:
        return Reader(columns, convert)
    except _DAMAGES:
        raise ValueError("a table map with metadata that fit none of its types") from None


def row_reader(map_: TableMap, columns: Sequence[LoggedColumn], convert: Convert) -> RowReader:
    """Return the reader of a table map's images; the same one for equal maps and columns.

    Args:
        map_: of the table.
        columns: all columns of the map.
        convert: converts texts by the server; see `character_sets.Conversion`.

    Raises:
        ValueError: the table map is damaged.
        UnreadableValueError: the type of a column is not known.
    """
    return _reader(map_.raw, tuple(columns), convert)


class Reader:
    """See `model.RowReader`.

    Args:
        columns: of the table map.
        convert: converts texts by the server.
        careful: name the column of a value that is no text at once; slower.
    """

    def __init__(self, columns: Sequence[LoggedColumn], convert: Convert, *, careful: bool = False) -> None:
        self._columns, self._convert, self._careful = columns, convert, careful
        self._pieces = [_piece(column, convert, careful=careful) for column in columns]
        self._kept = [place for place, column in enumerate(columns) if column.column is not None]
        self._bitmap = (len(columns) + 7) // 8
        self._readers: dict[tuple[int, ...] | None, dict[bytes, Read]] = {}
        blocks = ((at, self._pieces[place].block) for at, place in enumerate(self._kept))
        self._blocks = [(at, block) for at, block in blocks if block is not None]

    def images(self, event: RowsEvent, old: tuple[int, ...] | None = None) -> list[Row]:
        """See `model.RowReader.images`."""
        body, at = event.body, event.at
        end, size, rows = len(body), self._bitmap, list[Row]()
        text, add = str(body, "latin-1"), rows.append
        old = old if event.op == "u" else None
        readers = self._readers.setdefault(old, {})
        try:
            while at < end:
                nulls = body[at : at + size]
                read = readers.get(nulls) or self._read(readers, old, nulls)
                at = read(body, text, at, end, add)
        except _DAMAGES as error:
            if isinstance(error, UnicodeDecodeError) and not self._careful:
                return Reader(self._columns, self._convert, careful=True).images(event)
            raise ValueError("a rows event with values that are none of their types") from None
        if at != end:
            raise ValueError("a rows event whose values end behind it")
        return self._converted(rows) if self._blocks else rows

    def _read(self, readers: dict[bytes, Read], old: tuple[int, ...] | None, nulls: bytes) -> Read:
        """Return what reads the next images: one of its own for the first columns with NULL that are seen."""
        if len(readers) >= _MOST_PATTERNS:
            return self._any if old is None else self._any_update
        if old is None:
            found = for_nulls(self._pieces, self._kept, nulls)
        else:
            found = for_updates(self._pieces, self._kept, [self._kept[at] for at in old], nulls, self._any)
        readers[nulls] = found
        return found

    @cached_property
    def _any(self) -> Read:
        return for_any(self._pieces, self._kept, self._bitmap)

    def _any_update(self, body: bytes, text: str, at: int, end: int, add: Callable[[Row], None]) -> int:
        """Read an old and a new image; see `values.code`."""
        return self._any(body, text, self._any(body, text, at, end, add), end, add)

    def _converted(self, rows: list[Row]) -> list[Row]:
        """Return rows in which the server's texts stand for those bytes that Python can't decode."""
        for place, charset in self._blocks:
            stored = [row[place] for row in rows]
            wanted = [value for value in stored if isinstance(value, bytes)]
            if not wanted:
                continue
            texts = dict(zip(wanted, self._convert(charset, wanted), strict=True))
            if None in texts.values():
                column = self._columns[self._kept[place]].column
                raise unreadable("" if column is None else column.name, charset)
            rows = [
                (*row[:place], texts[value], *row[place + 1 :]) if isinstance(value, bytes) else row
                for row, value in zip(rows, stored, strict=True)
            ]
        return rows


def _piece(column: LoggedColumn, convert: Convert, *, careful: bool) -> Piece:
    """Return the code for a column; values that are not part of rows are passed over."""
    if column.column is not None:
        return piece_of(column, convert, careful=careful)
    return piece_of(column._replace(character_set=BINARY), convert).passed_over
