"""Runs of a source whose rows have no key."""

from __future__ import annotations

from airflow_legacy_events.sources.query.keyless.load import KeylessLoad
from airflow_legacy_events.sources.query.keyless.repeats import TickReplay, TickRerun
from airflow_legacy_events.sources.query.keyless.standing import KeylessStanding
from airflow_legacy_events.sources.query.keyless.ticks import TickRun, tick_seconds
from airflow_legacy_events.sources.query.runs import Runs


class KeylessRuns(Runs):
    """Creates the runs of one source without a key."""

    load, run, standing, replay, rerun = KeylessLoad, TickRun, KeylessStanding, TickReplay, TickRerun

    @property
    def _lag_seconds(self) -> float | None:
        lag = super()._lag_seconds
        return None if lag is None else lag + tick_seconds(self.rows.selection.columns[0])
