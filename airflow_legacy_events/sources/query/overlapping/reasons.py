"""Completeness of a run that reads again below the watermark."""

from __future__ import annotations

import datetime as dt

from airflow_legacy_events.core.model import Horizon


def with_overlap(horizon: Horizon, overlap: dt.timedelta, lag_seconds: float, column: str) -> Horizon:
    """Return the horizon of a run whose gap, if it has one, is bounded by the overlap and the lag."""
    if not overlap:
        return horizon
    again = f"{overlap} below the watermark is read again"
    if horizon.completeness != "best_effort":
        return horizon._replace(reason=f"{horizon.reason}; {again}")
    late = overlap + dt.timedelta(seconds=lag_seconds)
    assumed = f"it is assumed that no row is written more than {late} after its time in {column!r}, since {again}"
    return horizon._replace(completeness="bounded", reason=f"{assumed}. Without that: {horizon.reason}")
