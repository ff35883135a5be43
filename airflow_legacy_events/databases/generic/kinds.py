"""Column kinds, from SQLAlchemy's reflected types and from a driver's result description."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind

_MICROSECONDS = 6
# The first match counts: in SQLAlchemy a Float is also a Numeric, and an Enum also a String.
_TYPES: tuple[tuple[type[Any], Kind], ...] = (
    (sa.Boolean, Kind.BOOLEAN),
    (sa.Integer, Kind.INTEGER),
    (sa.Float, Kind.FLOAT),
    (sa.Numeric, Kind.DECIMAL),
    (sa.DateTime, Kind.TIMESTAMP),
    (sa.Date, Kind.DATE),
    (sa.Time, Kind.TIME),
    (sa.Uuid, Kind.UUID),
    (sa.JSON, Kind.JSON),
    (sa.String, Kind.TEXT),
    (sa.LargeBinary, Kind.BYTES),
    (sa.types._Binary, Kind.BYTES),  # noqa: SLF001  BINARY and VARBINARY share no public base
)
_ZONED = ("timezone", "local_timezone")
_CLASSES = {
    bool: Kind.BOOLEAN,
    int: Kind.INTEGER,
    float: Kind.FLOAT,
    Decimal: Kind.DECIMAL,
    str: Kind.TEXT,
    dt.date: Kind.DATE,
    dt.time: Kind.TIME,
    dt.datetime: Kind.TIMESTAMP,
    uuid.UUID: Kind.UUID,
    bytes: Kind.BYTES,
    bytearray: Kind.BYTES,
}


def kind_of_type(type_: Any) -> Kind | None:
    """Return the kind of a reflected column; None if it can't be carried.

    Times finer than a microsecond are not carried: Python truncates them, and a truncated watermark is below its row.
    """
    kind = next((kind for class_, kind in _TYPES if isinstance(type_, class_)), None)
    if kind in (Kind.TIMESTAMP, Kind.TIME) and (getattr(type_, "precision", None) or 0) > _MICROSECONDS:
        return None
    if kind is Kind.TIMESTAMP and (
        type_.__visit_name__ == "DATETIMEOFFSET" or any(getattr(type_, name, False) for name in _ZONED)
    ):
        return Kind.INSTANT
    return kind


def kind_of_code(dbapi: Any, described: Sequence[Any]) -> Kind | None:
    """Return the kind of a query's column; None if its driver leaves it open.

    Some drivers return a Python class as the type code. For all others, PEP 249 only makes text and bytes certain, and
    numbers whose precision and scale are reported.
    """
    code, precision, scale = described[1], described[4], described[5]
    if isinstance(code, type):
        return _CLASSES.get(code)
    if code is None:
        return None
    if code == dbapi.STRING:
        return Kind.TEXT
    if code == dbapi.BINARY:
        return Kind.BYTES
    if code == dbapi.NUMBER and precision and scale is not None:
        return Kind.INTEGER if scale == 0 else Kind.DECIMAL
    return None
