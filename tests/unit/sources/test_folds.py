"""The hours that occur twice, zone by zone."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.sources.folds import folds

FOLDS = {
    # zone, around (UTC): when it begins and ends (UTC), the local times that it is set back to and from
    "Europe/Berlin": ("2025-10-20", "2025-10-26 00:00", "2025-10-26 01:00", "2025-10-26 02:00", "2025-10-26 03:00"),
    "America/Sao_Paulo": ("2018-02-10", "2018-02-18 01:00", "2018-02-18 02:00", "2018-02-17 23:00", "2018-02-18 00:00"),
    "America/New_York": ("2025-11-20", "2025-11-02 05:00", "2025-11-02 06:00", "2025-11-02 01:00", "2025-11-02 02:00"),
    "Australia/Lord_Howe": (
        *("2025-04-01", "2025-04-05 14:30", "2025-04-05 15:00"),
        *("2025-04-06 01:30", "2025-04-06 02:00"),
    ),
    "Europe/Volgograd": ("2020-12-20", "2020-12-26 21:00", "2020-12-26 22:00", "2020-12-27 01:00", "2020-12-27 02:00"),
}


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize("zone", FOLDS)
def test_a_fold_is_found_with_its_borders(zone):
    around, begin, end, low, high = FOLDS[zone]
    (fold,) = folds(zoneinfo.ZoneInfo(zone), utc(around))
    assert fold == tuple(map(dt.datetime.fromisoformat, (begin, end, low, high)))


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("Europe/Berlin", "2025-03-30"),
        ("America/Sao_Paulo", "2017-10-15"),
        ("UTC", "2025-10-26"),
        ("Asia/Tokyo", "2025-10-26"),
    ],
)
def test_a_spring_gap_and_a_zone_without_changes_have_none(zone, around):
    assert folds(zoneinfo.ZoneInfo(zone), utc(around)) == []


@given(
    st.sampled_from(sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})),
    st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2037, 1, 1)),  # noqa: DTZ001
    st.floats(0, 3),
)
def test_below_the_held_time_the_clock_never_shows_a_time_again(name, moment, hours):
    """What a watermark may pass at `now` lies below every local time of any later moment."""
    zone, now = zoneinfo.ZoneInfo(name), moment.replace(tzinfo=dt.UTC)
    later = now + dt.timedelta(hours=hours)
    local = now.astimezone(zone).replace(tzinfo=None)
    held = [fold.low for fold in folds(zone, now) if fold.begin <= moment < fold.end]
    assert min([local, *held]) <= later.astimezone(zone).replace(tzinfo=None)
