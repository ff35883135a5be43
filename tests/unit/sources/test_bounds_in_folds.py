"""Bounds inside an hour that the clock shows twice: every row of the window is in, and elsewhere nothing moves."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo

import pytest

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.model import Window
from airflow_legacy_events.sources.first_value import first_value
from airflow_legacy_events.sources.window import bounds

FOLDS = {
    # zone: when its clock is set back (UTC), the local times that it is set back to and from
    "Europe/Berlin": ("2025-10-26 01:00", "2025-10-26 02:00:00", "2025-10-26 03:00:00"),
    "America/New_York": ("2025-11-02 06:00", "2025-11-02 01:00:00", "2025-11-02 02:00:00"),
    "Australia/Lord_Howe": ("2025-04-05 15:00", "2025-04-06 01:30:00", "2025-04-06 02:00:00"),
    "America/Sao_Paulo": ("2018-02-18 02:00", "2018-02-17 23:00:00", "2018-02-18 00:00:00"),
    "America/St_Johns": ("2010-11-07 02:31", "2010-11-06 23:01:00", "2010-11-07 00:01:00"),
    "Europe/Volgograd": ("2020-12-26 22:00", "2020-12-27 01:00:00", "2020-12-27 02:00:00"),
}
STEP = dt.timedelta(minutes=15)


def column(kind):
    return Column("at", kind, f"a {kind}")


def around(zone):
    """Moments from three hours before the clock is set back to three hours after."""
    end = dt.datetime.fromisoformat(FOLDS[zone][0]).replace(tzinfo=dt.UTC)
    return [end + number * STEP for number in range(-12, 13)]


def local(moment, zone):
    return moment.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)


def found(low, high, zone, kind=Kind.TIMESTAMP):
    window = Window(None, low.isoformat(), high.isoformat())
    return bounds(window, column(kind), zoneinfo.ZoneInfo(zone))


@pytest.mark.parametrize("zone", FOLDS)
def test_every_row_that_was_written_in_a_window_lies_between_its_bounds(zone):
    moments = around(zone)
    for low, high in itertools.combinations(moments, 2):
        least, most = map(dt.datetime.fromisoformat, found(low, high, zone))
        assert all(least <= local(one, zone) < most for one in moments if low <= one < high)


@pytest.mark.parametrize("zone", ["America/St_Johns", "America/Sao_Paulo"])
def test_every_date_whose_midnight_lies_in_a_window_lies_between_its_bounds(zone):
    moments = [moment - dt.timedelta(minutes=1) * part for moment in around(zone) for part in (0, 1)]
    midnights = [one for one in moments if local(one, zone).time() == dt.time()]
    for low, high in itertools.combinations(sorted(moments), 2):
        least, most = found(low, high, zone, Kind.DATE)
        assert all(least <= local(one, zone).date().isoformat() < most for one in midnights if low <= one < high)


@pytest.mark.parametrize("zone", FOLDS)
def test_a_bound_inside_goes_to_the_outer_edge_and_one_outside_stays(zone):
    _, low, high = FOLDS[zone]
    inside = [one for one in around(zone) if low < local(one, zone).isoformat(sep=" ") < high]
    outside = [one for one in around(zone) if not low <= local(one, zone).isoformat(sep=" ") < high]
    far = (inside[0] - dt.timedelta(days=1), inside[0] + dt.timedelta(days=1))

    assert {found(one, far[1], zone).low for one in inside} == {low}
    assert {found(far[0], one, zone).high for one in inside} == {high}
    for one in outside:
        assert found(one, far[1], zone).low == found(far[0], one, zone).high == local(one, zone).isoformat(sep=" ")


@pytest.mark.parametrize("zone", FOLDS)
def test_windows_that_meet_where_the_hour_begins_or_is_over_share_nothing_of_it(zone):
    end, low, high = FOLDS[zone]
    over = dt.datetime.fromisoformat(high).replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=1).astimezone(dt.UTC)
    end = dt.datetime.fromisoformat(end).replace(tzinfo=dt.UTC)
    begin = end - (over - end)
    hour = dt.timedelta(hours=1)
    assert found(begin - hour, begin, zone).high == low
    assert found(begin, end, zone) == found(end, over, zone) == (low, high)
    assert found(over, over + hour, zone).low == high


@pytest.mark.parametrize("kind", [Kind.INSTANT, Kind.INTEGER])
def test_a_column_of_instants_or_numbers_has_no_such_hour(kind):
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    if kind is Kind.INTEGER:
        assert bounds(Window(None, "1", "2"), column(kind), zone) == ("1", "2")
        return
    low, high = around("Europe/Berlin")[9:11]
    assert found(low, high, "Europe/Berlin", kind) == (low.isoformat(sep=" "), high.isoformat(sep=" "))


@pytest.mark.parametrize("zone", FOLDS)
@pytest.mark.parametrize("fold", [0, 1])
def test_a_first_run_begins_before_all_of_the_hour(zone, fold):
    _, low, high = FOLDS[zone]
    tz, inside = zoneinfo.ZoneInfo(zone), dt.datetime.fromisoformat(low) + dt.timedelta(minutes=10)
    aware = inside.replace(tzinfo=tz, fold=fold)
    given = [inside, str(inside), inside.isoformat(), aware, aware.astimezone(dt.UTC), aware.isoformat()]
    assert {first_value(one, column(Kind.TIMESTAMP), tz) for one in given} == {low}
    assert first_value(aware, column(Kind.DATE), tz) == low[:10]
    for outside in (low, high, "2025-07-01T12:00", "2025-07-01"):
        assert first_value(outside, column(Kind.TIMESTAMP), tz) == outside


def test_a_first_run_of_instants_begins_with_the_first_showing():
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    assert first_value("2025-10-26 02:30", column(Kind.INSTANT), zone) == "2025-10-26 00:30:00+00:00"


def test_a_day_that_is_written_as_one_stays_though_its_midnight_occurs_twice():
    zone = zoneinfo.ZoneInfo("America/St_Johns")
    assert first_value("2010-11-07", column(Kind.DATE), zone) == "2010-11-07"
    assert first_value(dt.date(2010, 11, 7), column(Kind.DATE), zone) == "2010-11-07"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_the_hour_that_is_left_out_in_spring_moves_nothing(zone):
    first = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
    moments = [first + number * dt.timedelta(minutes=30) for number in range(24 * 2 * 31)]
    later = first + dt.timedelta(days=40)
    assert all(found(one, later, zone).low == local(one, zone).isoformat(sep=" ") for one in moments)
