"""Defaults and triggers that give a PostgreSQL column the database's time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

from airflow_legacy_events.databases.postgres.written import Trigger

_MOMENT = (
    r"(?:pg_catalog\.)?(?P<name>now|(?:transaction|statement|clock)_timestamp|CURRENT_TIMESTAMP\d?|LOCALTIMESTAMP\d?"
    r"|CURRENT_DATE|'now'::text)"
)
_CASTS = r"(?:::(?:timestamp\d? with(?:out)? time zone|date))*"
_SHIFTED = rf"(?P<moment>{_MOMENT}){_CASTS}"
_ZONE = r"'(?P<{}>[^']+)'::text"
_DEFAULTS = tuple(
    re.compile(pattern)
    for pattern in (
        _SHIFTED,
        rf"(?:pg_catalog\.)?timezone{_ZONE.format('zone')}, {_SHIFTED}{_CASTS}",
        rf"{_SHIFTED} AT TIME ZONE {_ZONE.format('zone')}{_CASTS}",
        rf"(?:pg_catalog\.)?date_trunc{_ZONE.format('step')}, {_SHIFTED}{_CASTS}",
    )
)
_DIGITS = re.compile(r"(?:TIMESTAMP|timestamp)([0-6])")
_STEPS = {
    "microseconds": dt.timedelta(),
    "milliseconds": dt.timedelta(milliseconds=1),
    "second": dt.timedelta(seconds=1),
    "seconds": dt.timedelta(seconds=1),
}
_CLOCKS = r"(?:now\s*\(|(?:transaction|statement|clock)_timestamp\s*\(|current_timestamp|localtimestamp|current_date)"
_MODDATETIME = "moddatetime"
_STATEMENT = "statement_timestamp"


class Clock(NamedTuple):
    """What gives a column the database's time.

    Attributes:
        by: in words.
        zone: name of the zone of its naive times; empty for the session's, whatever that is.
        of_statement: whether it may be the time of a statement, which may be older than its transaction.
        step: that its times are rounded down to, if coarser than the column's own.
    """

    by: str
    zone: str = ""
    of_statement: bool = False
    step: dt.timedelta = dt.timedelta()


def by_default(expression: str | None) -> Clock | None:
    """Return what a default gives, None if that is not surely the database's time."""
    plain = (expression or "").replace("()", "").replace("(", "").replace(")", "")
    for pattern in _DEFAULTS:
        if found := pattern.fullmatch(plain):
            parts = found.groupdict()
            step = _STEPS.get(parts.get("step") or "microseconds")
            if step is None:
                return None
            digits = [dt.timedelta(microseconds=10 ** (6 - int(one))) for one in _DIGITS.findall(plain)]
            by, zone = f"its default {expression}", parts.get("zone") or ""
            return Clock(by, zone, parts["name"] == _STATEMENT, max([step, *digits]))
    return None


def by_trigger(column: str, triggers: Sequence[Trigger]) -> Clock | None:
    """Return what a trigger gives, None if none surely sets the column to the database's time."""
    setting = re.compile(rf'new\s*\.\s*"?{re.escape(column)}"?\s*:?=\s*[^;]*?(?P<clock>{_CLOCKS})', re.IGNORECASE)
    for one in triggers:
        by = f"the trigger {one.name}"
        if one.source == _MODDATETIME and column in re.split(r"\\000|\0", one.arguments):
            return Clock(by)
        if found := setting.search(one.source):
            return Clock(by, of_statement=found["clock"].lower().startswith(_STATEMENT))
    return None
