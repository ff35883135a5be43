"""Rows above the bound of a run: how many, how old, and why they wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import PENDING_ROWS, Ceiling, HeldBack
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.query.clock import moment_of
from airflow_legacy_events.sources.rows import Rows


class Top(NamedTuple):
    """What lies above where a run begins.

    Attributes:
        highest: position at or below the bound; None where none is there, or it is still to be looked for.
        complete: whether it was looked for.
        above: the first values of the positions above the bound, from the top, as they are read.
    """

    highest: Values | None
    complete: bool
    above: Sequence[Any]


def find_top(rows: Rows, start: Start, ceiling: Ceiling) -> Top:
    """Return it: by one look where nothing lies above the bound, else by one more."""
    found = rows.topmost(start, ceiling.condition, 1)
    if found and not found[0][1]:
        found = rows.topmost(start, ceiling.condition, PENDING_ROWS + 1)
    above = [values[0] for values, below in found if not below]
    below = next((rows.texts(values) for values, below in found if below), None)
    return Top(below, len(above) <= PENDING_ROWS, above)


def find_held_back(rows: Rows, above: Sequence[Any], lag_seconds: float) -> HeldBack | None:
    """Return what a run holds back; None where nothing lies above its bound.

    Where a row lies above the database's now, those that do are counted; else those that are younger than the lag.

    Args:
        rows: that are read.
        above: the first values of the positions above the bound, from the top.
        lag_seconds: how far that lies below the database's now.
    """
    if not above:
        return None
    now = rows.database.now()
    moments = [_moment(rows, value, now) for value in above[:PENDING_ROWS]]
    waiting = [one for one in moments if not lag_seconds or one is None or one > now]
    reason = "future" if waiting else "lag"
    counted = waiting or moments
    oldest = counted[-1]
    seconds = None if oldest is None else round((now - oldest).total_seconds(), 3)
    return HeldBack(len(counted), seconds, reason)


def _moment(rows: Rows, value: Any, now: dt.datetime) -> dt.datetime | None:
    """Return the point in time that a value means; None where it is none, such as an infinite one."""
    column = rows.selection.columns[0]
    try:
        return moment_of(rows.database.text(value, column), column, zone_named(rows.timezone), now)
    except LegacyEventsError:
        return None
