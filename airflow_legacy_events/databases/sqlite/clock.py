"""The time now: SQLite's clock is that of this process."""

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
    """Return the time now less a lag as a text, of a date its day.

    Args:
        kind: of the value that it is compared with; an instant is in UTC.
        lag_seconds: seconds, 0 or more.
        timezone: name of the zone of a naive value.
    """
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=lag_seconds)
    if kind is not Kind.INSTANT:
        moment = moment.astimezone(zone_named(timezone)).replace(tzinfo=None)
    text = moment.isoformat(sep=" ", timespec="microseconds")
    return text[:_DAY_CHARS] if kind is Kind.DATE else text


def now_as_text(kind: Kind) -> Any:
    """Return the expression of the time now in UTC, a text to the millisecond, for a temporal column of a kind."""
    if kind is Kind.DATE:
        return sa.func.date(bound("now"))
    text = sa.func.strftime(bound(_TO_THE_MILLISECOND), bound("now"))
    return text.op("||")(bound("+00:00")) if kind is Kind.INSTANT else text
