"""Days of the Gregorian calendar of any age, before its introduction too: it repeats after 400 years."""

from __future__ import annotations

from datetime import date, timedelta

_YEARS, _DAYS = 400, 146_097
_EPOCH = date(1970, 1, 1)


def days_of(year: int, month: int, day: int) -> int:
    """Return the days of a date since 1970-01-01; year 0 is 1 BC.

    Raises:
        ValueError: there is no such date.
    """
    near = year % _YEARS + _YEARS
    return (date(near, month, day) - _EPOCH).days + (year - near) // _YEARS * _DAYS


def date_of(days: int) -> tuple[int, int, int]:
    """Return year, month and day of a number of days since 1970-01-01; year 0 is 1 BC."""
    cycles, rest = divmod(days, _DAYS)
    near = _EPOCH + timedelta(days=rest)
    return near.year + cycles * _YEARS, near.month, near.day
