"""Declared types of columns, as the catalog writes them: how the log stores them, and what their values mean."""

from __future__ import annotations

import re
from typing import NamedTuple

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.databases.mysql.changelog.model import TableMap
from airflow_legacy_events.databases.mysql.types import BOOLEAN, JSON, Type

_TYPE = re.compile(r"(?P<base>[a-z0-9_]+(?: precision)?)(?:\((?P<sizes>.*)\))?(?P<rest>[^()]*)", re.DOTALL)
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_PLAIN = {"\\\\": "\\", "\\0": "\0", "\\n": "\n", "\\r": "\r", "''": "'"}
_ESCAPED = re.compile(r"\\[\\0nr]|''")
"""What the catalog writes in a label for some characters, whatever the SQL mode (`append_unescaped`)."""

_ESCAPES = {character: escaped for escaped, character in _PLAIN.items()}
_TO_ESCAPE = re.compile(r"[\\\0\n\r']")

_BEYOND = re.compile("[\U00010000-\U0010ffff]")
"""Characters that the catalog shows as `?`."""

_INTEGERS = {"tinyint": 1, "smallint": 2, "mediumint": 9, "int": 3, "bigint": 8}
_BLOB_BYTES = {"tiny": 1, "": 2, "medium": 3, "long": 4}
_TEXTS, _BLOBS = ({f"{size}{one}": size for size in _BLOB_BYTES} for one in ("text", "blob"))
_SPATIAL = frozenset(
    {
        *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
        *("geometrycollection", "geomcollection"),
    }
)
_VARYING, _LONG = (15, 141, 253), (140, 249, 250, 251, 252)
_DECIMAL, _BIT, _FIXED, _ENUM, _SET, _BLOB, _VARCHAR = 246, 16, 254, 247, 248, 252, 15
_STRINGS = ("char", "varchar", "binary", "varbinary")
_YEAR = 13
_CODES: dict[str, tuple[int, ...]] = {
    **{name: (code,) for name, code in _INTEGERS.items()},
    **dict.fromkeys((*_TEXTS, *_BLOBS), _LONG),
    **dict.fromkeys(_SPATIAL, (255,)),
    **dict.fromkeys(("char", "binary", "uuid", "inet4", "inet6"), (_FIXED,)),
    **dict.fromkeys(("varchar", "varbinary"), _VARYING),
    "float": (4,),
    "double": (5,),
    "decimal": (_DECIMAL,),
    "bit": (_BIT,),
    "year": (_YEAR,),
    "date": (10, 14),
    "time": (11, 19),
    "datetime": (12, 18),
    "timestamp": (7, 17),
    "enum": (_ENUM,),
    "set": (_SET,),
    "json": (245, *_LONG),
    "vector": (242,),
}
_FRACTIONS = (17, 18, 19)
_SIGNED = frozenset({"float", "double", "decimal", *_INTEGERS})
_KINDS: dict[str, Type] = {
    **{name: Type(Kind.INTEGER, name) for name in _INTEGERS},
    **dict.fromkeys(_TEXTS, Type(Kind.TEXT, "text")),
    **dict.fromkeys(_BLOBS, Type(Kind.BYTES, "blob")),
    **dict.fromkeys(_SPATIAL, Type(Kind.BYTES, "geometry")),
    "float": Type(Kind.SINGLE, "float"),
    "double": Type(Kind.FLOAT, "double"),
    "decimal": Type(Kind.DECIMAL, "decimal"),
    "bit": Type(Kind.TEXT, "bit"),
    "year": Type(Kind.INTEGER, "year"),
    "date": Type(Kind.DATE, "date"),
    "time": Type(Kind.TIME, "time"),
    "datetime": Type(Kind.TIMESTAMP, "datetime"),
    "timestamp": Type(Kind.INSTANT, "timestamp"),
    "char": Type(Kind.TEXT, "char"),
    "varchar": Type(Kind.TEXT, "varchar"),
    "binary": Type(Kind.BYTES, "binary"),
    "varbinary": Type(Kind.BYTES, "varbinary"),
    "enum": Type(Kind.TEXT, "enum"),
    "set": Type(Kind.TEXT, "set"),
    "json": JSON,
    "vector": Type(Kind.BYTES, "vector"),
    **dict.fromkeys(("uuid", "inet4", "inet6"), Type(Kind.TEXT, "char")),
}
_SIZED = frozenset({"float", "double", "decimal", "bit", "char", "varchar", "binary", "varbinary", "enum", "set"})
_TEMPORAL = frozenset({"time", "datetime", "timestamp"})
BINARY = "binary"
"""Character set of bytes."""


