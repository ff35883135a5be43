"""Source port: where rows come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Protocol, runtime_checkable

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
from airflow_legacy_events.core.ports.lease import Lease


@runtime_checkable
class Source(Protocol):
    """Where rows come from."""

    def check(self, window: Window | Span | None = None) -> Any:
        """Check everything that needs neither a watermark nor a row; every fault is reported.

        Args:
            window: as in `open`.

        Raises:
            LegacyEventsError: the only fault, or one error that lists all faults.
        """

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Opened:
        """Check everything, fix the end of this run, and return the batches up to there.

        Nothing is read for delivery before the first batch is taken.

        Args:
            at: the stored watermark; None if the stream was never begun. With a window: the progress of an earlier
                try in it.
            window: the rows to send again, in their current state; None: those above the watermark.

        Raises:
            ConfigurationError, SourceError, WatermarkError: nothing was read, nothing moved.
        """

    def without(self, batch: Batch, rows: AbstractSet[int]) -> Watermark | None:
        """Return the watermark after a batch with some rows left behind, which a later run reads again.

        None if the order of the source forbids that: then a row that can't be delivered ends the run.

        Args:
            batch: from this source.
            rows: places of the rows in the batch; may be empty.
        """

    def overtaken(self, batch: Batch) -> Iterator[Batch]:
        """Yield rows of a confirmed batch of a replay that changed since they were read, in their current state.

        Without this, a newer version sent by the live stream would stay followed by an older one. Each batch is
        confirmed before the next one is taken. The next one holds the rows that changed again, until there are none.
        Deleted rows are left out. If rows never change, nothing is yielded. Called in a different thread from the one
        that iterates over `Opened.batches`.

        Args:
            batch: from this source, for a window.

        Raises:
            SourceError: a read failed.
        """

    def acknowledge(self, receipt: Receipt, lease: Lease, *, again: bool = False) -> None:
        """Acknowledge at the source that the rows of `receipt` are delivered and saved.

        Idempotent: the same receipt is passed again after a crash. Called after its watermark was saved. Also called
        at the start of a run with the receipt of the loaded watermark, once `open` has checked that server and table
        are those of the receipt. The next save drops the receipt.

        Args:
            receipt: of all rows covered by the saved watermark.
            lease: of the stream's lock, through which the source writes.
            again: whether it is the receipt of the loaded watermark, which an earlier run may have acknowledged partly
                or completely before it died.

        Raises:
            SourceError: rows could not be acknowledged, or the lock is lost.
        """

    def finish(self, lease: Lease, over: Callable[[], bool]) -> Backlog | None:
        """Tidy up after a live run whose rows are all acknowledged; return the backlog, None if the source has none.

        Args:
            lease: of the stream's lock, through which the source writes.
            over: whether the run's time is used up.

        Raises:
            SourceError: it failed; nothing that was delivered is affected.
        """

    def pending(self, at: Watermark | None, most: int = PENDING_ROWS) -> Pending:
        """Return what a run from `at` would read if it were opened now, with the same bounds; reads no row to deliver.

        May be called repeatedly, instead of `open`, on one object. When nothing is pending it costs one index lookup;
        fixed properties of the table are determined only the first time.

        Args:
            at: the stored watermark; None if the stream was never begun.
            most: counting ends at this many rows.

        Raises:
            ConfigurationError, SourceError, WatermarkError: as `open`, except for errors found only by reading.
        """


@runtime_checkable
class HorizonSource(Protocol):
    """A source that looks below a horizon."""

    @property
    def waits(self) -> bool:
        """Whether the last call of `Source.pending` found rows that only a later one may report."""


@runtime_checkable
class KeepsRows(HorizonSource, Protocol):
    """A source that leaves delivered rows as they are, and tidies up below its watermark."""

    def reached(self, values: tuple[str, ...] | None) -> None:
        """Take note of the values of the saved watermark; called directly before `Source.finish`."""


@runtime_checkable
class LogSource(Protocol):
    """A source that reads a change log, and describes what it read."""

    def report(self) -> Mapping[str, Any]:
        """Return what this run read, and the state of the log now, as plain JSON; for the report's key `log`.

        Called once at the end of a run, also of one that failed after `open`.

        `from` and `to` are places · `bytes` and `transactions` were read between them · `lag_bytes` from `to` to the
        end of the log now · `held_bytes` that the server keeps for this stream · `held_by` `pid` or `gid`, `user` and
        `since` of what makes it keep more than the lag, else null · `wal_status` · `slot` · `snapshot_left` the tables
        whose rows are not all read yet.

        Raises:
            SourceError: the database does not answer.
        """

    def lowered(self) -> tuple[str, str] | None:
        """Return completeness and reason, if the run met what lowers them after it was opened; else None."""
