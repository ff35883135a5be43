"""Dates and times as numbers and texts of `io.debezium.time`, from what PostgreSQL writes in ISO style and UTC.

Days and microseconds are those of the Gregorian calendar before its introduction too, as in PostgreSQL and Java.
"""

from __future__ import annotations

import re
from functools import lru_cache

from airflow_legacy_events.envelopes.gregorian import days_of

INFINITE = ("infinity", "-infinity")
DAY = 86_400_000_000
"""Microseconds of a day."""

_DATE = re.compile(r"([0-9]{4,7})-([0-9]{2})-([0-9]{2})( BC)?")
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?")
_INSTANT = re.compile(r"([0-9]{4,7})(-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?\+00( BC)?")
_ZONED = re.compile(r"([0-9:.]+)([+-])([0-9]{2})(?::([0-9]{2}))?(?::([0-9]{2}))?")
_INTERVAL = re.compile(
    r"(?:(?P<years>[+-]?[0-9]+) years? ?)?(?:(?P<months>[+-]?[0-9]+) mons? ?)?(?:(?P<days>[+-]?[0-9]+) days? ?)?"
    r"(?:(?P<sign>[+-]?)(?P<hours>[0-9]+):(?P<rest>[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?))?"
)
_MONTH = DAY * 487 // 16
"""Microseconds of 30.4375 days, Debezium's mean month."""

_JAVA_INFINITE = {"infinity": 9_223_372_036_825_200_000, "-infinity": -9_223_372_036_832_400_000}
_KEPT = 4_096


@lru_cache(_KEPT)
def days(text: str) -> int:
    """Return the days of a date since 1970-01-01.

    Raises:
        ValueError: it is no date, or infinite.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError("no date")
    year = 1 - int(found[1]) if found[4] else int(found[1])
    return days_of(year, int(found[2]), int(found[3]))


def clock(text: str) -> int:
    """Return the microseconds of a time since midnight.

    Raises:
        ValueError: it is no time.
    """
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError("no time")
    seconds = (int(found[1]) * 60 + int(found[2])) * 60 + int(found[3])
    return seconds * 1_000_000 + int(f"{found[4] or '':0<6}")


def micros(text: str) -> int:
    """Return the microseconds of a timestamp since 1970-01-01; of an infinite one the number that Debezium documents.

    Raises:
        ValueError: it is no timestamp.
    """
    if text in _JAVA_INFINITE:
        return _JAVA_INFINITE[text]
    written = text.removesuffix(" BC")
    day, _, rest = written.partition(" ")
    return days(day if written == text else f"{day} BC") * DAY + clock(rest)


def instant(text: str, digits: int) -> str:
    """Return a point in time in ISO 8601; infinite ones as they are.

    Args:
        text: in UTC.
        digits: of the fraction of a second.

    Raises:
        ValueError: it is no point in time in UTC.
    """
    if text in INFINITE:
        return text
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError("no point in time")
    fraction = f".{found[4] or '':0<6}"[: digits + 1] if digits else ""
    return f"{_year(int(found[1]), before=found[5] is not None)}{found[2]}T{found[3]}{fraction}Z"


def zoned(text: str) -> str:
    """Return a time with a zone in UTC.

    Raises:
        ValueError: it is no time with a zone.
    """
    found = _ZONED.fullmatch(text)
    if found is None:
        raise ValueError("no time with a zone")
    offset = clock(f"{found[3]}:{found[4] or '00'}:{found[5] or '00'}")
    moment = clock(found[1]) - (offset if found[2] == "+" else -offset)
    if moment != DAY:  # 24:00:00+00 is a time of its own
        moment %= DAY
    seconds, fraction = divmod(moment, 1_000_000)
    minutes, second = divmod(seconds, 60)
    written = f".{fraction:06}".rstrip("0") if fraction else ""
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}{written}Z"


def duration(text: str) -> int:
    """Return the microseconds of an interval, with months of 30.4375 days.

    Raises:
        ValueError: it is no interval in PostgreSQL's own style, or infinite.
    """
    found = _INTERVAL.fullmatch(text)
    if found is None or not text:
        raise ValueError("no interval")
    months = int(found["years"] or 0) * 12 + int(found["months"] or 0)
    time = 0
    if found["hours"] is not None:
        time = int(found["hours"]) * 3_600_000_000 + clock(f"00:{found['rest']}")
    signed = -time if found["sign"] == "-" else time
    return months * _MONTH + int(found["days"] or 0) * DAY + signed


def _year(year: int, *, before: bool) -> str:
    """Return a year in ISO 8601, which has a year 0 and a sign beyond four digits."""
    if before:
        return f"-{year - 1:04}" if year > 1 else "0000"
    return f"{year:04}" if year <= 9_999 else f"+{year}"  # noqa: PLR2004  four digits