class Declared(NamedTuple):
    """A declared type in parts.

    Attributes:
        base: name of the type, such as `int`.
        sizes: what stands in its parentheses; None if there are none.
        unsigned: whether it is unsigned.
        zerofill: whether it is filled with zeros.
    """

    base: str
    sizes: str | None = None
    unsigned: bool = False
    zerofill: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of an ENUM or SET."""
        if self.base not in ("enum", "set"):
            return ()
        return tuple(_ESCAPED.sub(lambda found: _PLAIN[found[0]], one) for one in _LABEL.findall(self.sizes or ""))


def parse(text: str) -> Declared:
    """Return a type as `information_schema.columns.column_type` writes it in parts."""
    found = _TYPE.match(text)
    if found is None:
        return Declared(text)
    words = found["rest"].split()
    return Declared(found["base"], found["sizes"], "unsigned" in words, "zerofill" in words)


def carried(declared: str) -> Type:
    """Return what the query operators report for a column of this type; a kind of None can't be carried."""
    one = parse(declared)
    found = _KINDS.get(one.base, Type(None, one.base))
    if one.base == "tinyint" and one.sizes == "1":
        found = BOOLEAN
    if one.base not in _SIGNED:
        return found
    if one.zerofill:
        return found._replace(name=f"{found.name} unsigned zerofill")
    return found._replace(name=f"{found.name} unsigned") if one.unsigned else found


def precise(declared: str) -> str:
    """Return a type with everything that determines which values it takes, equal for the log and the catalog.

    Without what stands in parentheses it is the name that `carried` returns. Labels are as the catalog can show them.
    """
    one, name = parse(declared), carried(declared).name
    if one.base in _TEXTS or one.base in _BLOBS:
        sizes: str | None = str(256 ** _BLOB_BYTES[(_TEXTS | _BLOBS)[one.base]] - 1)
    elif one.base in _TEMPORAL:
        sizes = one.sizes or "0"
    else:
        sizes = None if one.sizes is None or one.base not in _SIZED else _BEYOND.sub("?", one.sizes)
    first, space, rest = name.partition(" ")
    return name if sizes is None else f"{first}({sizes}){space}{rest}"


def fits(declared: str, octets: int | None, map_: TableMap, at: int) -> bool:
    """Return whether the log may store values of a declared type in a column of a table map.

    Args:
        declared: the type.
        octets: longest value of it in bytes, None if it has none.
        map_: the table map.
        at: place of the column.
    """
    one, code, metadata = parse(declared), map_.types[at], map_.metadata[at]
    codes = _CODES.get(one.base)
    if codes is None:
        return True
    if code not in codes:
        return False
    if map_.unsigned is not None and one.base in _SIGNED and map_.unsigned[at] != (one.unsigned or one.zerofill):
        return False
    expected = _metadata(one, octets, code)
    return expected is None or expected == metadata


def _metadata(one: Declared, octets: int | None, code: int) -> int | None:
    """Return the metadata that the log has for a type; None if they say nothing of it."""
    if code == _DECIMAL and one.sizes is not None:
        precision, _, scale = one.sizes.partition(",")
        return 256 * int(precision) + int(scale or 0)
    if code == _BIT:
        whole, left = divmod(int(one.sizes or 1), 8)
        return left + 256 * whole
    if code in _FRACTIONS:
        return int(one.sizes or 0)
    if code == _BLOB:
        size = (_TEXTS | _BLOBS).get(one.base)
        return None if size is None else _BLOB_BYTES[size]
    return octets if code in (_VARCHAR, _FIXED) and one.base in _STRINGS else None


def bits(metadata: int) -> int:
    """Return the number of bits of a BIT column."""
    return (metadata & 255) + 8 * (metadata >> 8)


def from_log(map_: TableMap, at: int, character_set: str | None, width: int, labels: tuple[str, ...]) -> str:
    """Return the type that a table map describes, as the catalog would write it, where it does not say otherwise.

    Args:
        map_: the table map.
        at: place of the column.
        character_set: of it.
        width: most bytes of a character of that set.
        labels: of an ENUM or SET.
    """
    code, metadata = map_.types[at], map_.metadata[at]
    binary = character_set == BINARY
    if code in (_ENUM, _SET):
        quoted = ",".join(f"'{_TO_ESCAPE.sub(lambda found: _ESCAPES[found[0]], one)}'" for one in labels)
        return f"{'enum' if code == _ENUM else 'set'}({quoted})"
    if code == _BLOB:
        size = next(name for name, length in _BLOB_BYTES.items() if length == metadata)
        return f"{size}{'blob' if binary else 'text'}"
    if code in (*_VARYING, _FIXED):
        base = ("binary" if binary else "char") if code == _FIXED else "varbinary" if binary else "varchar"
        return f"{base}({metadata if binary else metadata // width})"
    if code == _DECIMAL:
        sizes: str | None = f"({metadata >> 8},{metadata & 255})"
    elif code == _BIT:
        sizes = f"({bits(metadata)})"
    else:
        sizes = f"({metadata})" if code in _FRACTIONS and metadata else ""
    base = next((name for name, codes in _CODES.items() if code in codes), f"type {code}")
    unsigned = map_.unsigned is not None and map_.unsigned[at] and base in _SIGNED
    return f"{base}{sizes}{' unsigned' if unsigned else ''}"
