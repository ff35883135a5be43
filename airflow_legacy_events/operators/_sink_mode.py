"""Run mode of a sink: a replay of a window of time, else live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.model import RunMode
from airflow_legacy_events.operators._mode import LIVE, decide, find_replay, run_type


def decide_sink(context: Mapping[str, Any]) -> RunMode:
    """Return the mode of a run. A backfill without an interval is live, as are cleared tasks and retries.

    Args:
        context: of the task: `dag_run` with its type, interval and configuration, and `params`.

    Raises:
        ConfigurationError: the replay's configuration is wrong.
    """
    run = context["dag_run"]
    conf = run.conf or {}
    asked = isinstance(conf, Mapping) and find_replay(conf, context.get("params") or {}) is not None
    if not asked and run_type(run) == "backfill" and not _has_interval(run):
        return LIVE
    return decide(context, time_column=None)


def _has_interval(run: Any) -> bool:
    start, end = run.data_interval_start, run.data_interval_end
    return start is not None and end is not None and start < end
