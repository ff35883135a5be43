"""Fraction of a range that is done at a watermark, only for display."""

from __future__ import annotations

import datetime as dt

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind

_NUMERIC = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.SINGLE})


def share(column: Column, low: str, at: str, high: str) -> float | None:
    """Return the fraction of the range from `low` to `high` that lies at or below `at`, 0 to 1.

    None if the column's values have no numeric distance, or one of them has none.
    """
    try:
        start, here, end = (_number(column.kind, text) for text in (low, at, high))
    except ValueError:
        return None
    if start is None or here is None or end is None or not end > start:
        return None
    return min(1.0, max(0.0, (here - start) / (end - start)))


def _number(kind: Kind, text: str) -> float | None:
    if kind in _NUMERIC:
        return float(text)
    if kind in TEMPORAL:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    return None
