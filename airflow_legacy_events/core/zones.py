"""Time zones by their IANA names."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_named(name: Any) -> ZoneInfo:
    """Return the time zone of an IANA name.

    Raises:
        ValueError: there is none here, whatever `name` is; each caller words that for its own user.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:  # OSError: a folder of the database
        raise ValueError(f"no time zone is named {name!r}") from error
