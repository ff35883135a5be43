"""Bounds of time columns: no value of an unfinished tick lies below one."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.sources.query.horizons.ticks import bound_text

BEFORE = dt.datetime(2026, 11, 30, 9, 8, 7, 654_321, tzinfo=dt.UTC)
SECOND, MICROSECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(microseconds=1), dt.timedelta(days=1)


def bound(before, kind, tick, zone="UTC"):
    return bound_text(before, Column("at", kind, "timestamp", nullable=False), zone, tick)


@pytest.mark.parametrize(
    ("tick", "text"),
    [
        (MICROSECOND, "2026-11-30 09:08:07.654321"),
        (dt.timedelta(milliseconds=1), "2026-11-30 09:08:07.654000"),
        (SECOND, "2026-11-30 09:08:07"),
    ],
)
def test_a_bound_is_rounded_down_to_the_precision_of_the_column(tick, text):
    assert bound(BEFORE, Kind.TIMESTAMP, tick) == text


def test_today_waits_in_the_zone_of_the_column():
    late = BEFORE.replace(hour=23)
    assert bound(late, Kind.DATE, DAY) == "2026-11-30"
    assert bound(late, Kind.DATE, DAY, "Asia/Tokyo") == "2026-12-01"


@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (1, 30)])
def test_a_bound_in_an_hour_that_comes_again_lies_at_its_beginning(hour, minute):
    twice = dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC)
    assert bound(twice, Kind.TIMESTAMP, SECOND, "Europe/Berlin") == f"2026-10-25 02:{minute:02}:00"
    assert bound(twice, Kind.INSTANT, SECOND, "Europe/Berlin") == f"2026-10-25 0{hour}:30:00+00:00"
