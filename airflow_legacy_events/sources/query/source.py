"""Query source: a table or query, read by keyset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from airflow_legacy_events.core import guard
from airflow_legacy_events.core.errors import ConfigurationError, SourceError, WatermarkError
from airflow_legacy_events.core.model import (
    PENDING_ROWS,
    Batch,
    Opened,
    Pending,
    Receipt,
    Span,
    Watermark,
    Window,
)
from airflow_legacy_events.core.ports import Lease, Written
from airflow_legacy_events.core.sql_first_rule import first_fingerprint
from airflow_legacy_events.sources.order import advise, check_order
from airflow_legacy_events.sources.overtaken import Overtaken
from airflow_legacy_events.sources.proof import as_proved
from airflow_legacy_events.sources.query.bulk import BulkRun
from airflow_legacy_events.sources.query.by_version.runs import VersionRuns
from airflow_legacy_events.sources.query.changes import Changes
from airflow_legacy_events.sources.query.checked import CheckedQuery, QueryArguments
from airflow_legacy_events.sources.query.facts import (
    REMEDIES,
    carried,
    check_query_facts,
    rendered,
    source_facts,
    state_facts,
)
from airflow_legacy_events.sources.query.keyless.runs import KeylessRuns
from airflow_legacy_events.sources.query.overlapping.compared import compared_columns, known
from airflow_legacy_events.sources.query.overlapping.runs import OverlapRuns, may_read_again
from airflow_legacy_events.sources.query.places import check_values
from airflow_legacy_events.sources.query.recording import completed, recording
from airflow_legacy_events.sources.query.resets import Resets
from airflow_legacy_events.sources.query.runs import Runs
from airflow_legacy_events.sources.renewal import Renewal
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.server import as_known, refuse_behind, with_reached


@dataclass(kw_only=True)
class QuerySource(QueryArguments):
    """Reads keyset pages; each page is a short read-only transaction of its own.

    The lower bound is exclusive on (watermark columns, key columns), so no batch grows with a tie. The upper
    bound is the highest such tuple at or below the database's now less `lag`. Without watermark columns every
    run is a full load in key order from one snapshot; an unfinished load is finished first. With a window
    the order is (its column, key columns) instead. See `sources.query.keyless` for rows without a key.
    """

    _resolved: Runs | None = field(default=None, init=False, repr=False)
    _compared: tuple[str, ...] = field(default=(), init=False, repr=False)
    _overtaken: Overtaken | None = field(default=None, init=False, repr=False)

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Opened:
        """See `core.ports.Source.open`."""
        checked = self.check(window)
        rows, facts = self._resolve(checked)
        renewal = Renewal(partial(self._look_again, checked, window), self._changes.judge_during, facts)
        runs = self._runs(checked, replace(rows, renewal=renewal), facts)
        if checked.versions is None and (self.watermark_columns or window is not None):
            advise(self.log, self.database, self.table, checked.selection, checked.found)
        opened = self._open_live(runs, at, checked) if window is None else self._open_window(runs, at, window)
        horizon = completed(opened.horizon, facts, rows)
        return Opened(as_proved(horizon, rows), renewal.recorded(opened.batches))

    def _open_window(self, runs: Runs, at: Watermark | None, window: Window | Span) -> Opened:
        run = runs.repeat(at if at is not None and self._continues(at, runs.facts) else None, window)
        self._overtaken = Overtaken(runs.rows, run.turn, self.log)
        return run.open()

    def _open_live(self, runs: Runs, at: Watermark | None, checked: CheckedQuery) -> Opened:
        recorded: dict[str, Any] = {}
        changed = False
        if at is not None:
            self._guard(at, runs)
            if self.watermark_columns:
                refuse_behind(self.database, self.stream, at.facts)
            at, changed, recorded = self._changes.judge(at, runs.facts)
        (horizon, batches), begun, must_save = runs.open_live(at)
        before = with_reached(self.database, carried(begun, runs.facts))
        horizon = horizon._replace(facts={**before, **recorded, **horizon.facts})
        if begun is not None and (changed or must_save):
            batches = recording(batches, checked.selection, begun)
        return Opened(horizon, batches)

    def pending(self, at: Watermark | None, most: int = PENDING_ROWS) -> Pending:
        """See `core.ports.Source.pending`.

        Raises:
            ConfigurationError: for a full load, of which every row is always pending.
        """
        runs = self._probed(at)
        if at is not None:
            self._guard(at, runs)
        run = runs.live(at)
        if isinstance(run, BulkRun):
            raise ConfigurationError(
                "watermark_columns=[] was given: a full load has no watermark, so every row is always pending; nothing"
                " was read. Name watermark_columns, or start the load by a schedule"
            )
        return run.pending(most)

    @property
    def waits(self) -> bool:
        """See `core.ports.HorizonSource.waits`."""
        return self._resolved is not None and self._resolved.looks.waits

    def without(self, batch: Batch, rows: AbstractSet[int]) -> None:
        """Return None: no later run of a query would read a row that was left behind."""

    def overtaken(self, batch: Batch) -> Iterator[Batch]:
        """See `core.ports.Source.overtaken`."""
        assert self._overtaken is not None, "called before a window was opened"  # noqa: S101
        return self._overtaken.of(batch) if batch.shape.key else iter(())

    def acknowledge(self, receipt: Receipt, lease: Lease, *, again: bool = False) -> None:
        """A query leaves nothing to acknowledge at its source."""

    def finish(self, lease: Lease, over: Callable[[], bool]) -> None:
        """A query leaves nothing to tidy up at its source."""

    def _probed(self, at: Watermark | None) -> Runs:
        """Return the runs of a probe; one with an overlap compares the columns that the watermark's run has read."""
        names = compared_columns(at)
        if self._resolved is None or names != self._compared:
            source = (
                self if not names else replace(self, columns=known(names, self.database.reflect(self.table, self.sql)))
            )
            checked = source.check()
            self._resolved = source._runs(checked, *source._resolve(checked))  # noqa: SLF001  of this class
            self._compared = names
        return self._resolved

    def _guard(self, at: Watermark, runs: Runs) -> None:
        """Check that a stored watermark belongs to this source."""
        check_query_facts(self.stream, at.facts)
        known = as_known(self.database, self.stream, at.facts, runs.facts, self.log)
        guard.check(self.stream, at.facts, known, REMEDIES)
        guard.check_types(self.stream, at.facts, runs.facts)
        check_values(self.stream, at.values or (), runs.rows.selection.columns)

    def _continues(self, progress: Watermark, facts: Mapping[str, Any]) -> bool:
        """Whether the progress of a replay belongs to the same rows; False if it can't be understood."""
        try:
            check_query_facts(self.stream, progress.facts)
        except WatermarkError:
            return False
        return guard.same(progress.facts, facts, REMEDIES)

    def _resolve(self, checked: CheckedQuery) -> tuple[Rows, dict[str, Any]]:
        """Return the rows to read, and the facts that their watermark holds."""
        found, selection = checked.found, checked.selection
        facts = source_facts(self.database, self.source, self._written, selection) | {"table": self.table}
        facts |= rendered(self.sql, self.sql_as_written)
        parts = (self.database, self._what, found.selectable, selection, checked.timezone)
        rows = Rows(*parts, small=found.small, stream=self.stream, table=self.table, state=found.state)
        return rows, facts | state_facts(found.state, selection)

    def _runs(self, checked: CheckedQuery, rows: Rows, facts: Mapping[str, Any]) -> Runs:
        made: Any = Runs if checked.selection.shape.key else KeylessRuns
        if checked.versions is not None:
            made = partial(VersionRuns, versions=checked.versions)
        elif self.watermark_columns and may_read_again(checked.selection):
            made = partial(OverlapRuns, overlap=self.overlap)
        writers = None
        if self.watermark_columns and checked.versions is None:
            of = Written(self.table, checked.selection.columns[0], checked.timezone, checked.found.state)
            writers = self.database.writers(of)
        runs: Runs = made(
            rows=rows,
            begin=checked.begin,
            facts=facts,
            incremental=bool(self.watermark_columns),
            first_run=self.first_run,
            lag=self.lag,
            null_watermark=self.null_watermark,
            resets=Resets(self.stream, self._what, self.on_reset, self.log),
            limits=self.limits,
            log=self.log,
            writers=writers,
        )
        return runs

    def _look_again(self, checked: CheckedQuery, window: Window | Span | None) -> tuple[Rows, dict[str, Any]]:
        """Return the rows and facts as they are now, for a run that continues."""
        try:
            found = self.database.reflect(self.table, self.sql)
        except ConfigurationError as error:  # a table that is gone may come back: a retry helps
            raise SourceError(str(error)) from None
        selection = self._select(found, window if isinstance(window, Window) else None)
        check_order(self.database, self._what, found.selectable, selection)
        return self._resolve(checked._replace(found=found, selection=selection))

    @property
    def _changes(self) -> Changes:
        rules = self.on_query_change, self.on_schema_change
        return Changes(self.stream, self._what, *rules, self.log, first_fingerprint(self._written))
