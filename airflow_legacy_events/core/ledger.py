"""What was confirmed, what of it is saved, what of that is acknowledged: always in that order."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from typing import Any

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Lease, Source, WatermarkStore

SAVE_SECONDS = 0.5
"""Saves are at least so far apart, except the first and the last: an Airflow Variable costs 10 ms a write."""


class Ledger:
    """Moves one stream's watermark behind its confirmed batches.

    Between two saves the receipts of the confirmed batches are joined, so an acknowledgement always covers
    exactly what the saved watermark says.
    """

    def __init__(
        self,
        stream: str,
        *,
        store: WatermarkStore,
        source: Source,
        lease: Lease,
        facts: Mapping[str, Any],
        saved: Watermark | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._store, self._source, self._lease = stream, store, source, lease
        self._facts = dict(facts)
        self._saved, self._clock = saved, clock
        self._pending: Watermark | None = None
        self._wrote = False
        self._last_save = float("-inf")

    @property
    def values(self) -> tuple[str, ...] | None:
        """The values up to which everything is saved."""
        return self._saved.values if self._saved is not None else None

    def begin(self) -> None:
        """Save the explicit empty watermark of a new stream, before its first read; no save waits because of it."""
        self.confirmed(Watermark(None, None, {}))
        self._last_save = float("-inf")

    def confirmed(self, after: Watermark) -> None:
        """Take note of a confirmed batch; save and acknowledge when that is due."""
        receipt = after.receipt
        if self._pending is not None and self._pending.receipt is not None:
            receipt = self._pending.receipt + (receipt or ())
        self._pending = Watermark(after.values, receipt, {**self._facts, **after.facts})
        if self._clock() - self._last_save >= SAVE_SECONDS:
            self.settle()

    def settle(self) -> None:
        """Save what is confirmed and not saved yet, then acknowledge it.

        Raises:
            SourceError: the lock is lost; the watermark has not moved.
            WatermarkError: the store refused; nothing was acknowledged.
        """
        if self._pending is None:
            return
        self._lease.check()
        self._store.save(self._stream, self._pending, expected=self._saved)
        self._saved, self._pending, self._wrote = self._pending, None, True
        self._last_save = self._clock()
        if self._saved.receipt is not None:
            self._lease.check()
            self._source.acknowledge(self._saved.receipt)

    def close(self) -> None:
        """Settle, and read the last save back: a store that something else hides or overwrites is found out.

        Raises:
            WatermarkError: what is read back is not what was saved.
        """
        self.settle()
        if self._wrote and self._store.load(self._stream) != self._saved:
            raise WatermarkError(
                f"the watermark of stream {self._stream!r} was saved but reads back differently: another writer moved"
                " it, or a secrets backend or environment variable stands in front of the store. Every message up to"
                f" it is delivered; look at it with `airflow legacy-events watermark show {shlex.quote(self._stream)}`"
            )
