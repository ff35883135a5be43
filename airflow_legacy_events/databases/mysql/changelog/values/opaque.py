"""Values of SQL types inside of MySQL's binary JSON."""

from __future__ import annotations

from collections.abc import Callable

_FRACTION_BITS, _CLOCK_BITS = 24, 17
_MONTHS = 13
_GROUP = 9
_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


def _packed(stored: bytes) -> tuple[str, int, int]:
    """Return sign, date and time, and microseconds."""
    number = int.from_bytes(stored[:8], "little", signed=True)
    return "-" if number < 0 else "", *divmod(abs(number), 1 << _FRACTION_BITS)


def _day(whole: int) -> str:
    stored = whole >> _CLOCK_BITS
    year, month = divmod(stored >> 5, _MONTHS)
    return f"{year:04}-{month:02}-{stored & 31:02}"


def _date(stored: bytes) -> str:
    return f'"{_day(_packed(stored)[1])}"'


def _time(stored: bytes) -> str:
    sign, whole, micros = _packed(stored)
    return f'"{sign}{whole >> 12:02}:{whole >> 6 & 63:02}:{whole & 63:02}.{micros:06}"'


def _datetime(stored: bytes) -> str:
    _, whole, micros = _packed(stored)
    return f'"{_day(whole)} {whole >> 12 & 31:02}:{whole >> 6 & 63:02}:{whole & 63:02}.{micros:06}"'


def _decimal(stored: bytes) -> str:
    """Return a decimal: its precision, its scale, then digits in groups."""
    precision, scale, rest = stored[0], stored[1], stored[2:]
    negative = not rest[0] & 128
    plain = bytes([rest[0] ^ 128, *rest[1:]])
    if negative:
        plain = bytes(255 - one for one in plain)
    figures, at = [], 0
    before = precision - scale
    for count in (before % _GROUP, *[_GROUP] * (before // _GROUP), *[_GROUP] * (scale // _GROUP), scale % _GROUP):
        size = _BYTES[count]
        if count:
            figures.append(f"{int.from_bytes(plain[at : at + size], 'big'):0{count}}")
        at += size
    if at != len(rest):
        raise ValueError("a JSON value with a wrong decimal")
    text = "".join(figures)
    whole = text[:before].lstrip("0") or "0"
    return f"{'-' if negative else ''}{whole}{'.' + text[before:] if scale else ''}"


OPAQUE: dict[int, Callable[[bytes], str]] = {
    7: _datetime,
    10: _date,
    11: _time,
    12: _datetime,
    246: _decimal,
}
"""By the type code of a value, what returns its text; others are in base64."""
