"""Outbox replay: published rows in a window of the timestamp are sent again; marks stay unchanged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Opened, Watermark, Window
from airflow_legacy_events.sources.first_value import zone_of
from airflow_legacy_events.sources.outbox.checks import check_replayable
from airflow_legacy_events.sources.outbox.table import OutboxTable, by_time
from airflow_legacy_events.sources.replay import ReplayRun
from airflow_legacy_events.sources.window import bounds, moment_of, window_column

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def open_replay(
    table: OutboxTable,
    window: Window,
    at: Watermark | None,
    facts: Mapping[str, Any],
    limits: Limits,
    timezone: str,
    stream: str,
) -> Opened:
    """Return the published rows of a window, in the order of the timestamp.

    Args:
        table: which keeps its published rows.
        window: of moments, or of values of the timestamp column.
        at: progress of an earlier try; None for the first.
        facts: of the source.
        limits: budgets.
        timezone: name of the zone of naive times.
        stream: for messages.

    Raises:
        ConfigurationError: the window does not fit that column.
    """
    name = check_replayable(table)
    column = next(one for one in table.selection.shape.columns if one.name == name)
    if column.kind is Kind.INTEGER:
        window = window._replace(low=_milliseconds(window.low), high=_milliseconds(window.high))
    window = window._replace(column=name)
    window_column(window, [name], [column])
    marked = None if table.marking is None else table.marking.marked
    selection = by_time(table.selection, name)
    rows = table.rows(marked, timezone=timezone, stream=stream, selection=selection)
    run = ReplayRun(rows, at, limits, bounds(window, column, zone_of(timezone)))
    horizon, batches = run.open()
    return Opened(horizon._replace(facts={**facts, **horizon.facts}, shape=selection.shape), batches)


def _milliseconds(text: str) -> str:
    """Return a moment as milliseconds since 1970-01-01 UTC; any other text unchanged."""
    moment = moment_of(text)
    return text if moment is None else str((moment - _EPOCH) // dt.timedelta(milliseconds=1))
