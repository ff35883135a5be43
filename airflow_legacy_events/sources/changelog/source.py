"""Change log source: reads the log of changes from the watermark to a target, and rows in snapshots beside it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core import guard
from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import CompletenessError, ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import (
    PENDING_ROWS,
    Batch,
    Horizon,
    LogState,
    Opened,
    Pending,
    Receipt,
    Span,
    TableName,
    Watermark,
    Window,
)
from airflow_legacy_events.core.ports import Lease
from airflow_legacy_events.sources.changelog import anew
from airflow_legacy_events.sources.changelog.arguments import ChangeLogArguments
from airflow_legacy_events.sources.changelog.assembling import assembled
from airflow_legacy_events.sources.changelog.draining import behind
from airflow_legacy_events.sources.changelog.facts import check_log_facts, progress_of, source_facts
from airflow_legacy_events.sources.changelog.joining import joined, note_exchanged
from airflow_legacy_events.sources.changelog.leg_state import Progress
from airflow_legacy_events.sources.changelog.reporting import described
from airflow_legacy_events.sources.changelog.run import LogRun
from airflow_legacy_events.sources.changelog.tables import LoggedTable
from airflow_legacy_events.sources.changelog.transactions import refuse_shared

EXACT = "the log holds every committed change of the tables up to the target, in the order of the commits"


@dataclass(kw_only=True)
class ChangeLogSource(ChangeLogArguments):
    """Reads the changes of tables in the order of commits, from the watermark to where the log ended at the start.

    Rows that were there before the log began are read in legs: snapshots that each stand at one place of the log. A
    change at or below the key that a table's snapshot has reached is sent, one beyond it comes with a later leg. So
    each table is complete behind its snapshot, and a snapshot that broke off continues.
    """

    _run: LogRun | None = field(default=None, init=False, repr=False)
    _from: str | None = field(default=None, init=False, repr=False)
    _to: str | None = field(default=None, init=False, repr=False)
    _state: LogState | None = field(default=None, init=False, repr=False)
    _checked: bool = field(default=False, init=False, repr=False)

    def check(self, window: Window | Span | None = None) -> dict[str, LoggedTable]:
        """Check what needs neither a watermark nor a row; every fault is reported, not only the first.

        Raises:
            LegacyEventsError: the only fault, or a list of all.
        """
        _refuse_replay(window)
        return self.lookup.find({})

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Opened:
        """See `core.ports.Source.open`."""
        _refuse_replay(window)
        progress = self._progress(at)
        lookup, log = self.lookup, self.change_log
        tables = lookup.find(progress.tables)
        of_tables = {name: one.stream["topic"] for name, one in tables.items()}
        beside = self.messages.topics_beside(of_tables)
        refuse_shared(self.transaction_topic, of_tables, beside)
        if self.transaction_topic is not None:
            beside.append(self.transaction_topic)
        stored = {} if at is None else at.facts
        found = self._guard(at, progress, [one.entry.name for name, one in tables.items() if name in self.snapshot])
        facts = {**source_facts(self.source), **found}
        self._from = self._to = None if progress.position is None else progress.position.place
        joining = joined(self.stream.name, progress, tables, self.snapshot, self.log)
        note_exchanged(progress, self.snapshot, stored, found)
        anew.request(progress.tables, self.snapshot, self.run)
        end = log.end()
        run = self._run = assembled(self, lookup, tables, progress, stored=stored, joining=joining, target=end)
        completeness, reason = self._completeness(progress, tables)
        if self.completeness == "exact" != completeness:
            raise CompletenessError(f"completeness='exact' is required of stream {self.stream.name!r}, and {reason}")
        if not (progress.left() or joining or behind(log, progress.position, end)):
            return Opened(Horizon(None, completeness, reason, facts), iter(()))
        topics = (*dict.fromkeys(of_tables.values()), *beside)
        horizon = Horizon((end, "0"), completeness, reason, facts, topics=topics, met=run.meet)
        return Opened(horizon, run.batches())

    def pending(self, at: Watermark | None, most: int = PENDING_ROWS) -> Pending:  # noqa: ARG002
        """See `core.ports.Source.pending`; a log can't count its rows, so one stands for any number."""
        progress, log = self._progress(at), self.change_log
        if not self._checked:
            self.lookup.find(progress.tables)
            self._guard(at, progress)
            self._checked = True
        elif progress.position is not None:
            progress.position = log.located(progress.position)
        end = log.end()
        return Pending(1, (end, "0")) if progress.left() or behind(log, progress.position, end) else Pending(0, None)

    def without(self, batch: Batch, rows: AbstractSet[int]) -> None:
        """A log is read once: no later run would read a change that was left behind."""

    def overtaken(self, batch: Batch) -> Iterator[Batch]:  # noqa: ARG002
        """See `core.ports.Source.overtaken`; a log has no replay."""
        return iter(())

    def acknowledge(self, receipt: Receipt, lease: Lease, *, again: bool = False) -> None:  # noqa: ARG002
        """See `core.ports.Source.acknowledge`: the server may drop its log up to the last place of the receipt."""
        log = self.change_log
        try:
            place = max(receipt, key=functools.cmp_to_key(log.compare))
            log.compare(place, place)  # a single one was not compared
        except (ValueError, TypeError):
            raise WatermarkError(
                f"the receipt of stream {self.stream.name!r} can't be understood; nothing was acknowledged. Begin again"
                f" with {command('forget', self.stream.name)}"
            ) from None
        log.acknowledge(place)
        self._to = place

    def finish(self, lease: Lease, over: Callable[[], bool]) -> None:  # noqa: ARG002
        """See `core.ports.Source.finish`; the log's sessions end, so that the next run finds it free."""
        self._state = self.change_log.state()
        self.change_log.close()

    def report(self) -> dict[str, Any]:
        """See `core.ports.LogSource.report`."""
        state = self._state or self.change_log.state()
        self.change_log.close()
        return described(self._run, self._from, self._to, state)

    def lowered(self) -> tuple[str, str] | None:
        """Return completeness and reason, if the run met what lowers them after it was opened; else None."""
        found = None if self._run is None else anew.open_gaps(self._run.progress.tables)
        return None if found is None else ("best_effort", found)

    def close(self) -> None:
        """End the log's sessions."""
        self.change_log.close()

    def _progress(self, at: Watermark | None) -> Progress:
        if at is not None:
            check_log_facts(self.stream.name, at.facts)
            self.change_log.recall(at.facts)
        return progress_of(self.stream.name, at)

    def _guard(self, at: Watermark | None, progress: Progress, renewed: Sequence[TableName] = ()) -> Mapping[str, Any]:
        """Check that the log continues where the watermark ends; return its facts, and have the progress lie in it."""
        if at is not None:
            guard.check(self.stream.name, at.facts, source_facts(self.source))
        found = self.change_log.guard(None if at is None else at.facts, progress.position, renewed)
        if progress.position is not None:
            progress.position = self.change_log.located(progress.position)
        return found

    def _completeness(self, progress: Progress, tables: Mapping[str, LoggedTable]) -> tuple[str, str]:
        if (gaps := anew.open_gaps(progress.tables)) is not None:
            return "best_effort", gaps
        if unlogged := self.change_log.unlogged([one.entry for one in tables.values()]):
            return "best_effort", "; ".join(unlogged)
        unknown = [one for name in progress.left() for one in tables[name].entry.reflection.state.unknown]
        if unknown:
            return "best_effort", "; ".join((EXACT, *(f"not known: {one}" for one in dict.fromkeys(unknown))))
        return "exact", EXACT


def _refuse_replay(window: Window | Span | None) -> None:
    if window is not None:
        raise ConfigurationError(
            "a change log can't be replayed: the server drops what was delivered; nothing was read.\nTo send tables as"
            f" they are now, run with the configuration {anew.EXAMPLE}\nTo replay a window of a table, use"
            " IncrementalQueryOperator"
        )
