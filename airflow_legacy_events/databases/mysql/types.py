"""MySQL and MariaDB types, with lossless expressions to select and compare their values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import sqlalchemy as sa
from MySQLdb.constants import FIELD_TYPE, FLAG

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.singles import shortest, single
from airflow_legacy_events.databases.errors import became_null

Spell = Callable[[Any], Any]


class Type(NamedTuple):
    """A column type.

    Attributes:
        kind: None if it can't be carried.
        name: the database's own.
        spell: returns the expression to select instead of the column; None: the column itself.
    """

    kind: Kind | None
    name: str
    spell: Spell | None = None


def _times_one(column: Any) -> Any:
    return column * sa.literal_column("1e0")  # + 0e0 would lose the sign of -0


def _plus(zero: str) -> Spell:
    return lambda column: column + sa.literal_column(zero)


def _in_utc(column: Any) -> Any:
    return sa.func.concat(column, sa.literal_column("'+00'"))


def _wkb(column: Any) -> Any:
    """Return a spatial value as stored, without the four bytes of its SRID; MySQL 8's ST_AsWKB swaps axes."""
    return sa.func.substr(sa.cast(column, sa.LargeBinary), sa.literal_column("5"))


def _digits(bits: int) -> Spell:
    return lambda column: sa.func.lpad(sa.func.bin(column), sa.literal_column(str(bits)), sa.literal_column("'0'"))


_LENGTH_AND_POINT = len("2026-01-01 00:00:00.")
JSON = Type(Kind.JSON, "json")
BOOLEAN = Type(Kind.INTEGER, "tinyint(1)")
"""The type that `boolean` creates; it stores numbers."""

# A FLOAT is displayed with six digits; the DOUBLE that it equals has all of them.
_PLAIN = {
    FIELD_TYPE.TINY: Type(Kind.INTEGER, "tinyint"),
    FIELD_TYPE.SHORT: Type(Kind.INTEGER, "smallint"),
    FIELD_TYPE.INT24: Type(Kind.INTEGER, "mediumint"),
    FIELD_TYPE.LONG: Type(Kind.INTEGER, "int"),
    FIELD_TYPE.LONGLONG: Type(Kind.INTEGER, "bigint"),
    FIELD_TYPE.YEAR: Type(Kind.INTEGER, "year", _plus("0")),
    FIELD_TYPE.DECIMAL: Type(Kind.DECIMAL, "decimal"),
    FIELD_TYPE.NEWDECIMAL: Type(Kind.DECIMAL, "decimal"),
    FIELD_TYPE.FLOAT: Type(Kind.SINGLE, "float", _times_one),
    FIELD_TYPE.DOUBLE: Type(Kind.FLOAT, "double"),
    FIELD_TYPE.DATE: Type(Kind.DATE, "date"),
    FIELD_TYPE.TIME: Type(Kind.TIME, "time"),
    FIELD_TYPE.DATETIME: Type(Kind.TIMESTAMP, "datetime"),
    FIELD_TYPE.TIMESTAMP: Type(Kind.INSTANT, "timestamp", _in_utc),
    FIELD_TYPE.JSON: JSON,
    FIELD_TYPE.NULL: Type(Kind.TEXT, "null"),
    FIELD_TYPE.GEOMETRY: Type(Kind.BYTES, "geometry", _wkb),
    242: Type(Kind.BYTES, "vector"),  # the driver has no name for it
}
_STRINGS = {
    FIELD_TYPE.STRING: ("char", "binary"),
    FIELD_TYPE.VAR_STRING: ("varchar", "varbinary"),
    FIELD_TYPE.VARCHAR: ("varchar", "varbinary"),
    FIELD_TYPE.TINY_BLOB: ("tinytext", "tinyblob"),
    FIELD_TYPE.BLOB: ("text", "blob"),
    FIELD_TYPE.MEDIUM_BLOB: ("mediumtext", "mediumblob"),
    FIELD_TYPE.LONG_BLOB: ("longtext", "longblob"),
}
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.SINGLE})
# ORDER BY uses the member's number, a comparison its text. JSON has its own comparison rules.
_WITHOUT_ORDER = frozenset({"enum", "set", "json", "geometry", "vector"})


