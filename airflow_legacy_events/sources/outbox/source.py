"""Outbox source: drains a table that the application writes in its own transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core import guard
from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import (
    PENDING_ROWS,
    Backlog,
    Batch,
    Horizon,
    Opened,
    Pending,
    Receipt,
    Span,
    Watermark,
    Window,
)
from airflow_legacy_events.core.ports import Lease, TableWrites
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.sources.first_value import zone_of
from airflow_legacy_events.sources.order import check_order
from airflow_legacy_events.sources.outbox import checks
from airflow_legacy_events.sources.outbox.acknowledging import Acknowledgement
from airflow_legacy_events.sources.outbox.arguments import OutboxArguments
from airflow_legacy_events.sources.outbox.drain import EXACT, Drain
from airflow_legacy_events.sources.outbox.facts import (
    REMEDIES,
    WITH_RECEIPT,
    check_outbox_facts,
    refuse_position,
    source_facts,
)
from airflow_legacy_events.sources.outbox.receipts import received
from airflow_legacy_events.sources.outbox.replaying import open_replay
from airflow_legacy_events.sources.outbox.table import OutboxTable
from airflow_legacy_events.sources.outbox.tidying import Tidying
from airflow_legacy_events.sources.server import as_known, refuse_behind


@dataclass(frozen=True)
class CheckedOutbox:
    """An outbox with checked arguments.

    Attributes:
        table: the outbox table.
        writes: effects of deleting or marking its rows.
        acknowledgement: deletes or marks them.
    """

    table: OutboxTable
    writes: TableWrites
    acknowledgement: Acknowledgement


@dataclass(kw_only=True)
class OutboxSource(OutboxArguments):
    """Reads the open rows in one pass, in keyset pages up to a target that is fixed when it is opened.

    Ids of an outbox become visible out of order, so rows are not filtered by position: a row is open until it is
    deleted or marked. Each watermark carries a receipt of exactly the confirmed rows. The receipt is acknowledged after
    the watermark is saved, and again by the next run if a crash came in between.
    """

    _checked: CheckedOutbox | None = field(default=None, init=False, repr=False)
    _drain: Drain | None = field(default=None, init=False, repr=False)

    def check(self, window: Window | Span | None = None) -> CheckedOutbox:
        """Check what needs neither a watermark nor a row; every fault is reported, not only the first.

        Raises:
            LegacyEventsError: the only fault, or a list of all.
        """
        problems = Problems()
        with problems.collect():
            zone_of(self._zone)
        writes = table = None
        with problems.collect():
            writes = self.database.writes(self.table)
        with problems.collect():
            table = self.find()
        if table is not None:
            with problems.collect():
                check_order(self.database, table.what, table.found.selectable, table.selection)
            with problems.collect():
                self._check_retention(table)
            if window is not None:
                with problems.collect():
                    checks.check_replayable(table)
        if table is None or writes is None:
            problems.raise_found()
        assert table is not None  # noqa: S101  else a problem was raised
        assert writes is not None  # noqa: S101
        checked = CheckedOutbox(table, writes, self._acknowledgement(table, writes))
        if window is None:
            with problems.collect():
                checks.check_writes(table, writes, checked.acknowledgement.change(sa.literal_column("1") == 0))
        problems.raise_found()
        return checked

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Opened:
        """See `core.ports.Source.open`."""
        if isinstance(window, Span):
            raise ConfigurationError("an outbox has no span to send again; replay a window of its timestamp")
        checked = self._checked = self.check(window)
        facts = source_facts(checked.table, self.source, checked.writes)
        if window is not None:
            at = at if at is not None and guard.same(at.facts, facts, REMEDIES) else None
            return open_replay(checked.table, window, at, facts, self.limits, self._zone, self.stream)
        self._guard(at, facts)
        checks.warn_of(self.log, checked.table, checked.writes)
        drain = self._drain = self._new_drain(checked.table)
        target = drain.target()
        if target is None and at is not None:
            checks.warn_of_churn(self.log, checked.table, at.facts, checked.writes)
        unknown = tuple(f"not known: {one}" for one in checked.table.found.state.unknown)
        completeness, reason = "best_effort" if unknown else "exact", "; ".join((EXACT, *unknown))
        horizon = Horizon(target, completeness, reason, facts, checked.table.selection.shape)
        last = None if at is None else at.values
        return Opened(horizon, _recording(drain.batches(target, last), checked.table, at, facts))

    def pending(self, at: Watermark | None, most: int = PENDING_ROWS) -> Pending:  # noqa: ARG002
        """See `core.ports.Source.pending`; the watermark is not used, since each row has its own state."""
        if self._drain is None:
            self._drain = self._new_drain(self.find())
        return self._drain.pending(most)

    def without(self, batch: Batch, rows: AbstractSet[int]) -> Watermark | None:
        """See `core.ports.Source.without`; a replay leaves no rows behind, since no later run would send them."""
        if self._drain is None:
            return None
        return batch.watermark._replace(
            receipt=self._drain.receipt(batch.rows, rows) if rows else batch.watermark.receipt
        )

    def overtaken(self, batch: Batch) -> Iterator[Batch]:  # noqa: ARG002
        """See `core.ports.Source.overtaken`; the rows of an outbox never change."""
        return iter(())

    def acknowledge(self, receipt: Receipt, lease: Lease, *, again: bool = False) -> None:
        """See `core.ports.Source.acknowledge`."""
        assert self._checked is not None, "acknowledged before it was opened"  # noqa: S101
        width = len(self._checked.table.key)
        try:
            self._checked.acknowledgement.acknowledge(received(receipt, width), lease, again=again)
        except ValueError:
            raise WatermarkError(
                f"the receipt of stream {self.stream!r} can't be understood; nothing was deleted or marked. Start over"
                f" with {command('forget', self.stream)}: rows that were delivered are sent again, with equal ids"
            ) from None  # the original error holds ids of rows

    def finish(self, lease: Lease, over: Callable[[], bool]) -> Backlog | None:
        """See `core.ports.Source.finish`: retention, then the backlog."""
        if self._checked is None:
            return None
        table = self._checked.table
        published = None if table.marking is None else table.marking.marked
        tidying = Tidying(table, self.retention, published, self._zone, self.stream, self.log)
        tidying.retain(lease, over)
        return tidying.backlog()

    @property
    def _zone(self) -> str:
        return self.source_timezone or "UTC"

    def _new_drain(self, table: OutboxTable) -> Drain:
        rows = table.open_rows(timezone=self._zone, stream=self.stream)
        return Drain(table, rows, self.limits, self.log)

    def _acknowledgement(self, table: OutboxTable, writes: TableWrites) -> Acknowledgement:
        rows = table.open_rows(timezone=self._zone, stream=self.stream)
        effects = writes.effects if table.marking is None else writes.update_effects
        return Acknowledgement(table, rows, writes.set_on_update, effects, self.log)

    def _check_retention(self, table: OutboxTable) -> None:
        marking = table.marking
        if self.retention is None or marking is None or marking.timed or "timestamp" in table.roles:
            return
        raise ConfigurationError(
            f"retention= was given, but neither mark_column={self.mark_column!r} nor a timestamp shows how old a"
            f" published row of {table.what} is; nothing was read. Name the time of a row with columns={{'timestamp':"
            " ...}, or leave retention= out"
        )

    def _guard(self, at: Watermark | None, facts: Mapping[str, Any]) -> None:
        """Check that a stored watermark belongs to this table."""
        if at is None:
            return
        check_outbox_facts(self.stream, at.facts)
        refuse_position(self.stream, at.facts, self.after_publish)
        known = as_known(self.database, self.stream, at.facts, facts, self.log)
        guard.check(self.stream, at.facts, known, REMEDIES if at.receipt is None else WITH_RECEIPT)
        refuse_behind(self.database, self.stream, at.facts)


def _recording(
    batches: Iterator[Batch], table: OutboxTable, at: Watermark | None, facts: Mapping[str, Any]
) -> Iterator[Batch]:
    """Yield the batches; if there are none and the server's counters moved, an empty batch saves the counters."""
    quiet = True
    for batch in batches:
        quiet = False
        yield batch
    if quiet and at is not None and at.facts.get("churn") != facts["churn"]:
        yield Batch(table.selection.shape, [], 0, Watermark(at.values, None, {}), "c", final=True)
