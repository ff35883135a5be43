"""How long a DAG may pause between two of its runs."""

import datetime as dt
from types import SimpleNamespace

import pytest

from airflow_legacy_events.streams.schedule import longest_interval

HOUR = 3600


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        (None, None),
        (dt.timedelta(minutes=5), 300),
        ("*/5 * * * *", 300),
        ("@daily", 24 * HOUR),
        ("0 7 * * 1-5", 72 * HOUR),
        ("@once", None),
        ("@continuous", None),
        ([SimpleNamespace(uri="an asset")], None),
        (SimpleNamespace(expression="0 * * * *"), HOUR),
        (SimpleNamespace(delta=dt.timedelta(hours=2)), 2 * HOUR),
    ],
)
def test_the_longest_pause_counts(schedule, seconds):
    assert longest_interval(schedule) == seconds
