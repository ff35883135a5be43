"""What a user may write for a value to begin with, and what a window may hold."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Window
from airflow_legacy_events.sources.first_value import first_value
from airflow_legacy_events.sources.window import bounds

VIENNA = zoneinfo.ZoneInfo("Europe/Vienna")
UTC = dt.UTC


def column(kind):
    return Column("at", kind, f"a {kind}")


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-01",
        "2026-11-01 08:00:00",
        "2026-11-01T23:30:00",
        "2026-10-31T23:30:00Z",
        dt.date(2026, 11, 1),
        dt.datetime(2026, 11, 1, 8),  # noqa: DTZ001
        dt.datetime(2026, 10, 31, 23, 30, tzinfo=UTC),
    ],
)
def test_a_column_of_dates_begins_with_the_day_of_what_was_given(written):
    assert first_value(written, column(Kind.DATE), VIENNA) == "2026-11-01"


@pytest.mark.parametrize(("kind", "written"), [(Kind.TIMESTAMP, "2026-11-01 08:00"), (Kind.TIMESTAMP, "2026-11-01")])
def test_a_naive_time_is_taken_as_it_is_written(kind, written):
    assert first_value(written, column(kind), VIENNA) == written


@pytest.mark.parametrize("kind", [Kind.DECIMAL, Kind.FLOAT, Kind.INTEGER])
@pytest.mark.parametrize("written", ["NaN", "nan", float("nan"), "-nan", "sNaN"])
def test_what_is_no_number_is_no_value(kind, written):
    with pytest.raises(ConfigurationError, match=r"first_run=.* was given, but .* 'at' is a .*; nothing was read"):
        first_value(written, column(kind), VIENNA)
    for low, high in ((written, "5"), ("5", written)):
        with pytest.raises(ConfigurationError, match="replay="):
            bounds(Window(None, str(low), str(high)), column(kind), VIENNA)


@pytest.mark.parametrize("kind", [Kind.DECIMAL, Kind.FLOAT])
def test_a_window_may_have_no_end(kind):
    assert bounds(Window(None, "5", "Infinity"), column(kind), VIENNA).high.lower().startswith("inf")
