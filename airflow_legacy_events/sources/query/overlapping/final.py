"""Final rows: an overlap reads above the mark that drained last, and a shorter one must still reach back to it."""

from __future__ import annotations

import datetime as dt

from airflow_legacy_events.sources.query.horizons.drain import Drain
from airflow_legacy_events.sources.query.horizons.kept import KeptHorizon
from airflow_legacy_events.sources.query.horizons.ticks import bound_text
from airflow_legacy_events.sources.query.incremental import IncrementalRun
from airflow_legacy_events.sources.query.overlapping.reach import Reach
from airflow_legacy_events.sources.query.overlapping.seen import FACT


def bound_of(drain: Drain, kept: KeptHorizon) -> str | None:
    """Return the text below which no row can appear any more, by the mark that drained last; None without one."""
    if not isinstance(kept.drained, dt.datetime):
        return None
    column, tick = drain.rows.selection.columns[0], drain.writers.tick
    return bound_text(kept.drained, column, drain.rows.timezone, tick)


def read_beyond(run: IncrementalRun, reach: Reach) -> bool:
    """Return whether earlier runs, with an overlap, have read rows above the mark that drained last."""
    if run.drain is None or run.stored is None or not run.stored.values or FACT not in run.stored.facts:
        return False
    final = bound_of(run.drain, run.drain.kept)
    return final is not None and not reach.is_below(run.stored.values[0], final)
