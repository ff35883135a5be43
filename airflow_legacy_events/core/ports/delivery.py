"""Delivery port: what becomes of each batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from airflow_legacy_events.core.model import Batch, Delivered, Messages, Watermark
from airflow_legacy_events.core.ports.database import Lease
from airflow_legacy_events.core.ports.source import Source


class Delivery(Protocol):
    """The delivery semantics of one run; the relay calls these in order and knows neither broker nor store."""

    @property
    def delivered(self) -> Delivered:
        """What was delivered so far; true also after a failure."""

    @property
    def values(self) -> tuple[str, ...] | None:
        """The watermark values up to which everything is saved."""

    def load(self) -> Watermark | None:
        """Return the stored watermark, None for a stream that has never begun. Called first, once.

        Raises:
            WatermarkError: it can't be read, or this run must not go on from it.
        """

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Save the explicit empty watermark of a stream that has none, before its first read.

        Args:
            facts: of the run and its source, kept with every watermark.
        """

    def acknowledge(self, mark: Watermark) -> None:
        """Acknowledge the receipt of the loaded watermark again at the source; nothing without a receipt.

        A receipt dies with its acknowledgement: the next save is without it, at the latest one more when the run ends.
        """

    def deliver(self, batch: Batch, messages: Messages | None) -> None:
        """Publish and confirm a batch, then save and acknowledge when that is due.

        Args:
            batch: in watermark order.
            messages: of the batch; None for one that only moves the watermark.

        Raises:
            DeliveryError: messages were rejected, or their fate is unknown; the watermark stays below the batch.
            SourceError: the lock is lost; the watermark has not moved.
            WatermarkError: the store refused, or a topic is another one by now; nothing was acknowledged.
        """

    def close(self) -> None:
        """Save and acknowledge what is confirmed, at the end of a run that went well.

        Raises:
            WatermarkError: what is read back is not what was saved, or a topic is another one by now.
        """

    def check(self) -> None:
        """Check that no row was left behind; called last in a run that went well.

        Raises:
            DeliveryError: naming the first of them.
        """

    def rescue(self) -> None:
        """Save and acknowledge what is confirmed, after a failure; what is not confirmed is left to the next run."""

    def forget(self) -> None:
        """Remove the watermark: the progress of a replay that is done."""


MakeDelivery: TypeAlias = Callable[[str, Source, Lease], Delivery]
"""Makes the delivery of one run: what its store calls the stream, the source to acknowledge at, the held lock."""