def type_of(code: int, length: int, flags: int, converter: Any) -> Type:
    """Return the type of a result column.

    Args:
        code: of `FIELD_TYPE`.
        length: of its values; for a `bit`, the number of bits.
        flags: of `FLAG`.
        converter: the driver's converter for its values: `bytes` for binary ones.
    """
    if code in _STRINGS:
        text, binary = _STRINGS[code]
        if flags & (FLAG.ENUM | FLAG.SET):
            return Type(Kind.TEXT, "enum" if flags & FLAG.ENUM else "set")
        return Type(Kind.BYTES, binary) if converter is bytes else Type(Kind.TEXT, text)
    if code == FIELD_TYPE.BIT:
        return Type(Kind.TEXT, "bit", _digits(length))
    found = BOOLEAN if code == FIELD_TYPE.TINY and length == 1 else _PLAIN.get(code, Type(None, f"type {code}"))
    if found.kind not in _NUMBERS or code == FIELD_TYPE.YEAR:
        return found
    if flags & FLAG.ZEROFILL:
        return Type(found.kind, f"{found.name} unsigned zerofill", found.spell or _plus("0"))
    return found._replace(name=f"{found.name} unsigned") if flags & FLAG.UNSIGNED else found


def described(session: Any, statement: str, parameters: Any) -> list[tuple[str, Type, int]]:
    """Return names, types and maximum lengths in bytes of a statement's columns.

    The driver's converter distinguishes text from binary.
    """
    literals = tuple(session.connection.literal(value) for value in parameters)
    session.connection.query(statement.encode() % literals)
    result = session.connection.use_result()
    result.fetch_row(0)
    return of_result(result)


def of_result(result: Any) -> list[tuple[str, Type, int]]:
    """Return names, types and maximum lengths in bytes of a driver's result."""
    columns = zip(result.describe(), result.field_flags(), result.converter, strict=True)
    return [
        (field[0], type_of(field[1], field[3], flags, converter), field[3] % 2**32)  # the driver returns it signed
        for field, flags, converter in columns
    ]


def digits(columns: Sequence[tuple[str, Type, int]]) -> dict[str, int]:
    """Return the fractional-second digits of each temporal column, from its maximum length; see `described`."""
    times = ((name, length) for name, type_, length in columns if type_.kind in (Kind.TIMESTAMP, Kind.INSTANT))
    return {name: max(0, length - _LENGTH_AND_POINT) for name, length in times}


def text(value: Any, column: Column) -> str:
    """Return a value's text for the watermark: as it is read, or in hex for binary values.

    Raises:
        ConfigurationError: the type's sort order differs from its comparisons.
        SourceError: the value is NULL.
    """
    if value is None:
        raise became_null(column)
    if column.type in _WITHOUT_ORDER:
        raise ConfigurationError(
            f"column {column.name!r} is {column.type}, which is sorted differently than it is compared, so it can't be"
            f" a watermark or key column; nothing was read. Use sql= with CAST({column.name} AS CHAR) AS {column.name},"
            " or name other columns"
        )
    if column.kind is Kind.SINGLE:
        return shortest(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def bind(text: str, column: Column) -> Any:
    """Return a watermark text's value as a literal that compares exactly.

    A quoted number would be compared as a rounded DOUBLE.

    Raises:
        ValueError: the text is not a value of the column's kind.
    """
    reader = _bits if column.type == "bit" else _READERS.get(column.kind)
    return text if reader is None else reader(text)


def _bits(text: str) -> int:
    return int(text, 2)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError("no number") from error


def _single(text: str) -> float:
    """Return the double that equals the column's number: the servers compare a FLOAT as a double."""
    return single(float(text))


def _utc(text: str) -> str:
    """Return a point in time as written by a session in UTC."""
    if text.endswith("+00"):
        return text[:-3]
    moment = dt.datetime.fromisoformat(text)
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ") if moment.tzinfo else text


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.INTEGER: int,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: float,
    Kind.SINGLE: _single,
    Kind.BYTES: bytes.fromhex,
    Kind.INSTANT: _utc,
}
