"""Readers of the binlog's row images, generated for the columns of one table map.

No name of the source enters the generated code, only numbers. Images with NULL in the same columns are read by code of
their own, so that values of a fixed size that follow each other are read at once.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

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
from airflow_legacy_events.databases.mysql.changelog.values.code import for_any, for_nulls
from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece
from airflow_legacy_events.databases.mysql.changelog.values.strings import BINARY

_MOST_READERS = 256
_MOST_PATTERNS = 24
"""Different columns with NULL that get code of their own; others share slower code."""

_DAMAGES = (struct.error, LookupError, ArithmeticError, ValueError)
_Read: TypeAlias = Callable[[bytes, str, int, int, Callable[[Row], None]], int]


@lru_cache(_MOST_READERS)
def _reader(raw: bytes, columns: tuple[LoggedColumn, ...], convert: Convert) -> Reader:  # noqa: ARG001
    return Reader(columns, convert)


def row_reader(map_: TableMap, columns: Sequence[LoggedColumn], convert: Convert) -> RowReader:
    """Return the reader of a table map's images; the same one for equal maps and columns.

    Args:
        map_: of the table.
        columns: all columns of the map.
        convert: converts texts by the server; see `character_sets.Conversion`.

    Raises:
        UnreadableValueError: the type of a column is not known.
    """
    return _reader(map_.raw, tuple(columns), convert)


class Reader:
    """See `model.RowReader`."""

    def __init__(self, columns: Sequence[LoggedColumn], convert: Convert) -> None:
        self._columns, self._convert = columns, convert
        self._pieces = [_piece(column, convert) for column in columns]
        self._bitmap = (len(columns) + 7) // 8
        self._patterns: dict[bytes, _Read] = {}
        self._any: _Read | None = None
        kept = (piece for piece, column in zip(self._pieces, columns, strict=True) if column.column is not None)
        self._blocks = [(place, piece.block) for place, piece in enumerate(kept) if piece.block is not None]

    def images(self, event: RowsEvent) -> list[Row]:
        """See `model.RowReader.images`."""
        body, at = event.body, event.at
        end, size, patterns, rows = len(body), self._bitmap, self._patterns, list[Row]()
        text, add = str(body, "latin-1"), rows.append
        try:
            while at < end:
                nulls = body[at : at + size]
                read = patterns.get(nulls) or self._read(nulls)
                at = read(body, text, at, end, add)
        except _DAMAGES:
            raise ValueError("a rows event with values that are none of their types") from None
        if at != end:
            raise ValueError("a rows event whose values end behind it")
        return self._converted(rows) if self._blocks else rows

    def _read(self, nulls: bytes) -> _Read:
        if len(self._patterns) < _MOST_PATTERNS:
            found = self._patterns[nulls] = for_nulls(self._pieces, self._kept, nulls)
            return found
        if self._any is None:
            self._any = for_any(self._pieces, self._kept, self._bitmap)
        return self._any

    @property
    def _kept(self) -> list[int]:
        return [place for place, column in enumerate(self._columns) if column.column is not None]

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


def _piece(column: LoggedColumn, convert: Convert) -> Piece:
    """Return the code for a column; values that are not part of rows are passed over."""
    if column.column is not None:
        return piece_of(column, convert)
    return piece_of(column._replace(character_set=BINARY), convert)._replace(lines=(), block=None)
