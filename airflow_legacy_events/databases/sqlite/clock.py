"""Current time: SQLite uses this process's clock."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.databases.conditions import bound

_TO_THE_MILLISECOND = "%Y-%m-%d %H:%M:%f"
_DAY_CHARS = 10


def latest(kind: Kind, lag_seconds: float, timezone: str) -> str:
    """Return the current time minus a lag as text; for a date, only the day.

    Args:
        kind: of the compared value; an instant is in UTC.
        lag_seconds: seconds, 0 or more.
        timezone: name of the zone that a naive value is in.
    """
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=lag_seconds)
    if kind is not Kind.INSTANT:
        moment = moment.astimezone(zone_named(timezone)).replace(tzinfo=None)
    text = moment.isoformat(sep=" ", timespec="microseconds")
    return text[:_DAY_CHARS] if kind is Kind.DATE else text


def now_as_text(kind: Kind) -> Any:
    """Return the SQL expression of the current time in UTC for a temporal column: text with milliseconds."""
    if kind is Kind.DATE:
        return sa.func.date(bound("now"))
    text = sa.func.strftime(bound(_TO_THE_MILLISECOND), bound("now"))
    return text.op("||")(bound("+00:00")) if kind is Kind.INSTANT else text
