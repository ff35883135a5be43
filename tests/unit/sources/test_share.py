from __future__ import annotations

import pytest

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.sources.share import share


@pytest.mark.parametrize(
    ("kind", "low", "at", "high", "expected"),
    [
        (Kind.INTEGER, "0", "25", "100", 0.25),
        (Kind.DECIMAL, "1.5", "2.0", "2.5", 0.5),
        (Kind.FLOAT, "0.0", "1e9", "1e10", 0.1),
        (Kind.INTEGER, "50", "10", "100", 0.0),
        (Kind.INTEGER, "0", "200", "100", 1.0),
        (Kind.TIMESTAMP, "2026-01-01 00:00:00", "2026-01-01 12:00:00.5", "2026-01-02 00:00:01", 0.5),
        (Kind.INSTANT, "2026-01-01 00:00:00+00", "2026-01-01 06:00:00+00", "2026-01-02 00:00:00+00", 0.25),
        (Kind.DATE, "2026-01-01", "2026-01-02", "2026-01-05", 0.25),
        (Kind.INTEGER, "7", "7", "7", None),
        (Kind.INTEGER, "9", "9", "7", None),
        (Kind.FLOAT, "NaN", "1", "2", None),
        (Kind.TIMESTAMP, "-infinity", "2026-01-01 00:00:00", "2026-01-02 00:00:00", None),
        (Kind.DATE, "0044-03-15 BC", "2026-01-01", "2026-01-02", None),
        (Kind.TEXT, "a", "b", "c", None),
    ],
)
def test_a_share_is_told_where_values_have_a_distance(kind, low, at, high, expected):
    found = share(Column("at", kind, "whatever"), low, at, high)
    assert found is None if expected is None else found == pytest.approx(expected)
