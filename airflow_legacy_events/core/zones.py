"""Time zones by IANA name, or by a fixed offset."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

OF_DATABASE = "database"
"""Keyword for the database's own time zone."""

_OFFSET = re.compile(r"([+-])([01]\d):([0-5]\d)")
_MOST = dt.timedelta(hours=14)


def zone_named(name: Any) -> dt.tzinfo:
    """Return the time zone of an IANA name, or of an offset east of UTC such as `+02:00`.

    Raises:
        ValueError: there is none on this machine, for a `name` of any type; callers reword it for their users.
    """
    if isinstance(name, str) and (offset := offset_named(name)) is not None:
        return dt.timezone(offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:  # OSError: a directory of the tz database
        raise ValueError(f"no time zone is named {name!r}") from error


def offset_named(name: str) -> dt.timedelta | None:
    """Return the offset east of UTC of a name such as `+02:00`, from -14:00 to +14:00; None for other names."""
    found = _OFFSET.fullmatch(name)
    if found is None:
        return None
    offset = dt.timedelta(hours=int(found[2]), minutes=int(found[3]))
    return None if offset > _MOST else -offset if found[1] == "-" else offset


def offset_name(offset: dt.timedelta) -> str | None:
    """Return the name of an offset east of UTC, such as `+02:00`, or `UTC` for zero; None if it has no name."""
    hours, minutes = divmod(abs(offset) // dt.timedelta(minutes=1), 60)
    name = f"{'-' if offset < dt.timedelta(0) else '+'}{hours:02}:{minutes:02}"
    if not offset:
        return "UTC"
    return name if offset_named(name) == offset else None


def canonical(name: str) -> str | None:
    """Return the IANA name for a server's zone name in any case, and `UTC` for each zone that is always UTC.

    None if there is none.
    """
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = {one.casefold(): one for one in available_timezones()}
        if (found := known.get(name.casefold())) is None:
            return None
        zone = ZoneInfo(found)
    return "UTC" if _is_utc(zone) else zone.key


def _is_utc(zone: ZoneInfo) -> bool:
    """Whether the clock of a zone equals UTC throughout this year."""
    year = dt.datetime.now(dt.UTC).year
    return not any(dt.datetime(year, month, 15, tzinfo=zone).utcoffset() for month in range(1, 13))
