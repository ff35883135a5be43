"""Types of the columns that are made for messages."""

from __future__ import annotations

from typing import NamedTuple

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.ports.target import NewColumn

_LONGEST_VARCHAR = 1_000
_KEY_CHARACTERS = {False: 255, True: 191}
"""Characters of a key column of text: an index of old releases holds 767 bytes."""

_MOST_DIGITS, _MOST_SCALE, _SCALE, _MOST_SECOND_DIGITS = 65, 30, 30, 6
_PLAIN = {
    Kind.INTEGER: "bigint",
    Kind.FLOAT: "double",
    Kind.SINGLE: "float",
    Kind.BOOLEAN: "tinyint(1)",
    Kind.DATE: "date",
    Kind.UUID: "char(36) CHARACTER SET ascii COLLATE ascii_bin",
}
_TIMED = {Kind.TIME: "time", Kind.TIMESTAMP: "datetime", Kind.INSTANT: "datetime"}
"""An instant is a `datetime` in UTC: a `timestamp` ends in 2038."""


class Server(NamedTuple):
    """What the types depend on.

    Attributes:
        exact: collation that takes no two texts for one.
        old: whether an index takes short texts only.
        json: whether there is a type for JSON.
    """

    exact: str
    old: bool
    json: bool


def type_of(column: NewColumn, server: Server, *, in_key: bool) -> str:
    """Return the type of a new column."""
    if column.kind in _PLAIN:
        return _PLAIN[column.kind]
    if column.kind in _TIMED:
        digits = _MOST_SECOND_DIGITS if column.scale is None else min(column.scale, _MOST_SECOND_DIGITS)
        return f"{_TIMED[column.kind]}({digits})"
    if column.kind is Kind.DECIMAL:
        return _decimal(column)
    return _of_key(column, server) if in_key else _of_text(column, server)


def _of_key(column: NewColumn, server: Server) -> str:
    most = _KEY_CHARACTERS[server.old]
    length = min(column.length or most, most)
    return f"varbinary({length})" if column.kind is Kind.BYTES else f"varchar({length}) COLLATE {server.exact}"


def _of_text(column: NewColumn, server: Server) -> str:
    if column.kind in (Kind.JSON, Kind.ARRAY):
        return "json" if server.json else "longtext"
    of, long = ("varbinary", "longblob") if column.kind is Kind.BYTES else ("varchar", "longtext")
    return long if column.length is None or column.length > _LONGEST_VARCHAR else f"{of}({column.length})"


def _decimal(column: NewColumn) -> str:
    if column.precision is None:
        return f"decimal({_MOST_DIGITS},{_SCALE})"
    scale = max(0, column.scale or 0)
    return f"decimal({min(max(column.precision, scale, 1), _MOST_DIGITS)},{min(scale, _MOST_SCALE)})"
