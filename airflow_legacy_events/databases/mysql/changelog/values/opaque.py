"""Values of SQL types inside of MySQL's binary JSON."""

from __future__ import annotations

from collections.abc import Callable

_FRACTION, _HMS = 24, 17
_MONTHS = 13
_GROUP = 9
_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


def _parts(stored: bytes) -> tuple[str, int, int, int]:
    """Return sign, date, time and microseconds."""
    number = int.from_bytes(stored[:8], "little", signed=True)
    whole, micros = divmod(abs(number), 1 << _FRACTION)
    day, clock = divmod(whole, 1 << _HMS)
    return "-" if number < 0 else "", day, clock, micros


def _day(stored: int) -> str:
    year, month = divmod(stored >> 5, _MONTHS)
    return f"{year:04}-{month:02}-{stored & 31:02}"


def _clock(stored: int, micros: int) -> str:
    return f"{stored >> 12:02}:{stored >> 6 & 63:02}:{stored & 63:02}.{micros:06}"


def _date(stored: bytes) -> str:
    return f'"{_day(_parts(stored)[1])}"'


def _time(stored: bytes) -> str:
    sign, _, clock, micros = _parts(stored)
    return f'"{sign}{_clock(clock, micros)}"'


def _datetime(stored: bytes) -> str:
    _, day, clock, micros = _parts(stored)
    return f'"{_day(day)} {_clock(clock, micros)}"'


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
