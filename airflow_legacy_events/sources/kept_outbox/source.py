"""Kept outbox source: reads an outbox by position, below a horizon, and leaves its rows as they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_legacy_events.core import guard
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import (
    PENDING_ROWS,
    Backlog,
    Batch,
    Opened,
    Pending,
    Receipt,
    Span,
    Watermark,
    Window,
)
from airflow_legacy_events.core.ports import Lease, Written
from airflow_legacy_events.sources.kept_outbox.arguments import CheckedKept, KeptArguments
from airflow_legacy_events.sources.kept_outbox.facts import REMEDIES, check_kept_facts, kept_facts, positioned
from airflow_legacy_events.sources.kept_outbox.resets import KeptResets
from airflow_legacy_events.sources.order import advise
from airflow_legacy_events.sources.outbox.facts import REMEDIES as OF_OUTBOX
from airflow_legacy_events.sources.outbox.replaying import open_replay
from airflow_legacy_events.sources.outbox.table import OutboxTable
from airflow_legacy_events.sources.outbox.tidying import Tidying
from airflow_legacy_events.sources.outbox.ties import Ties
from airflow_legacy_events.sources.place import Start, Values
from airflow_legacy_events.sources.proof import as_proved
from airflow_legacy_events.sources.query.facts import carried
from airflow_legacy_events.sources.query.incremental import IncrementalRun
from airflow_legacy_events.sources.query.places import check_values
from airflow_legacy_events.sources.query.recording import completed, recording
from airflow_legacy_events.sources.query.runs import Runs
from airflow_legacy_events.sources.server import as_known, refuse_behind, with_reached


@dataclass(kw_only=True)
class KeptOutboxSource(KeptArguments):
    """Reads the rows above the watermark, in keyset pages up to a target below the horizon.

    It is a query in the order of the outbox, with the outbox's columns, messages and lock. A row that can't be
    delivered ends the run, since no later run reads below the watermark.

    Attributes:
        waits: see `core.ports.KeepsRows`.
    """

    waits: bool = field(default=False, init=False)
    _checked: CheckedKept | None = field(default=None, init=False, repr=False)
    _runs: Runs | None = field(default=None, init=False, repr=False)
    _saved: Start = field(default=Start(()), init=False, repr=False)

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Opened:
        """See `core.ports.Source.open`."""
        if isinstance(window, Span):
            raise ConfigurationError("an outbox has no span to send again; replay a window of its timestamp")
        checked = self.check(window)
        table, timezone = checked.table, checked.timezone
        facts = {**kept_facts(table, self.source, self.where), "lock": checked.writes.name}
        if window is not None:
            at = at if at is not None and guard.same(at.facts, facts, REMEDIES) else None
            return open_replay(table, window, at, facts, self.limits, timezone, self.stream)
        self._checked, runs = checked, self._runs_of(table, timezone, facts)
        begun_otherwise = at is not (at := self._guarded(at, runs))
        if at is not None:
            refuse_behind(self.database, self.stream, at.facts)
            self._saved = _start(at)
        advise(self.log, self.database, self.table, table.selection, table.found)
        (horizon, batches), begun, must_save = runs.open_live(at)
        before = with_reached(self.database, carried(begun, facts))
        horizon = horizon._replace(facts={**before, **horizon.facts})
        if begun is not None and (must_save or begun_otherwise):
            batches = recording(batches, table.selection, begun)
        horizon = as_proved(completed(horizon, facts, runs.rows), runs.rows)
        return Opened(self.judged(horizon, table), _looked_over(batches, Ties(table, self.log)))

    def pending(self, at: Watermark | None, most: int = PENDING_ROWS) -> Pending:
        """See `core.ports.Source.pending`."""
        if self._runs is None:
            table = self.kept_table()
            self._runs = self._runs_of(table, self.zone(table), kept_facts(table, self.source, self.where))
        run = self._runs.live(self._guarded(at, self._runs))
        assert isinstance(run, IncrementalRun)  # noqa: S101  an outbox has an order, and no row without a place in it
        found = run.pending(most)
        self.waits = run.waits
        return found

    def without(self, batch: Batch, rows: AbstractSet[int]) -> None:
        """Return None: no later run would read a row that was left behind."""

    def overtaken(self, batch: Batch) -> Iterator[Batch]:  # noqa: ARG002
        """See `core.ports.Source.overtaken`; the rows of an outbox never change."""
        return iter(())

    def acknowledge(self, receipt: Receipt, lease: Lease, *, again: bool = False) -> None:
        """A kept outbox leaves nothing to acknowledge: its rows stay as they are."""

    def reached(self, values: Values | None) -> None:
        """See `core.ports.KeepsRows.reached`."""
        if values is not None and values != self._saved.values:
            self._saved = Start(values)

    def finish(self, lease: Lease, over: Callable[[], bool]) -> Backlog | None:
        """See `core.ports.Source.finish`: retention below the saved watermark, then the backlog above it."""
        if self._checked is None or self._runs is None:
            return None
        table, timezone, saved = self._checked.table, self._checked.timezone, self._saved
        below = self._runs.rows.below(*saved.values) if saved.values else None
        tidying = Tidying(table, self.retention, below, timezone, self.stream, self.log, saved)
        tidying.retain(lease, over)
        return tidying.backlog()

    def _guarded(self, at: Watermark | None, runs: Runs) -> Watermark | None:
        """Return where to continue from, after checking that a stored watermark belongs to this table."""
        if at is None:
            return None
        check_kept_facts(self.stream, at.facts)
        known = as_known(self.database, self.stream, at.facts, runs.facts, self.log)
        begun = positioned(self.stream, at)
        guard.check(self.stream, at.facts, known, REMEDIES if begun is at else OF_OUTBOX)
        if begun is at:
            guard.check_types(self.stream, at.facts, runs.facts)
            check_values(self.stream, at.values or (), runs.rows.selection.columns)
        return begun

    def _runs_of(self, table: OutboxTable, timezone: str, facts: Mapping[str, Any]) -> Runs:
        rows = replace(table.rows(timezone=timezone, stream=self.stream), table=self.table, state=table.found.state)
        self._runs = Runs(
            rows=rows,
            begin=None,
            facts=facts,
            incremental=True,
            first_run="all",
            lag=dt.timedelta(0),
            null_watermark="fail",
            resets=KeptResets(self.stream, table.what, "fail", self.log),
            limits=self.limits,
            log=self.log,
            writers=self.database.writers(Written(self.table, rows.selection.columns[0], timezone, rows.state)),
        )
        return self._runs


def _start(at: Watermark) -> Start:
    return Start(at.values or (), included=bool(at.facts.get("included")))


def _looked_over(batches: Iterator[Batch], ties: Ties) -> Iterator[Batch]:
    """Yield the batches after looking for events without an order among their rows."""
    for batch in batches:
        ties.look(batch.rows)
        yield batch
