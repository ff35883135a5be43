"""Type codes of columns in the binlog, and how much metadata each has.

Sources: MySQL's `enum_field_types` and `Table_map_event`, MariaDB's likewise. Codes of 128 and more are in the log
alone or are the server's own; 140 is MariaDB's for a compressed BLOB, 141 for a compressed VARCHAR.
"""

from __future__ import annotations

DECIMAL, TINY, SHORT, LONG, FLOAT, DOUBLE, NULL, TIMESTAMP = range(8)
LONGLONG, INT24, DATE, TIME, DATETIME, YEAR, NEWDATE, VARCHAR = range(8, 16)
BIT, TIMESTAMP2, DATETIME2, TIME2 = range(16, 20)
TYPED_ARRAY = 20
BLOB_COMPRESSED, VARCHAR_COMPRESSED = 140, 141
VECTOR = 242
JSON, NEWDECIMAL, ENUM, SET = 245, 246, 247, 248
TINY_BLOB, MEDIUM_BLOB, LONG_BLOB, BLOB = 249, 250, 251, 252
VAR_STRING, STRING, GEOMETRY = 253, 254, 255

METADATA_BYTES = {
    **dict.fromkeys((FLOAT, DOUBLE, TIMESTAMP2, DATETIME2, TIME2, BLOB_COMPRESSED, VECTOR, JSON), 1),
    **dict.fromkeys((TINY_BLOB, MEDIUM_BLOB, LONG_BLOB, BLOB, GEOMETRY), 1),
    **dict.fromkeys((VARCHAR, VARCHAR_COMPRESSED, BIT, NEWDECIMAL, ENUM, SET, STRING, VAR_STRING), 2),
}
"""Bytes of metadata by type; a type that is missing has none."""

HIGH_BYTE_FIRST = frozenset({NEWDECIMAL, ENUM, SET, STRING, VAR_STRING})
"""Types whose two bytes of metadata are two things: the number in `TableMap.metadata` is 256 times the first plus the
second, so a decimal's precision is `metadata >> 8` and its scale `metadata & 255`."""

NUMERIC = frozenset({TINY, SHORT, INT24, LONG, LONGLONG, NEWDECIMAL, FLOAT, DOUBLE, YEAR})
"""Types that have a sign in the optional metadata; a YEAR is unsigned."""

LABELS = frozenset({ENUM, SET})

_LENGTH_BITS = 0x30
"""Of the first byte of a STRING's metadata: all set in ENUM and SET, too."""

CHARACTER = frozenset(
    {
        STRING,
        VAR_STRING,
        VARCHAR,
        VARCHAR_COMPRESSED,
        BLOB,
        TINY_BLOB,
        MEDIUM_BLOB,
        LONG_BLOB,
        BLOB_COMPRESSED,
        VECTOR,
    }
)
"""Types that have a collation in the optional metadata; for bytes it is that of `binary`.

MariaDB counts GEOMETRY among them, MySQL does not (seen with 10.11, 11.8 and 9.7).
"""


_SIZED = (TINY_BLOB, MEDIUM_BLOB, LONG_BLOB, BLOB, BLOB_COMPRESSED, GEOMETRY, JSON, VECTOR)
"""Types whose metadata are the bytes of their length, 1 to 4."""
_BYTE = 8
_MOST = {
    **dict.fromkeys((FLOAT, DOUBLE, SET), 8),
    **dict.fromkeys((TIMESTAMP2, DATETIME2, TIME2), 6),
    **dict.fromkeys(_SIZED, 4),
    ENUM: 2,
    NEWDECIMAL: 65 << 8 | 38,
    BIT: 8 << 8,
}
_LEAST = dict.fromkeys((*_SIZED, FLOAT, DOUBLE, SET, ENUM, BIT), 1)


def possible(code: int, metadata: int) -> bool:
    """Return whether a column of a type may have these metadata, as they are in `TableMap.metadata`."""
    if not _LEAST.get(code, 0) <= metadata <= _MOST.get(code, metadata):
        return False
    if code == NEWDECIMAL:
        return metadata & 255 <= min(metadata >> 8, _MOST[NEWDECIMAL] & 255)
    return code != BIT or metadata & 255 < _BYTE


def real_string(metadata: int) -> tuple[int, int]:
    """Return the type and length that the metadata of a STRING column hold.

    The first byte is ENUM, SET or STRING; for a STRING longer than 255 bytes two bits of it are the highest of its
    length, turned over (`Field_string::do_save_field_metadata`).
    """
    first, second = metadata >> 8, metadata & 255
    turned = ~first & _LENGTH_BITS
    return first | _LENGTH_BITS, second | turned << 4
