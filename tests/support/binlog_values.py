"""Rows events of the binlog, made of bytes, for tests of the reader of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.databases.mysql.changelog.model import LoggedColumn, RowsEvent, TableMap
from airflow_legacy_events.databases.mysql.changelog.rows import row_reader


def column(type_: int, metadata: int = 0, **options: Any) -> LoggedColumn:
    """Column `c` of a type of the log."""
    return LoggedColumn(Column("c", Kind.TEXT, "text"), type_, metadata, **options)


def table_map(columns: Sequence[LoggedColumn], table: str = "t") -> TableMap:
    """The map of a table of these columns."""
    nothing = (None,) * len(columns)
    types, metadata = tuple(one.type for one in columns), tuple(one.metadata for one in columns)
    raw = repr((table, columns)).encode()
    nullable = (True,) * len(columns)
    return TableMap(1, "d", table, types, metadata, nullable, None, None, None, nothing, None, None, raw)


def rows_event(body: bytes, width: int, op: str = "c") -> RowsEvent:
    """An event that holds these images."""
    every = ((1 << width) - 1).to_bytes((width + 7) // 8, "little")
    return RowsEvent(1, op, True, width, every, every, body, 0)


def images(
    columns: Sequence[LoggedColumn], body: bytes, op: str, old: tuple[int, ...] | None = None, convert: Any = None
) -> list[tuple[Any, ...]]:
    """The images of an event; see `RowReader.images`."""
    reader = row_reader(table_map(columns), columns, convert or unconverted)
    return reader.images(rows_event(body, len(columns), op), old)


def unconverted(charset: str, values: Sequence[bytes]) -> Sequence[str | None]:
    """Converts bytes as latin-1 does, whatever the character set."""
    return [value.decode("latin-1") for value in values]


def read(columns: Sequence[LoggedColumn], body: bytes, convert: Any = unconverted) -> list[tuple[Any, ...]]:
    """The rows of an event."""
    return row_reader(table_map(columns), columns, convert).images(rows_event(body, len(columns)))


def value(one: LoggedColumn, stored: bytes, convert: Any = unconverted) -> Any:
    """The value that an image of one column holds."""
    [(found,)] = read([one], b"\x00" + stored, convert)
    return found
