"""Rows above the bound of a run: how many, how old, and why they wait."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import PENDING_ROWS, Ceiling, HeldBack
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.sources.place import Start
from airflow_legacy_events.sources.query.clock import moment_of
from airflow_legacy_events.sources.rows import Rows


def find_held_back(
    rows: Rows, start: Start, highest: tuple[Any, ...], ceiling: Ceiling, lag_seconds: float
) -> HeldBack:
    """Return what a run holds back that found a row above its bound.

    Where a row lies above the database's now, those that do are counted; else those that are younger than the lag.

    Args:
        rows: that are read.
        start: where the run begins.
        highest: position of the highest row as it was read.
        ceiling: below which the run reads.
        lag_seconds: how far that lies below the database's now.
    """
    now = rows.database.now()
    newest = _moment(rows, highest[0], now)
    lagging = bool(lag_seconds) and newest is not None and newest <= now
    if lag_seconds and not lagging:
        ceiling = rows.ceiling(0)
    above = dataclasses.replace(rows, where=(*rows.where, sa.not_(ceiling.condition)))
    number, lowest = above.extent(start, PENDING_ROWS)
    oldest = _moment(rows, lowest, now)
    seconds = None if oldest is None else round((now - oldest).total_seconds(), 3)
    return HeldBack(number, seconds, "lag" if lagging else "future")


def _moment(rows: Rows, value: Any, now: dt.datetime) -> dt.datetime | None:
    """Return the point in time that a value means; None where it is none, such as a text that sorts above all times."""
    column = rows.selection.columns[0]
    try:
        return moment_of(rows.database.text(value, column), column, zone_named(rows.timezone), now)
    except LegacyEventsError:
        return None
