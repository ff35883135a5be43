"""Which code reads the values of a column."""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.databases.mysql.changelog.model import Convert, LoggedColumn, UnreadableValueError
from airflow_legacy_events.databases.mysql.changelog.values import moments, numbers, old_moments, strings
from airflow_legacy_events.databases.mysql.changelog.values.addresses import ADDRESSES
from airflow_legacy_events.databases.mysql.changelog.values.json_text import json_text
from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece
from airflow_legacy_events.databases.mysql.changelog.values.strings import BINARY

_INTEGERS = {1: 1, 2: 2, 9: 3, 3: 4, 8: 8}
"""Bytes by type code."""

_PLAIN: dict[int, Callable[[LoggedColumn], Piece]] = {
    4: lambda _: numbers.single(),
    5: lambda one: numbers.double(one.declared),
    7: lambda one: old_moments.timestamp(one.declared),
    10: lambda _: moments.date(),
    11: lambda one: old_moments.time(one.declared),
    12: lambda one: old_moments.datetime(one.declared),
    13: lambda _: numbers.year(),
    14: lambda _: moments.date(),
    16: lambda one: numbers.bit(one.metadata),
    17: lambda one: moments.timestamp(one.metadata),
    18: lambda one: moments.datetime(one.metadata),
    19: lambda one: moments.time(one.metadata),
    242: lambda one: strings.binary(one.metadata),
    245: lambda one: strings.read_by(one.metadata, json_text),
    246: lambda one: numbers.decimal(one.metadata & 255, one.metadata >> 8),
    247: lambda one: strings.enum(one.metadata, one.labels),
    248: lambda one: strings.set_(one.metadata, one.labels),
    255: lambda one: strings.geometry(one.metadata),
}
_CHAR, _VARCHARS, _BLOBS = 254, (15, 253), (249, 250, 251, 252)
_BLOB_COMPRESSED, _VARCHAR_COMPRESSED = 140, 141


def piece_of(column: LoggedColumn, convert: Convert) -> Piece:
    """Return the code that reads the values of a column.

    Raises:
        UnreadableValueError: its type is not known.
    """
    if column.type in _INTEGERS:
        return numbers.integer(_INTEGERS[column.type], unsigned=column.unsigned)
    if (made := _PLAIN.get(column.type)) is not None:
        return made(column)
    name = "" if column.column is None else column.column.name
    charset = column.character_set or BINARY
    if column.type in (_BLOB_COMPRESSED, _VARCHAR_COMPRESSED):
        size = column.metadata if column.type == _BLOB_COMPRESSED else strings.prefix(column.metadata)
        return strings.compressed(size, charset, convert, name)
    if column.type in _BLOBS:
        size = column.metadata
    elif column.type in (_CHAR, *_VARCHARS):
        size = strings.prefix(column.metadata)
    else:
        raise UnreadableValueError(f"column {name!r} has type {column.type} of the binlog, which is not known")
    if (read := ADDRESSES.get(column.declared or "")) is not None:
        return strings.read_by(size, read)
    if charset == BINARY:
        return strings.binary(size, column.metadata if column.type == _CHAR else 0)
    return strings.text(size, charset, convert, name)
