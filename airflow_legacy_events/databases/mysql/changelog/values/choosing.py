"""Which code reads the values of a column."""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.databases.mysql.changelog.binlog import column_types as codes
from airflow_legacy_events.databases.mysql.changelog.model import Convert, LoggedColumn, UnreadableValueError
from airflow_legacy_events.databases.mysql.changelog.values import moments, numbers, old_moments, strings
from airflow_legacy_events.databases.mysql.changelog.values.addresses import ADDRESSES
from airflow_legacy_events.databases.mysql.changelog.values.json_text import json_text
from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece
from airflow_legacy_events.databases.mysql.changelog.values.strings import BINARY

_INTEGERS = {codes.TINY: 1, codes.SHORT: 2, codes.INT24: 3, codes.LONG: 4, codes.LONGLONG: 8}
"""Bytes by type code."""

_PLAIN: dict[int, Callable[[LoggedColumn], Piece]] = {
    codes.FLOAT: lambda _: numbers.single(),
    codes.DOUBLE: lambda one: numbers.double(one.declared),
    codes.TIMESTAMP: lambda one: old_moments.timestamp(one.declared),
    codes.DATE: lambda _: moments.date(),
    codes.TIME: lambda one: old_moments.time(one.declared),
    codes.DATETIME: lambda one: old_moments.datetime(one.declared),
    codes.YEAR: lambda _: numbers.year(),
    codes.NEWDATE: lambda _: moments.date(),
    codes.BIT: lambda one: numbers.bit(one.metadata),
    codes.TIMESTAMP2: lambda one: moments.timestamp(one.metadata),
    codes.DATETIME2: lambda one: moments.datetime(one.metadata),
    codes.TIME2: lambda one: moments.time(one.metadata),
    codes.VECTOR: lambda one: strings.binary(one.metadata),
    codes.JSON: lambda one: strings.read_by(one.metadata, json_text),
    codes.NEWDECIMAL: lambda one: numbers.decimal(one.metadata >> 8, one.metadata & 255),
    codes.ENUM: lambda one: strings.enum(one.metadata, one.labels),
    codes.SET: lambda one: strings.set_(one.metadata, one.labels),
    codes.GEOMETRY: lambda one: strings.geometry(one.metadata),
}
_BLOBS = (codes.TINY_BLOB, codes.BLOB, codes.MEDIUM_BLOB, codes.LONG_BLOB)


def piece_of(column: LoggedColumn, convert: Convert, *, careful: bool = False) -> Piece:
    """Return the code that reads the values of a column.

    Args:
        column: of the table.
        convert: converts texts by the server.
        careful: name the column in the error of a value that is no text; slower.

    Raises:
        UnreadableValueError: its type is not known.
    """
    if column.type in _INTEGERS:
        return numbers.integer(_INTEGERS[column.type], unsigned=column.unsigned)
    if (made := _PLAIN.get(column.type)) is not None:
        return made(column)
    name = "" if column.column is None else column.column.name
    charset = column.character_set or BINARY
    if column.type in (codes.BLOB_COMPRESSED, codes.VARCHAR_COMPRESSED):
        size = column.metadata if column.type == codes.BLOB_COMPRESSED else strings.prefix(column.metadata)
        return strings.compressed(size, charset, convert, name)
    if column.type in _BLOBS:
        size = column.metadata
    elif column.type in (codes.STRING, codes.VARCHAR):
        size = strings.prefix(column.metadata)
    else:
        raise UnreadableValueError(f"column {name!r} has type {column.type} of the binlog, which is not known")
    if (read := ADDRESSES.get(column.declared or "")) is not None:
        return strings.read_by(size, read)
    if charset == BINARY:
        return strings.binary(size, column.metadata if column.type == codes.STRING else 0)
    return strings.text(size, charset, convert, name if careful else None)
