"""Delivery port: how each batch is published, saved and acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from airflow_legacy_events.core.model import Batch, Delivered, MetTopics, Watermark
from airflow_legacy_events.core.ports.lease import Lease
from airflow_legacy_events.core.ports.source import Source


class Delivery(Protocol):
    """Delivery semantics of one run; the relay calls these in order and knows neither broker nor store."""

    @property
    def delivered(self) -> Delivered:
        """Counts of what was delivered so far; valid also after a failure."""

    @property
    def values(self) -> tuple[str, ...] | None:
        """The watermark values up to which everything is saved."""

    def load(self) -> Watermark | None:
        """Return the stored watermark, None for a stream that has never begun. Called first, once.

        Raises:
            WatermarkError: it can't be read, or this run must not continue from it.
        """

    def require(self, topics: Sequence[str]) -> MetTopics:
        """Find or create topics that rows may go to, before anything is read or saved; return what was found.

        Raises:
            ConfigurationError, DeliveryError: as `Broker.require`.
        """

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Save an explicit empty watermark for a stream that has none, before its first read.

        Args:
            facts: of the run and its source, kept with every watermark.
        """

    def acknowledge(self, mark: Watermark) -> None:
        """Acknowledge the receipt of the loaded watermark again at the source; no-op without a receipt.

        An acknowledged receipt is dropped by the next save, at the latest by an extra one when the run ends.
        """

    def deliver(self, batch: Batch, messages: Any) -> None:
        """Publish and confirm a batch, then save and acknowledge if that is due, or the batch has no rows.

        A batch without a watermark is only published: the next one that has a watermark confirms it too.

        Args:
            batch: in watermark order.
            messages: of the batch, or what else its rows became; None for one that only moves the watermark.

        Raises:
            DeliveryError: messages were rejected, or their fate is unknown; the watermark stays below the batch.
            SourceError: the lock is lost; the watermark has not moved.
            WatermarkError: the store refused, or a topic was recreated; nothing was acknowledged.
        """

    def close(self) -> None:
        """Save and acknowledge what is confirmed, at the end of a successful run.

        Raises:
            WatermarkError: the watermark reads back differently, or a topic was recreated.
        """

    def check(self) -> None:
        """Check that no row was left behind; called last in a successful run.

        Raises:
            DeliveryError: names the first of them.
        """

    def rescue(self) -> None:
        """Save and acknowledge what is confirmed, after a failure; unconfirmed batches are left to the next run."""

    def forget(self) -> None:
        """Remove the watermark: the progress of a finished replay."""


MakeDelivery: TypeAlias = Callable[[str, Source, Lease], Delivery]
"""Factory of the delivery of one run: the stream's name in the store, the source to acknowledge, the held lock."""
