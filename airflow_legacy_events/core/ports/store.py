"""Watermark store port: where watermarks are kept."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from airflow_legacy_events.core.model import Watermark


@runtime_checkable
class WatermarkStore(Protocol):
    """Keeps how far each stream was delivered."""

    def load(self, stream: str) -> Watermark | None:
        """Return the watermark of `stream`, None only when it is proved never to have been written.

        Raises:
            WatermarkError: it can't be read, or not understood.
        """

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """Replace `expected` by `new`; when it returns, every later `load` gives `new`.

        Raises:
            WatermarkError: something else than `expected` was found, or the write failed.
        """

    def forget(self, stream: str) -> None:
        """Remove the watermark of `stream`, readable or not; one that is absent stays absent.

        Called for the progress of a replay that is done.

        Raises:
            WatermarkError: it could not be removed.
        """
