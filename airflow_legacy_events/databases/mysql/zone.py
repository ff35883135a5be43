"""Server time zone: `@@global.time_zone`, and the meaning of `SYSTEM` there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from airflow_legacy_events.core.ports import ServerZone
from airflow_legacy_events.core.zones import canonical, offset_name

_SYSTEM = "SYSTEM"
_YEAR = len("2026")
_OFFSET = re.compile(r"([+-])(\d{1,2}):(\d{2})")


def columns() -> tuple[str, ...]:
    """Return the SELECT list for `zone_of`: the zone, the system's zone, and two noons of this year in it."""
    shown = (f"CONVERT_TZ({noon!r}, '+00:00', @@global.time_zone)" for noon in _noons())
    return "@@global.time_zone", "@@system_time_zone", *shown


def zone_of(answer: Sequence[str | None]) -> ServerZone:
    """Return the zone from the result of `columns`.

    A system reports only its abbreviation at server start, such as CEST. That is not a zone name: `EST` is New York as
    well as Panama. UTC is recognized by its clock, in winter and in summer.
    """
    name, system, *shown = answer
    said = f"{_SYSTEM} ({system})" if name == _SYSTEM else str(name)
    if all(one is not None and one[_YEAR:].startswith(noon[_YEAR:]) for one, noon in zip(shown, _noons(), strict=True)):
        return ServerZone("UTC", said)
    return ServerZone(None if name == _SYSTEM else _named(said), said)


def _named(said: str) -> str | None:
    found = _OFFSET.fullmatch(said)
    if found is None:
        return canonical(said)
    offset = dt.timedelta(hours=int(found[2]), minutes=int(found[3]))
    return offset_name(-offset if found[1] == "-" else offset)


def _noons() -> tuple[str, str]:
    year = dt.datetime.now(dt.UTC).year
    return f"{year}-01-15 12:00:00", f"{year}-07-15 12:00:00"
