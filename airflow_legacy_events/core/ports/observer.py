"""Observers of a stream's watermark, beside its store."""

from __future__ import annotations

from typing import Protocol

from airflow_legacy_events.core.model import Delivered, Watermark


class Observer(Protocol):
    """Follows the watermark of one run.

    A store has no effects beside its own; whatever else has to happen when a watermark is loaded or moves is an
    observer's. A delivery calls each observer in turn, and an error of one ends the run.
    """

    def loaded(self, at: Watermark | None) -> None:
        """Called once, with what the store holds, before anything looks at the source.

        Raises:
            WatermarkError: this run must not go on from there.
        """

    def saving(self, new: Watermark, delivered: Delivered) -> None:
        """Called before `new` can be durable.

        Args:
            new: about to be saved.
            delivered: by this run so far, with what becomes durable together with `new`.
        """

    def saved(self, new: Watermark) -> None:
        """Called once `new` is durable."""
