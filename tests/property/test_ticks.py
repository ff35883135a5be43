"""Bounds of times, in every zone and precision: no row that may still appear lies below what no run reads again."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.sources.folds import folds
from airflow_legacy_events.sources.query.horizons.ticks import bound_text, reached
from airflow_legacy_events.sources.query.overlapping.reach import Reach

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"),
    *("Asia/Kolkata", "Pacific/Apia", "America/Havana", "Africa/Monrovia", "Europe/Dublin", "Asia/Beirut"),
    *("America/Caracas", "Antarctica/Troll", "+05:45"),
)
"""With seconds in the offsets of old times, half hours of summer time, and days that a zone left out."""

MICROSECOND, SECOND, DAY = dt.timedelta.resolution, dt.timedelta(seconds=1), dt.timedelta(days=1)
STEPS = [MICROSECOND, 1_000 * MICROSECOND, 100_000 * MICROSECOND, SECOND]
_ORIGIN = dt.datetime(1, 1, 1)  # noqa: DTZ001  of a local clock

moments = st.datetimes(dt.datetime(1895, 1, 1), dt.datetime(2040, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
changes = st.sampled_from(
    [
        dt.datetime(year, month, day, 1, tzinfo=dt.UTC)
        for year, month, day in (
            (2025, 10, 26),
            (2026, 3, 29),
            (2025, 11, 2),
            (1972, 1, 7),
            (2011, 12, 30),
            (2026, 4, 4),
        )
    ]
)
near = st.builds(lambda at, by: at + by, changes, st.timedeltas(-DAY, DAY))
later = st.one_of(st.timedeltas(dt.timedelta(0), 4 * SECOND), st.timedeltas(dt.timedelta(0), 2 * DAY))
columns = st.sampled_from(
    [(Kind.TIMESTAMP, step) for step in STEPS]
    + [(Kind.INSTANT, step) for step in STEPS]
    + [(kind, DAY) for kind in (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT)]
)


def zone_of(name: str) -> dt.tzinfo:
    return dt.timezone(dt.timedelta(hours=5, minutes=45)) if name.startswith("+") else ZoneInfo(name)


def written(moment: dt.datetime, kind: Kind, step: dt.timedelta, zone: str, *, rounded: bool) -> str:
    """The text that a column holds if its value is taken at a moment; some databases cut it, some round it."""
    if kind is Kind.DATE:
        return moment.astimezone(zone_of(zone)).date().isoformat()
    if kind is Kind.INSTANT and step == DAY:
        return (
            dt.datetime.combine(moment.astimezone(zone_of(zone)), dt.time(), zone_of(zone))
            .astimezone(dt.UTC)
            .isoformat()
        )
    local = moment.astimezone(dt.UTC if kind is Kind.INSTANT else zone_of(zone)).replace(tzinfo=None)
    local += step / 2 if rounded and MICROSECOND < step < DAY else dt.timedelta(0)
    cut = local - (local - _ORIGIN) % step
    return cut.isoformat(sep=" ") + ("+00:00" if kind is Kind.INSTANT else "")


def column(kind: Kind) -> Column:
    return Column("at", kind, kind.value, nullable=False)


def time_of(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@given(before=st.one_of(moments, near), by=later, of=columns, zone=st.sampled_from(ZONES), rounded=st.booleans())
def test_no_row_that_may_still_appear_lies_below_the_bound(before, by, of, zone, rounded):
    kind, step = of
    bound = bound_text(before, column(kind), zone, step)
    assert time_of(written(before + by, kind, step, zone, rounded=rounded)) >= time_of(bound)


@given(before=st.one_of(moments, near), of=columns, zone=st.sampled_from(ZONES))
def test_all_ticks_that_are_over_lie_below_the_bound(before, of, zone):
    kind, step = of
    assume((kind, step) != (Kind.INSTANT, DAY))
    bound = time_of(bound_text(before, column(kind), zone, step))
    over = time_of(written(before, kind, step, zone, rounded=False))
    inside = kind is not Kind.INSTANT and any(
        one.low <= before.astimezone(zone_of(zone)).replace(tzinfo=None) < one.high
        for one in folds(zone_of(zone), before)
    )
    assert bound <= over if inside else bound == over


@given(
    before=st.one_of(moments, near),
    by=later,
    length=st.one_of(st.timedeltas(MICROSECOND, 5 * SECOND), st.timedeltas(MICROSECOND, 3 * DAY)),
    of=columns,
    zone=st.sampled_from(ZONES),
    rounded=st.booleans(),
    below=st.sampled_from([0, 0, 1, 7]),
)
def test_what_may_still_appear_lies_above_the_bound_or_in_the_overlap(before, by, length, of, zone, rounded, below):
    kind, step = of
    bound = time_of(bound_text(reached(before, length, step), column(kind), zone, step))
    watermark = bound - step * (1 + below)
    text = watermark.date().isoformat() if kind is Kind.DATE else watermark.isoformat(sep=" ")
    low = Reach(length, column(kind), zone).low((text, "1")).values[0]
    assert time_of(written(before + by, kind, step, zone, rounded=rounded)) >= time_of(low)


@given(at=st.one_of(moments, near), length=st.timedeltas(MICROSECOND, 40 * DAY), zone=st.sampled_from(ZONES))
def test_the_overlap_reaches_as_far_below_by_either_clock(at, length, zone):
    local = at.astimezone(zone_of(zone))
    low = time_of(
        Reach(length, column(Kind.TIMESTAMP), zone).low((local.replace(tzinfo=None).isoformat(sep=" "),)).values[0]
    )
    assume(not local.fold)
    assert low <= local.replace(tzinfo=None) - length
    assert low <= (at - length).astimezone(zone_of(zone)).replace(tzinfo=None)


@pytest.mark.parametrize("text", ["0000-00-00 00:00:00", "0044-03-15 BC", "-infinity", "0001-01-01 00:00:00"])
def test_below_what_is_no_time_every_row_is_read_again(text):
    reach = Reach(DAY, column(Kind.TIMESTAMP), "Europe/Berlin")
    assert reach.low((text, "1")).values == ()
    assert reach.second(text) == 0
    assert reach.low((text, "1"), "2026-01-01").values == ("2026-01-01",)
