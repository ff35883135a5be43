"""Source port: where rows come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from airflow_legacy_events.core.ports.database import Lease


@runtime_checkable
class Source(Protocol):
    """Where rows come from."""

    def check(self, window: Window | Span | None = None) -> Any:
        """Check what can be checked without a watermark and without reading a row; every fault is reported.

        Args:
            window: as in `open`.

        Raises:
            LegacyEventsError: the only fault, or one error that lists all.
        """

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Opened:
        """Check everything, then fix where this run ends, and return what can be read up to there.

        Nothing is read for delivery before the first batch is taken.

        Args:
            at: the stored watermark; None when the stream was never begun. With a window: how far an earlier try
                came in it.
            window: the rows to send again, as they are now; None: those above the watermark.

        Raises:
            ConfigurationError, SourceError, WatermarkError: nothing was read, nothing moved.
        """

    def without(self, batch: Batch, rows: AbstractSet[int]) -> Watermark | None:
        """Return the watermark after a batch of which some rows are left behind, to be read again by a later run.

        None where the order of the source forbids that: then a row that can't be delivered ends the run.

        Args:
            batch: that this source gave.
            rows: places of the rows in the batch; may be none.
        """

    def overtaken(self, batch: Batch) -> Iterator[Batch]:
        """Yield rows of a confirmed batch of a replay that have changed since they were read, as they are now.

        So that what the live stream sent meanwhile is not followed by an older version for good. Each batch is
        confirmed before the next one is taken; the next one holds what of it has changed again, and there is none once
        nothing has. Rows that are gone are left out; where rows never change nothing is yielded. Called in another
        thread than the one that takes `Opened.batches`.

        Args:
            batch: that this source gave for a window.

        Raises:
            SourceError: a read failed.
        """

    def acknowledge(self, receipt: Receipt, lease: Lease, *, again: bool = False) -> None:
        """Tell the source that the rows of `receipt` are delivered and saved.

        Idempotent: the same receipt comes again after a crash. Called after the watermark that carries it was
        saved, and at the start of a run with the receipt of the loaded watermark, once `open` has checked that this is
        the server, and the table, that the receipt is about. The next save is without it.

        Args:
            receipt: of everything that the saved watermark says.
            lease: of the stream's lock, through which the source writes.
            again: whether it is the receipt of the loaded watermark, part or all of which an earlier run may have
                acknowledged before it died.

        Raises:
            SourceError: rows could not be acknowledged, or the lock is lost.
        """

    def finish(self, lease: Lease, over: Callable[[], bool]) -> Backlog | None:
        """Tidy up behind a live run whose rows are all acknowledged, and return what is left; None: nothing is kept.

        Args:
            lease: of the stream's lock, through which the source writes.
            over: whether the run's time is used up.

        Raises:
            SourceError: it failed; nothing that was delivered is affected.
        """

    def pending(self, at: Watermark | None, most: int = PENDING_ROWS) -> Pending:
        """Return what a run from `at` would read if it were opened now: the same bounds, nothing read for delivery.

        May be called again and again, instead of `open`, on one object. When nothing is pending it costs one look
        into an index; what is fixed for a table is looked at only the first time.

        Args:
            at: the stored watermark; None when the stream was never begun.
            most: counting ends at so many rows.

        Raises:
            ConfigurationError, SourceError, WatermarkError: as `open` does, except for what only reading finds out.
        """
