"""Time formats stored as text: which ones sort chronologically as text.

A spelling has one separator between date and time, and one offset or none after it. Precision doesn't matter, since a
text sorts before its own extensions. It does matter if the offset sorts above a digit or dot, as `Z` does.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import NamedTuple

_DATE = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIME = r"(?:[01]\d|2[0-4]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
_SUFFIX = r"\s*(?:[zZ]|[+-](?:0\d|1[0-4]):[0-5]\d)?\s*"
_READABLE = re.compile(rf"({_DATE})(?:([\sT]+)({_TIME})({_SUFFIX}))?", re.ASCII)
_DAY_CHARS, _MICROSECONDS = 10, 6


class Spelling(NamedTuple):
    """Format in which a time is written.

    Attributes:
        between: separator between date and time; None for a date alone, which sorts before all times of its day, as
            midnight does.
        suffix: offset and blanks after the time.
        clock: the form of the time if it must be equal, else empty.
    """

    between: str | None
    suffix: str = ""
    clock: str = ""

    def sorts_with(self, other: Spelling) -> bool:
        """Whether texts in both spellings sort chronologically together."""
        if self.between is None or other.between is None:
            return not self.suffix and not other.suffix
        return self == other

    def __str__(self) -> str:
        """Return the format in readable form."""
        return "YYYY-MM-DD" if self.between is None else f"YYYY-MM-DD{self.between}{self.clock or 'HH:MM'}{self.suffix}"


def spelling_of(text: object) -> Spelling | None:
    """Return the spelling of a time; None for text that SQLite's `julianday` can't parse."""
    found = _READABLE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    _, between, clock, suffix = found.groups()
    if between is None:
        return Spelling(None)
    return Spelling(between, suffix, "" if suffix[:1] < "." else re.sub(r"\d", "0", clock))


@lru_cache(maxsize=64)
def pattern_of(spelling: Spelling) -> re.Pattern[str]:
    """Return the pattern of texts that sort with a spelling; for a date alone, the pattern of dates."""
    if spelling.between is None:
        return re.compile(_DATE, re.ASCII)
    clock = spelling.clock.replace(".", r"\.").replace("0", r"\d") if spelling.clock else _TIME
    behind = rf"{re.escape(spelling.between)}{clock}{re.escape(spelling.suffix)}"
    return re.compile(f"{_DATE}{behind}" if spelling.suffix else f"{_DATE}(?:{behind})?", re.ASCII)


def respelled(text: str, spelling: Spelling, *, naive_is_utc: bool) -> str | None:
    """Return a readable time in another spelling, with the same precision or, if that is less precise, rounded down.

    Args:
        text: of the time.
        spelling: the target spelling.
        naive_is_utc: whether a time without an offset is in UTC; otherwise it is not a defined instant.

    Returns:
        None if only one of the two has an offset and `naive_is_utc` is False.
    """
    plain, length = _plain(text)
    offset, moment = _offset_of(spelling.suffix), dt.datetime.fromisoformat(plain)
    if (moment.tzinfo is None) != (offset is None):
        if not naive_is_utc:
            return None
        offset = offset or dt.UTC
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    local = moment if offset is None else moment.astimezone(offset)
    clock, form = local.time().isoformat("microseconds"), spelling.clock
    clock = clock[: len(form)].ljust(len(form), "0") if form else clock[: max(length, len("00:00"))]
    return f"{local.date().isoformat()}{spelling.between or ' '}{clock}{spelling.suffix}"


def shortest(text: str, spelling: Spelling) -> str:
    """Return the shortest form of a text in a spelling."""
    if spelling.between is None or spelling.clock:
        return text
    end = len(text) - len(spelling.suffix)
    short = _shortest(text[_DAY_CHARS + len(spelling.between) : end])
    if short == "00:00" and not spelling.suffix:
        return text[:_DAY_CHARS]
    return f"{text[:_DAY_CHARS]}{spelling.between}{short}{spelling.suffix}"


def _shortest(clock: str) -> str:
    if "." in clock:
        clock = clock.rstrip("0").removesuffix(".")
    return clock[:5] if clock.endswith(":00") and clock.count(":") > 1 else clock


def _offset_of(suffix: str) -> dt.tzinfo | None:
    plain = suffix.strip()
    return dt.datetime.fromisoformat(f"2000-01-01T00:00{plain.upper()}").tzinfo if plain else None


def _plain(text: str) -> tuple[str, int]:
    """Return a readable time in a form that Python can parse, and the length of its clock time.

    Hour 24 becomes its last moment. Six fractional digits are kept.
    """
    found = _READABLE.fullmatch(text)
    if found is None or found[2] is None:
        return text[:_DAY_CHARS], 0
    clock, dot, fraction = found[3].partition(".")
    if clock.startswith("24"):
        clock, dot, fraction = "23:59:59", ".", "9" * _MICROSECONDS
    clock = f"{clock}{dot}{fraction[:_MICROSECONDS]}"
    return f"{found[1]}T{clock}{found[4].strip().upper()}", len(clock)
