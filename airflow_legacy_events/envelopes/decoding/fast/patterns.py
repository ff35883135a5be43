"""Patterns of values that are written as the texts of a database are; each matches lines."""

from __future__ import annotations

import re

UTC = r"(?:Z|\+00:00)"

_YEAR = r"(?!0000)\d{4}"
_LEAP = r"(?!0000)(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DATE = (
    rf"(?:{_YEAR}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    rf"|{_LEAP}-02-29)"
)
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
_MOST = 1_000


def _lines(one: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{one}\n)*", re.ASCII)


def _fraction(scale: int | None) -> str:
    return "" if scale == 0 else rf"(?:\.\d{{1,{_MOST if scale is None else scale}}})?"


INTEGERS = _lines(r"(?:0|-?[1-9]\d{0,17})")
FLOATS = _lines(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,17})?")
IDENTIFIERS = _lines(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATES = _lines(_DATE)


def decimals(precision: int | None, scale: int | None) -> re.Pattern[str]:
    """Return the pattern of decimals that fit, without exponent and needless zeros in front."""
    whole = _MOST if precision is None else precision - (scale or 0)
    digits = rf"(?:0|[1-9]\d{{0,{whole - 1}}})" if whole > 0 else "0"
    return _lines(rf"-?{digits}{_fraction(scale)}")


def times(scale: int | None) -> re.Pattern[str]:
    """Return the pattern of times of day without a zone."""
    return _lines(_CLOCK + _fraction(scale))


def moments(scale: int | None, *, zone: str) -> re.Pattern[str]:
    """Return the pattern of dates with times that exist, followed by a zone."""
    return _lines(rf"{_DATE}[T ]{_CLOCK}{_fraction(scale)}{zone}")
