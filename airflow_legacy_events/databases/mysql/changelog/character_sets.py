"""Texts of the binlog, each in the character set of its column.

Python decodes Unicode. A set of single bytes is a table of 256 that the server converts once: the servers' `latin1` is
cp1252 with five more characters, and none of Python's codecs is sure to be the same. Other sets are converted by the
server, a block at a time.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from airflow_legacy_events.databases.mysql.changelog.cutting import pieces
from airflow_legacy_events.databases.mysql.changelog.model import Convert, UnreadableValueError

_PYTHON = {
    "utf8mb4": "utf-8",
    "utf8mb3": "utf-8",
    "utf8": "utf-8",
    "ascii": "ascii",
    "ucs2": "utf-16-be",
    "utf16": "utf-16-be",
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
}
_ASCII = range(128)
_SINGLE = frozenset(
    {
        *("armscii8", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "dec8", "geostd8", "greek"),
        *("hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7", "macce", "macroman"),
        *("swe7", "tis620"),
    }
)
_NO_CHARACTER = "\ufffe"
"""What stands in a table of 256 for a byte that is no character; see `codecs.charmap_decode`."""

_LOSSLESS = frozenset({"latin1", "gb18030"})
"""Sets whose every character is in Unicode; in others the server writes `?` for one that is not."""

_BLOCK_BYTES, _BLOCK_VALUES = 2**18, 400
_KEPT_BYTES, _KEPT_VALUES = 64, 50_000


class Decoder(NamedTuple):
    """How texts of a character set are read.

    Attributes:
        ascii: whether bytes of ASCII are the same text in it.
        codec: Python's name of it; None if Python does not have it.
        table: characters of its bytes, if it is a set of single bytes; see `codecs.charmap_decode`.
    """

    ascii: bool
    codec: str | None = None
    table: str | None = None

    @property
    def decode(self) -> Callable[[bytes], str] | None:
        """What returns the text of bytes; it raises UnicodeDecodeError. None if the server must convert them."""
        codec, table = self.codec, self.table
        if codec is not None:
            return lambda stored: stored.decode(codec)
        return None if table is None else lambda stored: codecs.charmap_decode(stored, "strict", table)[0]


def decoder(charset: str, convert: Convert) -> Decoder:
    """Return how texts of a character set are read.

    Args:
        charset: the server's name of it.
        convert: converts texts by the server.
    """
    if (codec := _PYTHON.get(charset)) is not None:
        return Decoder(codec in ("utf-8", "ascii"), codec)
    if charset not in _SINGLE:
        every = [bytes([number]) for number in _ASCII]
        return Decoder(list(convert(charset, every)) == [chr(number) for number in _ASCII])
    table = "".join(one or _NO_CHARACTER for one in convert(charset, [bytes([number]) for number in range(256)]))
    return Decoder(table[: len(_ASCII)] == "".join(map(chr, _ASCII)), table=table)


def texts(charset: str, values: Sequence[bytes], convert: Convert, column: str) -> list[str]:
    """Return the texts of values, such as the labels of an ENUM.

    Args:
        charset: the server's name of their character set.
        values: as they are stored.
        convert: converts texts by the server.
        column: for the error.

    Raises:
        UnreadableValueError: a value is no text of that set.
    """
    decode = decoder(charset, convert).decode
    try:
        found = convert(charset, values) if decode is None else [decode(one) for one in values]
    except UnicodeDecodeError:
        raise unreadable(column, charset) from None
    if None in found:
        raise unreadable(column, charset)
    return [one for one in found if one is not None]


def unreadable(column: str, charset: str) -> UnreadableValueError:
    """Return the error for a text that can't be converted to Unicode."""
    return UnreadableValueError(f"column {column!r} holds bytes that are no text in its character set {charset}")


class Conversion:
    """Converts texts by the server, and keeps short ones: see `model.Convert`.

    Args:
        ask: runs a statement, and returns its rows as texts; its first argument says what for.
    """

    def __init__(self, ask: Callable[..., list[tuple[Any, ...]]]) -> None:
        self._ask = ask
        self._kept: dict[tuple[str, bytes], str | None] = {}

    def __call__(self, charset: str, values: Sequence[bytes]) -> list[str | None]:
        """Return the texts of values; None for one that can't be converted without a loss."""
        known = {value: self._kept[charset, value] for value in values if (charset, value) in self._kept}
        new = [value for value in dict.fromkeys(values) if value not in known]
        if new:
            known |= self._converted(charset, new)
        return [known[value] for value in values]

    def _converted(self, charset: str, values: Sequence[bytes]) -> dict[bytes, str | None]:
        parts = [list(pieces(charset, value, _BLOCK_BYTES)) for value in values]
        read = iter([text for block in _blocks(chain.from_iterable(parts)) for text in self._read(charset, block)])
        found: dict[bytes, str | None] = {}
        for value, part in zip(values, parts, strict=True):
            read_parts = [next(read) for _ in part]
            whole = [one for one in read_parts if one is not None]
            found[value] = "".join(whole) if len(whole) == len(part) else None
        if len(self._kept) > _KEPT_VALUES:
            self._kept.clear()
        self._kept |= {(charset, value): text for value, text in found.items() if len(value) <= _KEPT_BYTES}
        return found

    def _read(self, charset: str, block: Sequence[bytes]) -> list[str | None]:
        return [text for (text,) in self._ask("converting texts of the binlog", _statement(charset, block))]


def _blocks(values: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield values for one statement each."""
    block: list[bytes] = []
    size = 0
    for value in values:
        if block and (size + len(value) > _BLOCK_BYTES or len(block) == _BLOCK_VALUES):
            yield block
            block, size = [], 0
        block.append(value)
        size += len(value)
    if block:
        yield block


def _statement(charset: str, values: Sequence[bytes]) -> str:
    """Return the statement that converts values.

    A value is NULL in the result if it changes as a text of the character set, since it is none, or if a character of
    it is not in Unicode; that is found as `mysql.charsets.guarded` does.
    """
    each = " UNION ALL ".join(f"SELECT {at} AS n, X'{value.hex()}' AS b" for at, value in enumerate(values))
    typed = f"SELECT n, b, CAST(b AS CHAR CHARACTER SET {charset}) AS t FROM ({each}) AS given"  # noqa: S608
    unicode = "CONVERT(t USING utf8mb4)"
    kept = f"REPLACE(REPLACE({unicode}, '?', ''), _utf8mb4 X'EFBFBD', '')"
    whole = "" if charset in _LOSSLESS else f" AND CHAR_LENGTH(REPLACE(t, '?', '')) = CHAR_LENGTH({kept})"
    found = f"IF(CAST(t AS BINARY) = b{whole}, {unicode}, NULL)"
    return f"SELECT {found} FROM ({typed}) AS typed ORDER BY n"  # noqa: S608
