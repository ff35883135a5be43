"""Long texts of multi-byte character sets, cut between two characters."""

from __future__ import annotations

from collections.abc import Iterator

_LEAD = 0x81
_THREE = 0x8F
_HALF_WIDTH = range(0xA1, 0xE0)
_DIGITS = range(0x30, 0x3A)


def pieces(charset: str, value: bytes, most: int) -> Iterator[bytes]:
    """Yield parts of about `most` bytes, each of whole characters; one empty part of an empty value."""
    begin = 0
    while len(value) - begin > most:
        end = begin
        while end - begin < most:
            end += _width(charset, value, end)
        yield value[begin:end]
        begin = end
    if begin < len(value) or not value:
        yield value[begin:]


def _width(charset: str, value: bytes, at: int) -> int:
    lead = value[at]
    if lead < _LEAD:
        return 1
    if charset in ("sjis", "cp932"):
        return 1 if lead in _HALF_WIDTH else 2
    if charset in ("ujis", "eucjpms"):
        return 3 if lead == _THREE else 2
    if charset == "gb18030":
        return 4 if value[at + 1 : at + 2] and value[at + 1] in _DIGITS else 2
    return 2
