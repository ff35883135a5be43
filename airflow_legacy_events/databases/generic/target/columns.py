"""Columns of a table that is written to, from SQLAlchemy's inspector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.ports.target import NewColumn
from airflow_legacy_events.databases.generic.kinds import kind_of_type

_SMALL, _WHOLE, _BIG = 15, 31, 63
_FIREBIRD_DIGITS, _DIGITS = 4, 6
_KEY_LENGTH = 250
_TIMES = frozenset({Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT})


def is_firebird(dialect: sa.Dialect) -> bool:
    """Return whether a dialect is Firebird's, whose name holds that of its driver."""
    return dialect.name.partition(".")[0] == "firebird"


def column_of(found: Mapping[str, Any], dialect: sa.Dialect) -> TargetColumn:
    """Return a column of the inspector's list; a type that is not known takes texts."""
    type_ = found["type"]
    kind = Kind.BYTES if _is_of_octets(type_) else kind_of_type(type_) or Kind.TEXT
    identity = found.get("identity") or {}
    numbered = bool(identity) or found.get("autoincrement") is True
    low, high = _range(type_, kind)
    scale = _digits_of_a_second(type_, dialect) if kind in _TIMES else getattr(type_, "scale", None)
    return TargetColumn(
        found["name"],
        kind,
        _named(type_, dialect),
        nullable=bool(found.get("nullable", True)),
        has_default=found.get("default") is not None or numbered,
        written=not found.get("computed") and not identity.get("always"),
        numbered=numbered,
        low=low,
        high=high,
        precision=getattr(type_, "precision", None) if kind is Kind.DECIMAL else None,
        scale=scale if kind is Kind.DECIMAL or kind in _TIMES else None,
        length=getattr(type_, "length", None) if kind in (Kind.TEXT, Kind.BYTES) else None,
    )


def type_of(column: NewColumn, dialect: sa.Dialect, *, in_key: bool) -> str:
    """Return the type of a new column.

    Without sizes, a text of a key has 250 characters, and a decimal 18 digits, 6 of them behind the point.
    """
    type_: Any = _new_type(column, in_key=in_key)
    if is_firebird(dialect) and column.kind is Kind.INSTANT and (dialect.server_version_info or (0,)) < (4,):
        type_ = sa.TIMESTAMP()  # releases before 4 have no time zones
    return str(type_.compile(dialect=dialect))


def _new_type(column: NewColumn, *, in_key: bool) -> Any:
    kind = column.kind
    if kind in (Kind.TEXT, Kind.JSON, Kind.ARRAY, Kind.ANY, Kind.MONEY):
        length = column.length or (_KEY_LENGTH if in_key else None)
        return sa.Text() if length is None else sa.String(length)
    if kind is Kind.BYTES:
        return sa.VARBINARY(column.length or _KEY_LENGTH) if in_key else sa.LargeBinary()
    if kind is Kind.DECIMAL:
        return sa.Numeric(18, 6) if column.precision is None else sa.Numeric(column.precision, column.scale)
    return {
        Kind.INTEGER: sa.BigInteger(),
        Kind.FLOAT: sa.DOUBLE_PRECISION(),
        Kind.SINGLE: sa.REAL(),
        Kind.BOOLEAN: sa.Boolean(),
        Kind.DATE: sa.Date(),
        Kind.TIME: sa.Time(),
        Kind.TIMESTAMP: sa.TIMESTAMP(),
        Kind.INSTANT: sa.TIMESTAMP(timezone=True),
        Kind.UUID: sa.CHAR(36),
    }[kind]


def _is_of_octets(type_: Any) -> bool:
    """Return whether a text type of Firebird holds bytes."""
    return str(getattr(type_, "charset", None)).upper() == "OCTETS"


def _range(type_: Any, kind: Kind) -> tuple[int | None, int | None]:
    if kind is not Kind.INTEGER:
        return None, None
    name = type(type_).__name__.upper()
    if "128" in name:
        return None, None
    is_big, is_small = "BIG" in name or "INT64" in name, "SMALL" in name
    bits = _BIG if is_big else _SMALL if is_small else _WHOLE
    return -(2**bits), 2**bits - 1


def _digits_of_a_second(type_: Any, dialect: sa.Dialect) -> int:
    if is_firebird(dialect):
        return _FIREBIRD_DIGITS
    found = getattr(type_, "precision", None)
    return _DIGITS if found is None else min(int(found), _DIGITS)


def _named(type_: Any, dialect: sa.Dialect) -> str:
    try:
        return str(type_.compile(dialect=dialect))
    except sa.exc.CompileError:
        return type(type_).__name__
