"""JSON documents for columns that are no JSON: what Debezium and Maxwell write for pairs, points, sets and the like.

https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-data-types
https://debezium.io/documentation/reference/stable/connectors/mysql.html#mysql-data-types
"""

from __future__ import annotations

import binascii
import math
import re
import struct
from collections.abc import Callable, Mapping

import msgspec

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.envelopes.decoders.values.unfit import UnfitError

_BASE = re.compile(r'(?:"?\w+"?\.)?"?([a-z ]+)"?')
_SPATIAL = (
    *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
    *("geometrycollection", "geomcollection"),
)


class _Point(msgspec.Struct):
    x: float
    y: float


class _Geometry(msgspec.Struct):
    wkb: str
    srid: int | None = None


_PAIRS = msgspec.json.Decoder(dict[str, str | None])
_MEMBERS = msgspec.json.Decoder(list[str])
_POINTS = msgspec.json.Decoder(_Point)
_GEOMETRIES = msgspec.json.Decoder(_Geometry)
_NUMBERS = msgspec.json.Decoder(list[float])


def base_of(column: TargetColumn) -> str:
    """Return the name of a column's type, or of its elements' type, without schema and length."""
    found = _BASE.match(column.type)
    return "" if found is None else found[1].strip()


def from_document(column: TargetColumn) -> Callable[[str], str] | None:
    """Return what makes the text of a column from a document; None if the column takes documents as they are.

    It raises UnfitError for a document of another form.
    """
    convert = _READINGS.get((column.kind, base_of(column)))
    if convert is None:
        return None

    def read(document: str) -> str:
        try:
            return convert(document)
        except (msgspec.DecodeError, ValueError, OverflowError):
            raise UnfitError(f"it is no {base_of(column)} as a document") from None

    return read


def _pairs(document: str) -> str:
    pairs = _PAIRS.decode(document).items()
    return ",".join(f"{_quoted(key)}=>{'NULL' if one is None else _quoted(one)}" for key, one in pairs)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _members(document: str) -> str:
    return ",".join(_MEMBERS.decode(document))


def _point(document: str) -> str:
    found = _POINTS.decode(document)
    return f"({found.x!r},{found.y!r})"


def _geometry(document: str) -> str:
    found = _GEOMETRIES.decode(document)
    if found.srid:
        raise UnfitError("it has an SRID, and a row takes that of its column")
    return rf"\x{binascii.a2b_base64(found.wkb.encode('ascii'), strict_mode=True).hex()}"


def _vector(document: str) -> str:
    numbers = _NUMBERS.decode(document)
    packed = struct.pack(f"<{len(numbers)}f", *numbers)
    if any(map(math.isinf, struct.unpack(f"<{len(numbers)}f", packed))):
        raise ValueError("no finite vector")
    return rf"\x{packed.hex()}"


_READINGS: Mapping[tuple[Kind, str], Callable[[str], str]] = {
    (Kind.TEXT, "hstore"): _pairs,
    (Kind.TEXT, "point"): _point,
    (Kind.TEXT, "set"): _members,
    (Kind.BYTES, "vector"): _vector,
    **{(Kind.BYTES, name): _geometry for name in _SPATIAL},
}
