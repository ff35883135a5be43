"""Dates and times of the binlog, as they are stored since MySQL 5.6 and MariaDB 10.1."""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow_legacy_events.databases.mysql.changelog.values.memo import D2, Memo
from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece

_FIRST_DAY = dt.date(1970, 1, 1).toordinal()
_ZERO = "0000-00-00 00:00:00"
_MONTHS = 13
_NO_TIME = 1 << 23
_FRACTIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    ((), ""),
    (("B",), ".{D1[$x // 10]}"),
    (("B",), ".{D2[$x]}"),
    (("H",), ".{D3[$x // 10]}"),
    (("H",), ".{D2[$x // 100]}{D2[$x % 100]}"),
    (("B", "H"), ".{D3[x // 1000]}{D2[x % 1000 // 10]}"),
    (("B", "H"), ".{D3[x // 1000]}{D3[x % 1000]}"),
)
"""Codes and digits of a fraction of a second, by the number of digits; `x` is the number of three bytes."""

_FINE = 5
"""Digits from which on a fraction has three bytes."""


def date_text(number: int) -> str:
    """Return the text of a DATE: 15 bits of the year, 4 of the month, 5 of the day."""
    return f"{number >> 9:04}-{number >> 5 & 15:02}-{number & 31:02}"


def _date_of(stored: int) -> str:
    """Return the date of a DATETIME and a space: 1, 17 bits of the months, 5 of the day."""
    year, month = divmod((stored >> 5) - (1 << 17), _MONTHS)
    return f"{year:04}-{month:02}-{stored & 31:02} "


def _hour(number: int) -> str:
    """Return date and hour of an hour since 1970."""
    day, hour = divmod(number, 24)
    return f"{dt.date.fromordinal(_FIRST_DAY + day)} {hour:02}:"


def _zero(fraction: str) -> str:
    """Return the text of the first second of 1970: it stands for a zero date, unless a fraction follows."""
    return (f"1970-01-01 00:00:00{fraction}" if fraction.strip(".0") else f"{_ZERO}{fraction}") + "+00"


COMMON: dict[str, Any] = {
    "DATES": Memo(lambda stored: date_text(int.from_bytes(stored, "little"))),
    "DATES_OF": Memo(_date_of),
    "HOURS": Memo(_hour),
    "HM6": tuple(f"{number >> 6:02}:{number & 63:02}:" for number in range(32 * 64)),
    "MS": tuple(f"{number // 60:02}:{number % 60:02}" for number in range(3_600)),
    "HOURS_OF": tuple(f"{number:02}" for number in range(2_048)),
    "zero": _zero,
}
"""Names that the lines use."""


def date() -> Piece:
    """Return the piece of a DATE."""
    return Piece(("3s",), "", ("$v = DATES[$a]",))


def _fraction(digits: int, first: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Return codes of a fraction, the statement that it needs before, and its text.

    Args:
        digits: of it.
        first: letter of its first number.
    """
    codes, text = _FRACTIONS[digits]
    before = (f"x = ${first} << 16 | ${chr(ord(first) + 1)}",) if digits >= _FINE else ()
    return codes, before, text.replace("$x", f"${first}")


def datetime(digits: int) -> Piece:
    """Return the piece of a DATETIME with so many digits of a second's fraction."""
    codes, before, fraction = _fraction(digits, "c")
    text = "{DATES_OF[$a >> 9]}{HM6[($a & 511) << 2 | $b >> 6]}{D2[$b & 63]}" + fraction
    return Piece(("I", "B", *codes), ">", (*before, f"$v = f'{text}'"))


def timestamp(digits: int) -> Piece:
    """Return the piece of a TIMESTAMP, in UTC."""
    codes, before, fraction = _fraction(digits, "b")
    text = "{HOURS[$a // 3600]}{MS[$a % 3600]}" + fraction + "+00"
    return Piece(("I", *codes), ">", (*before, f"$v = f'{text}' if $a else zero(f'{fraction}')"))


def time(digits: int) -> Piece:
    """Return the piece of a TIME."""
    if not digits:
        text = "{HOURS_OF[x >> 12]}:{D2[x >> 6 & 63]}:{D2[x & 63]}"
        lines = (f"x = ($a << 16 | $b) - {_NO_TIME}", f"$v = f'{text}' if x >= 0 else negative_time($a << 16 | $b)")
        return Piece(("B", "H"), ">", lines, names={"negative_time": lambda stored: _time_text(stored.to_bytes(3), 0)})
    size = 3 + (digits + 1) // 2
    return Piece((f"{size}s",), "", (f"$v = time_text($a, {digits})",), names={"time_text": _time_text})


def _time_text(stored: bytes, digits: int) -> str:
    bits = 8 * len(stored)
    number = int.from_bytes(stored, "big") - (1 << bits - 1)
    whole, fraction = divmod(abs(number), 1 << bits - 24)
    half = (digits + 1) // 2 * 2
    after = f".{fraction:0{half}}"[: digits + 1] if digits else ""
    sign = "-" if number < 0 else ""
    return f"{sign}{whole >> 12:02}:{D2[whole >> 6 & 63]}:{D2[whole & 63]}{after}"
