"""Values of each type as Debezium writes them by default, from the texts of MariaDB and MySQL.

https://debezium.io/documentation/reference/stable/connectors/mysql.html#mysql-data-types
"""

from __future__ import annotations

import math
from base64 import b64encode
from binascii import unhexlify
from collections.abc import Callable
from struct import Struct, unpack
from typing import Any

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.model import Formats
from airflow_legacy_events.core.singles import shortest
from airflow_legacy_events.envelopes import numbers, texts
from airflow_legacy_events.envelopes.codecs import codec_for
from airflow_legacy_events.envelopes.column_codec import Codec, Forms, InvalidValueError
from airflow_legacy_events.envelopes.debezium.binlog_times import temporal_codec
from airflow_legacy_events.envelopes.debezium.decimals import float_codec, pointed, unscaled
from airflow_legacy_events.envelopes.debezium.mapping import mapped
from airflow_legacy_events.envelopes.timestamps import Clock

_SIGNED = 2**63
_FLOAT_BYTES = 4
_POINTS = {b"\x01\x01\x00\x00\x00": Struct("<5xdd"), b"\x00\x00\x00\x00\x01": Struct(">5xdd")}
"""How the well-known binary of a point is read, by its first bytes."""


def codec_of(column: Column, *, precise: bool) -> Codec:
    """Return the codec of a column.

    Args:
        column: with the database's name of its type.
        precise: whether decimals are bytes; else texts.
    """
    if column.kind is Kind.DECIMAL:
        return mapped(unscaled(column)) if precise else numbers.DECIMAL
    if column.type == "bit":
        return mapped(_bits)
    if column.type.startswith("bigint unsigned"):
        return _each(numbers.INTEGER, _long)
    if column.type in _OF_BYTES:
        return _each(codec_for(Kind.BYTES, _UTC, Formats()), _OF_BYTES[column.type])
    if (codec := temporal_codec(column)) is not None:
        return codec
    return _CODECS.get(column.kind) or codec_for(column.kind, _UTC, Formats())


def _each(codec: Codec, write: Callable[[Any], str]) -> Codec:
    """Return a codec whose texts are those of another, and whose JSON is made of each value."""

    def one(value: Any) -> tuple[str, str]:
        return codec.one(value)[0], write(value)

    def block(values: Any) -> Forms | None:
        found = codec.block(values)
        return None if found is None else (found[0], list(map(write, values)))

    return Codec(block, one, plain=False)


def _bits(text: str) -> str:
    """Return a single bit as a boolean, several as bytes in base64 from the lowest one on."""
    if not text or text.strip("01"):
        raise ValueError("no bits")
    number = int(text, 2)
    if len(text) == 1:
        return "true" if number else "false"
    return f'"{b64encode(number.to_bytes((len(text) + 7) // 8, "little")).decode()}"'


def _long(value: str | int) -> str:
    """Return an integer as the signed one of 64 bits that Java has for it."""
    return str((int(value) + _SIGNED) % (2 * _SIGNED) - _SIGNED)


def _raw(value: str | bytes) -> bytes:
    return unhexlify(value[2:]) if isinstance(value, str) else value


def _vector(value: str | bytes) -> str:
    """Return a VECTOR of MySQL as an array of four-byte floats."""
    raw = _raw(value)
    if len(raw) % _FLOAT_BYTES:
        raise InvalidValueError
    found = unpack(f"<{len(raw) // _FLOAT_BYTES}f", raw)
    if not all(map(math.isfinite, found)):
        raise InvalidValueError
    return f"[{','.join(pointed(shortest(repr(one))) for one in found)}]"


def _geometry(value: str | bytes) -> str:
    """Return a geometry with its well-known binary, a point with its coordinates too."""
    wkb = _raw(value)
    written = f'"wkb":"{b64encode(wkb).decode()}","srid":null}}'
    layout = _POINTS.get(wkb[:5])
    if layout is None or len(wkb) != layout.size:
        return "{" + written
    x, y = layout.unpack(wkb)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InvalidValueError
    return f'{{"x":{x!r},"y":{y!r},{written}'


_UTC = Clock("UTC")
_OF_BYTES = {"geometry": _geometry, "vector": _vector}
_CODECS = {
    Kind.UUID: texts.TEXT,
    Kind.JSON: texts.TEXT,
    Kind.FLOAT: float_codec(numbers.FLOAT),
    Kind.SINGLE: float_codec(numbers.SINGLE),
}
