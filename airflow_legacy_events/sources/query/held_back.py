"""Held-back rows, above the bound of a run: their number, age, and the reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import PENDING_ROWS, Ceiling, HeldBack
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.query.clock import moment_of
from airflow_legacy_events.sources.query.horizons.drained import Drained
from airflow_legacy_events.sources.rows import Rows


class Top(NamedTuple):
    """Highest rows above the start of a run.

    Attributes:
        highest: position at or below the bound; None if there is none, or it was not looked for yet.
        complete: whether it was looked for.
        above: first value of each position above the bound, from the top, as read.
    """

    highest: Values | None
    complete: bool
    above: Sequence[Any]


def find_top(rows: Rows, start: Start, ceiling: Ceiling) -> Top:
    """Return the highest rows: with one query if none lies above the bound, else with a second one."""
    found = rows.topmost(start, ceiling.condition, 1)
    if found and not found[0][1]:
        found = rows.topmost(start, ceiling.condition, PENDING_ROWS + 1)
    above = [values[0] for values, below in found if not below]
    below = next((rows.texts(values) for values, below in found if below), None)
    return Top(below, len(above) <= PENDING_ROWS, above)


def find_held_back(
    rows: Rows, above: Sequence[Any], lag_seconds: float, start: Start, highest: Values | None, drained: Drained
) -> HeldBack | None:
    """Return the rows that a run holds back; None if none lies above its bound.

    If an open transaction holds rows back, all above the bound are counted. Else rows above the database's now are
    counted; if there are none, rows younger than the lag.

    Args:
        rows: of the run.
        above: first value of each position above the ceiling, from the top.
        lag_seconds: distance of the ceiling below the database's now.
        start: of the run.
        highest: position at or below the ceiling.
        drained: how far the rows are final.
    """
    if highest != drained.target:
        return _of_writers(rows, start if drained.target is None else Start(drained.target), drained)
    return _of_clock(rows, above, lag_seconds)


def _of_writers(rows: Rows, bound: Start, drained: Drained) -> HeldBack | None:
    """Return the rows above the bound that are there already."""
    found = rows.count(bound, PENDING_ROWS)
    seconds = None if drained.seconds is None else round(drained.seconds, 3)
    reason = "open_transaction" if drained.waits else "lag"
    blocker = None if drained.blocker is None else drained.blocker._asdict()
    return HeldBack(found, seconds, reason, blocker) if found else None


def _of_clock(rows: Rows, above: Sequence[Any], lag_seconds: float) -> HeldBack | None:
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
    """Return the point in time of a value; None if it is not one, such as infinity."""
    column = rows.selection.columns[0]
    try:
        return moment_of(rows.database.text(value, column), column, zone_named(rows.timezone), now)
    except LegacyEventsError:
        return None
