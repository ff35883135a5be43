"""Runs of a source with an overlap."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields, replace

from airflow_legacy_events.core.columns import TEMPORAL
from airflow_legacy_events.core.model import Span, Watermark, Window
from airflow_legacy_events.sources.query.incremental import IncrementalRun
from airflow_legacy_events.sources.query.overlapping.final import read_beyond
from airflow_legacy_events.sources.query.overlapping.reach import Reach
from airflow_legacy_events.sources.query.overlapping.run import OverlapRun
from airflow_legacy_events.sources.query.repeat import RerunRun
from airflow_legacy_events.sources.query.runs import Runs
from airflow_legacy_events.sources.query.standing import Standing
from airflow_legacy_events.sources.replay import ReplayRun
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.selection import Selection


def may_read_again(selection: Selection) -> bool:
    """Return whether a stream of these columns can have an overlap."""
    return bool(selection.shape.key) and selection.columns[0].kind in TEMPORAL


@dataclass(frozen=True, kw_only=True)
class OverlapRuns(Runs):
    """As `Runs`; each run reads again below the watermark.

    Attributes:
        overlap: how far. Zero: only a run whose predecessors read above the horizon does, as far as that needs.
    """

    overlap: dt.timedelta

    def repeat(self, at: Watermark | None, window: Window | Span) -> ReplayRun | RerunRun:
        """See `Runs.repeat`; what a live run sent may lie in the overlap below its span."""
        if isinstance(window, Span) and self.overlap:
            starts = ((window.after, window.included), *window.also)
            whole = [after for after, included in starts if after and not included]
            low = [(self._reach.low(after).values, True) for after in whole if len(after) == len(self._columns)]
            window = window._replace(also=(*window.also, *low))
        return super().repeat(at, window)

    def _incremental(self, rows: Rows, at: Watermark | None, standing: Standing | None) -> IncrementalRun:
        run = super()._incremental(rows, at, standing)
        if not self.overlap and not read_beyond(run, self._reach):
            return run
        drain = None if run.drain is None else replace(run.drain, overlap=self.overlap)
        parts = {one.name: getattr(run, one.name) for one in fields(run)}
        return OverlapRun(**{**parts, "drain": drain}, reach=self._reach, log=self.log)

    @property
    def _columns(self) -> tuple[object, ...]:
        return self.rows.selection.columns

    @property
    def _reach(self) -> Reach:
        return Reach(self.overlap, self.rows.selection.columns[0], self.rows.timezone)
