"""Observers of a stream's watermark, in addition to its store."""

from __future__ import annotations

from typing import Protocol

from airflow_legacy_events.core.model import Delivered, Watermark


class Observer(Protocol):
    """Follows the watermark of one run.

    A store has no side effects: everything else that must happen when a watermark is loaded or moved belongs in an
    observer. A delivery calls the observers in turn, and an error of one ends the run.
    """

    def loaded(self, at: Watermark | None) -> None:
        """Called once with the stored watermark, before the source is accessed.

        Raises:
            WatermarkError: this run must not continue from there.
        """

    def saving(self, new: Watermark, delivered: Delivered) -> None:
        """Called before `new` can become durable.

        Args:
            new: the watermark about to be saved.
            delivered: by this run so far, including what becomes durable with `new`.
        """

    def saved(self, new: Watermark) -> None:
        """Called once `new` is durable."""
