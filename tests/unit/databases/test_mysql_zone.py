"""What MariaDB and MySQL say of their zone, and what that is taken for."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from airflow_legacy_events.databases.mysql.zone import columns, zone_of

UTC, LONDON, BERLIN = "UTC", "Europe/London", "Europe/Berlin"


def shown(zone):
    """What a server shows at the two moments that it is asked for."""
    moments = (dt.datetime(dt.datetime.now(dt.UTC).year, month, 15, 12, tzinfo=dt.UTC) for month in (1, 7))
    return [moment.astimezone(zoneinfo.ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S") for moment in moments]


@pytest.mark.parametrize(
    ("variable", "system", "clock", "name", "said"),
    [
        ("SYSTEM", "UTC", UTC, "UTC", "SYSTEM (UTC)"),
        ("SYSTEM", "Coordinated Universal Time", UTC, "UTC", "SYSTEM (Coordinated Universal Time)"),
        ("SYSTEM", "GMT", LONDON, None, "SYSTEM (GMT)"),
        ("SYSTEM", "CEST", BERLIN, None, "SYSTEM (CEST)"),
        ("SYSTEM", "CET", BERLIN, None, "SYSTEM (CET)"),
        ("+00:00", "CEST", UTC, "UTC", "+00:00"),
        ("+02:00", "UTC", "Etc/GMT-2", "+02:00", "+02:00"),
        ("Europe/Berlin", "UTC", BERLIN, BERLIN, BERLIN),
        ("Nowhere/Else", "UTC", BERLIN, None, "Nowhere/Else"),
    ],
)
def test_a_system_s_abbreviation_names_no_zone_and_utc_is_known_by_its_clock(variable, system, clock, name, said):
    found = zone_of([variable, system, *shown(clock)])
    assert (found.name, found.said) == (name, said)
    assert len(columns()) == 2 + len(shown(clock))


def test_a_zone_that_the_server_can_t_convert_is_known_by_its_name():
    assert zone_of(["Europe/Berlin", "UTC", None, None]).name == BERLIN
