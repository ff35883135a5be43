"""Texts, bytes, labels and documents of the binlog."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from typing import Any

from airflow_legacy_events.databases.mysql.changelog.character_sets import decoder, unreadable
from airflow_legacy_events.databases.mysql.changelog.model import Convert
from airflow_legacy_events.databases.mysql.changelog.values.compressed import opened
from airflow_legacy_events.databases.mysql.changelog.values.memo import Memo
from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece

BINARY = "binary"
_LENGTHS = {
    1: (("B",), "", "$a"),
    2: (("B", "B"), "", "$a | $b << 8"),
    3: (("H", "B"), "<", "$a | $b << 16"),
    4: (("I",), "<", "$a"),
}
"""Codes, their order and the expression of a length, by its bytes."""

_ONE_BYTE = 255
_SRID_BYTES = 4


def of_length(size: int, *lines: str, names: dict[str, Any] | None = None, block: str | None = None) -> Piece:
    """Return the piece of a value behind a length of so many bytes."""
    codes, order, length = _LENGTHS[size]
    return Piece(codes, order, lines, length, names or {}, block)


def prefix(longest: int) -> int:
    """Return how many bytes the length of a CHAR or VARCHAR has."""
    return 1 if longest <= _ONE_BYTE else 2


def read_by(size: int, read: Callable[[bytes], str]) -> Piece:
    """Return the piece of a value whose text a function makes."""
    return of_length(size, "$v = read$k(m[n:at])", names={"read": read})


def binary(size: int, padded: int = 0) -> Piece:
    """Return the piece of bytes; those of BINARY(n) are filled up, since the log leaves their last zeros out."""
    return of_length(size, f"$v = m[n:at].ljust({padded}, b'\\0')" if padded else "$v = m[n:at]")


def geometry(size: int) -> Piece:
    """Return the piece of a spatial value: its WKB, without the SRID before it."""
    return of_length(size, f"$v = m[n + {_SRID_BYTES}:at]")


def text(size: int, charset: str, convert: Convert, column: str | None) -> Piece:
    """Return the piece of a text.

    Args:
        size: bytes of its length.
        charset: its character set.
        convert: converts texts by the server.
        column: its name, for the error of a value that is no text; None: that is a UnicodeDecodeError, which is faster.
    """
    found = decoder(charset, convert)
    if found.decode is None:
        lines = ("$v = s[n:at]", "if not $v.isascii(): $v = m[n:at]") if found.ascii else ("$v = m[n:at]",)
        return of_length(size, *lines, block=charset)
    names: dict[str, Any] = {"charmap_decode": codecs.charmap_decode, "table": found.table}
    decoded = f"m[n:at].decode('{found.codec}')" if found.codec else "charmap_decode(m[n:at], 'strict', table$k)[0]"
    if column is not None:
        decoded, names = "decode$k(m[n:at])", {"decode": _named(found.decode, charset, column)}
    if found.ascii:
        return of_length(size, "$v = s[n:at]", f"if not $v.isascii(): $v = {decoded}", names=names)
    return of_length(size, f"$v = {decoded}", names=names)


def compressed(size: int, charset: str, convert: Convert, column: str) -> Piece:
    """Return the piece of a compressed column of MariaDB."""
    if charset == BINARY:
        return of_length(size, "$v = opened(m[n:at])", names={"opened": opened})
    decode = decoder(charset, convert).decode
    if decode is None:
        return of_length(size, "$v = opened(m[n:at])", names={"opened": opened}, block=charset)
    named = _named(decode, charset, column)
    return read_by(size, lambda stored: named(opened(stored)))


def _named(decode: Callable[[bytes], str], charset: str, column: str) -> Callable[[bytes], str]:
    def read(stored: bytes) -> str:
        try:
            return decode(stored)
        except UnicodeDecodeError:
            raise unreadable(column, charset) from None

    return read


def enum(size: int, labels: Sequence[str]) -> Piece:
    """Return the piece of an ENUM: its label; the number 0 stands for a value that was refused, an empty text."""
    return Piece(("B" if size == 1 else "H",), "" if size == 1 else "<", ("$v = read$k[$a]",), names=_read(labels))


def _read(labels: Sequence[str]) -> dict[str, Any]:
    return {"read": ("", *labels)}


def set_(size: int, labels: Sequence[str]) -> Piece:
    """Return the piece of a SET: its labels in the order of their declaration."""

    def joined(stored: bytes) -> str:
        bits = int.from_bytes(stored, "little")
        if bits >> len(labels):
            raise ValueError("a SET with a label that it does not have")
        return ",".join(label for at, label in enumerate(labels) if bits >> at & 1)

    return Piece((f"{size}s",), "", ("$v = read$k[$a]",), names={"read": Memo(joined)})
