"""Dates and times of the binlog in their older formats, which columns keep until their table is rebuilt.

MySQL had these before 5.6; MariaDB makes them with `mysql56_temporal_format=0`, also with fractions of a second, whose
digits the log does not show.
"""

from __future__ import annotations

import datetime as dt
import re

from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece

_DIGITS = re.compile(r"\(([0-6])\)")
_TIME_BYTES = (3, 4, 4, 5, 5, 5, 6)
_DATETIME_BYTES = (5, 6, 6, 7, 7, 7, 8)
_FRACTION_BYTES = (0, 1, 1, 2, 2, 3, 3)
_FIRST = dt.datetime(1970, 1, 1)  # noqa: DTZ001
_MOST_SECONDS = 839 * 3600


def digits_of(declared: str | None) -> int:
    """Return the digits of a second's fraction in a declared type."""
    found = _DIGITS.search(declared or "")
    return int(found[1]) if found else 0


def timestamp(declared: str | None) -> Piece:
    """Return the piece of a TIMESTAMP, in UTC."""
    digits = digits_of(declared)
    line = f"$v = old_timestamp($a, {digits})"
    return Piece((f"{4 + _FRACTION_BYTES[digits]}s",), "", (line,), names={"old_timestamp": _timestamp_text})


def datetime(declared: str | None) -> Piece:
    """Return the piece of a DATETIME."""
    digits = digits_of(declared)
    line = f"$v = old_datetime($a, {digits})" if digits else "$v = whole_datetime($a)"
    size = _DATETIME_BYTES[digits] if digits else 8
    names = {"old_datetime": _datetime_text, "whole_datetime": _whole_datetime_text}
    return Piece((f"{size}s",), "", (line,), names=names)


def time(declared: str | None) -> Piece:
    """Return the piece of a TIME."""
    digits = digits_of(declared)
    line = f"$v = old_time($a, {digits})" if digits else "$v = whole_time($a)"
    names = {"old_time": _time_text, "whole_time": _whole_time_text}
    return Piece((f"{_TIME_BYTES[digits]}s",), "", (line,), names=names)


def _timestamp_text(stored: bytes, digits: int) -> str:
    seconds = int.from_bytes(stored[:4], "big" if digits else "little")
    fraction = int.from_bytes(stored[4:], "big")
    after = f".{fraction:0{digits}}" if digits else ""
    if not seconds and not fraction:
        return f"0000-00-00 00:00:00{after}+00"
    return f"{_FIRST + dt.timedelta(seconds=seconds)}{after}+00"


def _whole_datetime_text(stored: bytes) -> str:
    figures = f"{int.from_bytes(stored, 'little'):014}"
    day, clock = figures[:-6], figures[-6:]
    return f"{day[:-4]}-{day[-4:-2]}-{day[-2:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}"


def _whole_time_text(stored: bytes) -> str:
    number = int.from_bytes(stored, "little", signed=True)
    figures = f"{abs(number):06}"
    return f"{'-' if number < 0 else ''}{figures[:-4]}:{figures[-4:-2]}:{figures[-2:]}"


def _datetime_text(stored: bytes, digits: int) -> str:
    rest, fraction = divmod(int.from_bytes(stored, "big"), 10**digits)
    found = []
    for base in (60, 60, 24, 32, 13):
        rest, part = divmod(rest, base)
        found.append(part)
    second, minute, hour, day, month = found
    return f"{rest:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{fraction:0{digits}}"


def _time_text(stored: bytes, digits: int) -> str:
    number = int.from_bytes(stored, "big") - _MOST_SECONDS * 10**digits
    seconds, fraction = divmod(abs(number), 10**digits)
    sign = "-" if number < 0 else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:0{digits}}"
