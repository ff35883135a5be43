"""Schedule of a DAG: the longest time between two of its runs."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

_CRON_RUNS = 60


def longest_interval(schedule: Any) -> float | None:
    """Return the longest time between two scheduled runs, in seconds; None for a DAG that no clock starts.

    Of a cron expression the next sixty runs count.

    Args:
        schedule: as given to the DAG.
    """
    if isinstance(schedule, dt.timedelta):
        return schedule.total_seconds()
    expression = schedule if isinstance(schedule, str) else getattr(schedule, "expression", None)
    if isinstance(expression, str):
        return _of_cron(expression)
    delta = getattr(schedule, "delta", None)
    return delta.total_seconds() if isinstance(delta, dt.timedelta) else None


def _of_cron(expression: str) -> float | None:
    from croniter import croniter  # type: ignore[import-untyped]  # noqa: PLC0415  as Airflow does, only in a run

    if not croniter.is_valid(expression):
        return None
    runs = croniter(expression, dt.datetime.now(dt.UTC))
    times: list[float] = [runs.get_next(float) for _ in range(_CRON_RUNS)]
    return max(later - earlier for earlier, later in pairwise(times))
