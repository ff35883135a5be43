from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits, Pace
from airflow_legacy_events.core.stop import Stop


@pytest.mark.parametrize("name", ["batch_rows", "max_rows", "max_seconds", "rows_per_second"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_budget_is_above_zero(name, value):
    with pytest.raises(ConfigurationError, match=f"{name} must be above 0, got {value!r}"):
        Limits(**{name: value})


@pytest.mark.parametrize(
    ("rows_per_second", "rows"), [(None, 10_000), (10_000, 10_000), (1000, 2000), (1.7, 3), (0.5, 1), (0.001, 1)]
)
def test_a_batch_lasts_two_seconds_at_the_asked_rate_at_most(rows_per_second, rows):
    assert Limits(rows_per_second=rows_per_second).page_rows == rows


def test_the_rate_is_kept_by_waiting_for_what_is_too_fast():
    now, waits = [10.0], []

    class Waits(Stop):
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            return False

    pace = Pace(Limits(rows_per_second=100, max_seconds=5), Waits(), lambda: now[0])
    now[0] = 11.0
    pace.keep(300)
    now[0] = 14.0
    pace.keep(400)
    assert waits == [2.0, 0.0]
    assert (pace.seconds, pace.over) == (4.0, False)
    now[0] = 15.0
    assert pace.over


def test_without_budgets_nothing_waits_and_nothing_is_over():
    pace = Pace(Limits(), Stop(), lambda: 1e9)
    pace.keep(10**9)
    assert not pace.over
