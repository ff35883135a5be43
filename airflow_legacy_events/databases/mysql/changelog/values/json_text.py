"""MySQL's binary JSON as the text that the server makes of it.

Sources: MySQL's `sql/json_binary.h` (layout) and `sql-common/json_dom.cc` (text).
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from json.encoder import encode_basestring
from struct import Struct

from airflow_legacy_events.databases.mysql.changelog.values.floats import digits
from airflow_legacy_events.databases.mysql.changelog.values.opaque import OPAQUE

_LITERALS = ("null", "true", "false")
_SMALL, _LARGE = Struct("<HH"), Struct("<II")
_DEEPEST = 100
"""Levels that the servers allow."""

_NUMBERS: dict[int, Struct] = {
    5: Struct("<h"),
    6: Struct("<H"),
    7: Struct("<i"),
    8: Struct("<I"),
    9: Struct("<q"),
    10: Struct("<Q"),
}
_LINE, _BREAK = 76, "\\n"
"""Figures of a line in base64, and what ends it within a JSON string."""

_LITERAL, _DOUBLE, _STRING, _OPAQUE = 4, 11, 12, 15
_ARRAYS, _CONTAINERS = (2, 3), 4
_INLINE = {2: frozenset({4, 5, 6}), 4: frozenset({4, 5, 6, 7, 8})}
"""Types whose values stand in the place of their offset, by the size of that."""


def json_text(stored: bytes) -> str:
    """Return the text of a value.

    Raises:
        ValueError: it is damaged.
    """
    return _value(stored[0], stored, 1, _DEEPEST) if stored else "null"  # written by an INSERT IGNORE of NULL


def _value(type_: int, stored: bytes, at: int, depth: int) -> str:
    if type_ < _CONTAINERS:
        return _container(stored, at, depth, large=bool(type_ & 1), named=type_ not in _ARRAYS)
    if type_ == _STRING:
        size, at = _length(stored, at)
        return encode_basestring(_cut(stored, at, size).decode())
    if type_ == _LITERAL:
        return _LITERALS[stored[at]]
    if type_ in _NUMBERS:
        return str(_NUMBERS[type_].unpack_from(stored, at)[0])
    if type_ == _DOUBLE:
        return _double(Struct("<d").unpack_from(stored, at)[0])
    if type_ == _OPAQUE:
        size, begin = _length(stored, at + 1)
        return _opaque(stored[at], _cut(stored, begin, size))
    raise ValueError(f"a JSON value of type {type_}")


def _container(stored: bytes, begin: int, depth: int, *, large: bool, named: bool) -> str:
    if not depth:
        raise ValueError("a JSON value with too many levels")
    head = _LARGE if large else _SMALL
    width = head.size // 2
    count, size = head.unpack_from(stored, begin)
    inside = _cut(stored, begin, size)
    keys = begin + head.size
    values = keys + (width + 2) * count if named else keys
    if values + (width + 1) * count > begin + size:
        raise ValueError("a JSON value that is cut")
    found = [_entry(inside, values - begin + (width + 1) * at, width, depth) for at in range(count)]
    if not named:
        return f"[{', '.join(found)}]"
    names = (_name(inside, head.size + (width + 2) * at, width) for at in range(count))
    return f"{{{', '.join(f'{name}: {value}' for name, value in zip(names, found, strict=True))}}}"


def _entry(inside: bytes, at: int, width: int, depth: int) -> str:
    type_ = inside[at]
    if type_ in _INLINE[width]:
        return _value(type_, inside, at + 1, depth)
    offset = int.from_bytes(inside[at + 1 : at + 1 + width], "little")
    return _value(type_, inside, offset, depth - 1)


def _name(inside: bytes, at: int, width: int) -> str:
    offset = int.from_bytes(inside[at : at + width], "little")
    size = int.from_bytes(inside[at + width : at + width + 2], "little")
    return encode_basestring(_cut(inside, offset, size).decode())


def _length(stored: bytes, at: int) -> tuple[int, int]:
    """Return a length of seven bits a byte, and the place behind it."""
    size = 0
    for shift in range(0, 35, 7):
        byte = stored[at]
        at += 1
        size |= (byte & 127) << shift
        if byte < 128:  # noqa: PLR2004
            return size, at
    raise ValueError("a JSON value with a wrong length")


def _cut(stored: bytes, at: int, size: int) -> bytes:
    if at + size > len(stored):
        raise ValueError("a JSON value that is cut")
    return stored[at : at + size]


def _double(number: float) -> str:
    if not math.isfinite(number):
        raise ValueError("a JSON number that is none")
    text = digits(number)
    return text if "." in text or "e" in text else f"{text}.0"


def _opaque(type_: int, stored: bytes) -> str:
    read: Callable[[bytes], str] | None = OPAQUE.get(type_)
    if read is not None:
        return read(stored)
    figures = base64.b64encode(stored).decode()
    lines = (figures[at : at + _LINE] for at in range(0, len(figures), _LINE))
    return f'"base64:type{type_}:{_BREAK.join(lines)}"'
