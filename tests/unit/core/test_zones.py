"""What is no time zone is refused in one way, whatever it is."""

from __future__ import annotations

import zoneinfo

import pytest

from airflow_legacy_events.core.zones import zone_named


def test_a_zone_is_found_by_its_name():
    assert zone_named("Europe/Vienna") is zoneinfo.ZoneInfo("Europe/Vienna")


@pytest.mark.parametrize("name", ["Mars/Olympus", "../x", "Europe", "", None, 1])
def test_anything_else_is_a_value_error(name):
    with pytest.raises(ValueError, match="no time zone is named "):
        zone_named(name)
