"""Server clock expressions for PostgreSQL statements."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.databases.conditions import bound
from airflow_legacy_events.databases.postgres.zone import spelled

_DIGITS = re.compile(r"\((\d)\)")
_MILLISECONDS = 3


def until_now(value: Any, kind: Kind, lag_seconds: float, timezone: str, now: Any) -> Any:
    """Return the condition that a temporal value is at or before `now` minus a lag; see `SqlDatabase._until_now`."""
    if lag_seconds:
        now = now - sa.func.make_interval(0, 0, 0, 0, 0, 0, lag_seconds)
    if kind is Kind.INSTANT:
        return value <= now
    local = sa.func.timezone(bound(spelled(timezone)), now)
    return value <= (sa.cast(local, sa.Date) if kind is Kind.DATE else local)


def marking(of: Column, now: Any) -> Any:
    """Return the `now` expression for a column; see `core.ports.Database.marking`."""
    if digits := _DIGITS.search(of.type):  # an assignment would round up
        now = sa.func.date_trunc(bound("second" if int(digits[1]) < _MILLISECONDS else "milliseconds"), now)
    if of.kind is Kind.INSTANT:
        return now
    utc = sa.func.timezone(bound("UTC"), now)
    if of.kind is Kind.TEXT:
        return sa.func.to_char(utc, bound("YYYY-MM-DD HH24:MI:SS.US"))
    return sa.cast(utc, sa.Date) if of.kind is Kind.DATE else utc
