"""Geometries as well-known text, from the well-known binary that the servers store.

https://www.ogc.org/standards/sfa
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from decimal import Decimal

_POINT, _LINE, _POLYGON, _POINTS, _LINES, _POLYGONS, _COLLECTION = range(1, 8)
_NAMES = {
    _POINT: "POINT",
    _LINE: "LINESTRING",
    _POLYGON: "POLYGON",
    _POINTS: "MULTIPOINT",
    _LINES: "MULTILINESTRING",
    _POLYGONS: "MULTIPOLYGON",
    _COLLECTION: "GEOMETRYCOLLECTION",
}
_DEEPEST = 100
"""Maximum nesting of collections."""


def well_known_text(wkb: bytes) -> str:
    """Return a geometry as text, such as `POINT (1 2.5)`.

    Raises:
        ValueError: it is no geometry of two dimensions.
    """
    reader = _Reader(wkb)
    found = reader.geometry(_DEEPEST)
    if not reader.at_end:
        raise ValueError("bytes behind the geometry")
    return found


class _Reader:
    """Reads one value from its beginning."""

    def __init__(self, wkb: bytes) -> None:
        self._wkb, self._at, self._order = wkb, 0, "<"

    @property
    def at_end(self) -> bool:
        return self._at == len(self._wkb)

    def geometry(self, depth: int) -> str:
        """Return a geometry with its name."""
        kind, body = self._body(depth)
        return f"{_NAMES[kind]} {body}"

    def _body(self, depth: int) -> tuple[int, str]:
        kind = self._head()
        if not depth:
            raise ValueError("nested too deeply")
        if kind == _POINT:
            return kind, f"({self._point()})"
        inner = self._inner(kind, depth - 1)
        parts = [inner() for _ in range(self._count())]
        return kind, f"({', '.join(parts)})" if parts else "EMPTY"

    def _inner(self, kind: int, depth: int) -> Callable[[], str]:
        """Return what reads a part of a geometry."""
        if kind == _LINE:
            return self._point
        if kind == _POLYGON:
            return self._ring
        if kind == _COLLECTION:
            return lambda: self.geometry(depth)
        return lambda: self._body(depth)[1]

    def _ring(self) -> str:
        return f"({', '.join([self._point() for _ in range(self._count())])})"

    def _head(self) -> int:
        (order,) = self._take("B")
        self._order = "<" if order else ">"
        (kind,) = self._take("I")
        if order > 1 or kind not in _NAMES:
            raise ValueError("no geometry of two dimensions")
        return int(kind)

    def _point(self) -> str:
        return " ".join(map(_number, self._take("dd")))

    def _count(self) -> int:
        (count,) = self._take("I")
        return int(count)

    def _take(self, layout: str) -> tuple[float, ...]:
        form = struct.Struct(self._order + layout)
        try:
            found = form.unpack_from(self._wkb, self._at)
        except struct.error:
            raise ValueError("the geometry is cut") from None
        self._at += form.size
        return found


def _number(value: float) -> str:
    """Return a coordinate without an exponent."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
