"""Ticks: the bound of a time column, as its text, rounded down to the smallest step of its values."""

from __future__ import annotations

import datetime as dt

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.sources.first_value import first_value
from airflow_legacy_events.sources.query.clock import moment_of
from airflow_legacy_events.sources.rows import Rows

_DAY = dt.timedelta(days=1)
_LONGEST_DAY = dt.timedelta(hours=26)
"""A day on which the clock is set back by two hours, as far as zones of today do."""
_AS_TIME = Column("horizon", Kind.TIMESTAMP, "timestamp", nullable=False)
_ORIGIN = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def bound_text(before: dt.datetime, column: Column, timezone: str, tick: dt.timedelta) -> str:
    """Return the exclusive bound `before` as the text of a column; no value of an unfinished tick lies below it.

    A naive time that the zone's clock will show again is moved to the beginning of its fold.

    Args:
        before: in UTC.
        column: a date or time.
        timezone: name of the zone of a naive column.
        tick: smallest step of its values: a second or less, or a day, which begins at midnight of the zone. A day of
            moments may begin at any time.
    """
    whole = before - (before - _ORIGIN) % tick if dt.timedelta(0) < tick < _DAY else before
    if column.kind is Kind.INSTANT:
        return first_value(whole if tick < _DAY else whole - _LONGEST_DAY, column, dt.UTC, argument="horizon")
    zone = zone_named(timezone)
    local = whole.astimezone(zone)
    if not local.fold:  # else its clock shows it for the second and last time
        local = dt.datetime.fromisoformat(first_value(whole, _AS_TIME, zone, argument="horizon"))
    if column.kind is Kind.DATE:
        return local.date().isoformat()
    return (local.replace(tzinfo=None) if tick < _DAY else dt.datetime.combine(local, dt.time())).isoformat(sep=" ")


def reached(mark: dt.datetime, overlap: dt.timedelta, tick: dt.timedelta) -> dt.datetime:
    """Return the exclusive bound of a run that reads again below its watermark, before it is rounded down.

    An overlap of a tick or more lets a run read so far above the mark, whose last tick may be open: from there it
    reaches back to the mark, below which no row can appear.
    """
    return mark if not overlap or overlap < tick else mark + overlap - overlap % tick + tick


def seconds_behind(rows: Rows, text: str, before: dt.datetime, now: dt.datetime) -> float:
    """Return how far a bound lies behind the database's clock.

    Args:
        rows: whose first position column it bounds.
        text: of the bound.
        before: it rounds this moment down; both count as one while the local clock changes.
        now: of the database's clock.
    """
    moment = moment_of(text, rows.selection.columns[0], zone_named(rows.timezone), now)
    return (now - (moment or before)).total_seconds()
