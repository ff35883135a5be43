"""What is no time zone is refused in one way, whatever it is."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from airflow_legacy_events.core.zones import canonical, offset_name, offset_named, zone_named


def test_a_zone_is_found_by_its_name():
    assert zone_named("Europe/Vienna") is zoneinfo.ZoneInfo("Europe/Vienna")


@pytest.mark.parametrize("name", ["Mars/Olympus", "../x", "Europe", "", None, 1])
def test_anything_else_is_a_value_error(name):
    with pytest.raises(ValueError, match="no time zone is named "):
        zone_named(name)


@pytest.mark.parametrize(("name", "minutes"), [("+05:30", 330), ("-11:00", -660), ("+00:00", 0), ("+14:00", 840)])
def test_an_offset_is_a_zone_that_is_the_same_all_year(name, minutes):
    offset = dt.timedelta(minutes=minutes)
    for month in (1, 7):
        assert dt.datetime(2026, month, 1, tzinfo=zone_named(name)).utcoffset() == offset
    assert offset_named(name) == offset
    assert offset_name(offset) == ("UTC" if not minutes else name)


@pytest.mark.parametrize("name", ["+14:01", "-15:00", "+5:30", "0530", "+05:60"])
def test_what_only_looks_like_an_offset_is_none(name):
    assert offset_named(name) is None
    with pytest.raises(ValueError, match="no time zone is named "):
        zone_named(name)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("EUROPE/BERLIN", "Europe/Berlin"),
        ("Etc/UTC", "UTC"),
        ("gmt", "UTC"),
        ("Africa/Abidjan", "UTC"),
        ("Europe/London", "Europe/London"),
        ("CEST", None),
        ("", None),
        ("Europe", None),
    ],
)
def test_a_server_s_name_of_a_zone_is_found_whatever_its_case(said, name):
    assert canonical(said) == name
