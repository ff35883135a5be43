"""Runs of a query source: a full load, the new rows, or a window that is sent again."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from airflow_legacy_events.core.columns import TEMPORAL, Column
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Opened, Span, Watermark, Window
from airflow_legacy_events.core.ports import RowWriters
from airflow_legacy_events.sources.first_value import zone_of
from airflow_legacy_events.sources.query import last_rows
from airflow_legacy_events.sources.query.bulk import BulkRun
from airflow_legacy_events.sources.query.horizons.drain import Drain
from airflow_legacy_events.sources.query.horizons.drained import Looks
from airflow_legacy_events.sources.query.horizons.kept import FACT, kept_in, without_horizon
from airflow_legacy_events.sources.query.incremental import IncrementalRun
from airflow_legacy_events.sources.query.nulls import NullRun, in_order, nullable_columns, without_place
from airflow_legacy_events.sources.query.places import as_read
from airflow_legacy_events.sources.query.repeat import RerunRun
from airflow_legacy_events.sources.query.resets import Decision, Resets
from airflow_legacy_events.sources.query.standing import IdsReturnedError, Standing, TableResetError
from airflow_legacy_events.sources.replay import ReplayRun
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.window import bounds


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Creates the runs of one source.

    Attributes:
        rows: what is read.
        begin: value of the first watermark column, as text, where a first run begins; None: with any.
        facts: of this run.
        incremental: whether there are watermark columns.
        first_run: see `QuerySource`.
        lag: see `QuerySource`.
        null_watermark: see `QuerySource`.
        resets: decides what to do about a table that was set back.
        limits: budgets.
        writers: of the rows; None if none can be seen.
        looks: of a probe.
    """

    rows: Rows
    begin: str | None
    facts: Mapping[str, Any]
    incremental: bool
    first_run: Any
    lag: dt.timedelta
    null_watermark: str
    resets: Resets
    limits: Limits
    log: logging.Logger
    writers: RowWriters | None = None
    looks: Looks = field(default_factory=Looks)

    load: ClassVar[type[BulkRun]] = BulkRun
    run: ClassVar[type[IncrementalRun]] = IncrementalRun
    standing: ClassVar[type[Standing]] = Standing
    replay: ClassVar[type[ReplayRun]] = ReplayRun
    rerun: ClassVar[type[RerunRun]] = RerunRun

    def live(self, at: Watermark | None) -> BulkRun | IncrementalRun | NullRun:
        """Return the run that continues from a watermark."""
        at = as_read(at, self.rows.selection.columns)
        if not self.incremental:
            return self.load(self.rows, at, self.limits, self.log)
        return self._run(at, self._standing(at))

    def open_live(self, at: Watermark | None) -> tuple[Opened, Watermark | None, bool]:
        """Open the run that continues from a watermark.

        Returns:
            What was opened, the watermark that it continues from, and whether the watermark must be saved even if
            no row is new.

        Raises:
            WatermarkError: the table was set back below the watermark, and `on_reset` is `fail`.
        """
        at = as_read(at, self.rows.selection.columns)
        standing = self._standing(at) if self.incremental else None
        if at is None or standing is None:
            opened = self.live(at).open()
            return opened, at, at is not None and opened.horizon.facts.get(FACT) != at.facts.get(FACT)
        changed = ""
        try:
            changed = standing.judge_object()
            opened = self._run(without_horizon(at) if changed else at, standing).open()
        except TableResetError as found:
            return self._opened_by(self.resets.decide(at, found), changed)
        except IdsReturnedError as found:
            return self._opened_by(self.resets.go_on(at, found), changed)
        waits_otherwise = opened.horizon.facts.get(FACT) != at.facts.get(FACT)
        is_new = waits_otherwise or any(not at.facts.get(fact) for fact in opened.horizon.facts if fact in _ONCE)
        if learned := standing.learned():
            horizon = opened.horizon._replace(facts={**opened.horizon.facts, "last": learned})
            opened = opened._replace(horizon=horizon)
        return _noted(opened, changed), at, bool(changed or learned) or is_new

    def repeat(self, at: Watermark | None, window: Window | Span) -> ReplayRun | RerunRun:
        """Return the run that sends a window or span again, continuing from the progress of an earlier try."""
        if isinstance(window, Window):
            zone = zone_of(self.rows.timezone)
            return self.replay(self.rows, at, self.limits, bounds(window, self.rows.selection.columns[0], zone))
        ordered = in_order(self.rows, self._nullable)
        return self.rerun(ordered, at, self.limits, window, self.begin, self.first_run == "now")

    def _opened_by(self, decision: Decision, changed: str) -> tuple[Opened, Watermark, bool]:
        opened = self._run(decision.at, None).open()
        facts = {**decision.facts, **opened.horizon.facts}
        horizon = opened.horizon._replace(facts=facts, table_reset=decision.reported)
        return _noted(_noted(opened._replace(horizon=horizon), changed), decision.note), decision.at, True

    def _run(self, at: Watermark | None, standing: Standing | None) -> IncrementalRun | NullRun:
        nullable, rows = self._nullable, self.rows
        run = self._incremental(in_order(rows, nullable), at, standing)
        if not nullable:
            return run
        return NullRun(run, without_place(rows, nullable), self.null_watermark, at, self.limits)

    def _incremental(self, rows: Rows, at: Watermark | None, standing: Standing | None) -> IncrementalRun:
        now, delivered = self.first_run == "now", () if at is None else last_rows.kept(at.facts, self.facts)
        drain = self._drain(rows, at)
        return self.run(rows, at, self.begin, now, self._lag_seconds, self.limits, standing, delivered, drain)

    def _drain(self, rows: Rows, at: Watermark | None) -> Drain | None:
        if self.writers is None:
            return None
        columns, stored = rows.selection.columns, {} if at is None else at.facts
        kept = kept_in(stored, len(columns), temporal=columns[0].kind in TEMPORAL)
        if stored.get("server") != self.facts["server"]:
            kept = kept._replace(drained=None)  # another server may have begun other transactions meanwhile
        return Drain(rows, self.writers, kept, self.looks)

    def _standing(self, at: Watermark | None) -> Standing | None:
        """Return the judge of a watermark; None for one that a person set, or that names no row."""
        if at is None or not at.values or at.facts.get("included"):
            return None
        if len(at.values) < len(self.rows.selection.columns):
            return None
        return self.standing(in_order(self.rows, self._nullable), at, self.facts, self.log)

    @property
    def _lag_seconds(self) -> float | None:
        return self.lag.total_seconds() if self.rows.selection.columns[0].kind in TEMPORAL else None

    @property
    def _nullable(self) -> tuple[Column, ...]:
        return () if self.null_watermark == "fail" else nullable_columns(self.rows)


_ONCE = ("emptied", "gone")


def _noted(opened: Opened, note: str) -> Opened:
    """Return what was opened, with a note appended to its completeness reason."""
    horizon = opened.horizon
    return opened._replace(horizon=horizon._replace(reason="; ".join(filter(None, (horizon.reason, note)))))
