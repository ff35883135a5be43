"""Watermark store port: where watermarks are kept."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from airflow_legacy_events.core.model import Watermark


@runtime_checkable
class WatermarkStore(Protocol):
    """Keeps how far each stream was delivered."""

    def load(self, stream: str) -> Watermark | None:
        """Return the watermark of `stream`, None only if it has provably never been written.

        Raises:
            WatermarkError: it can't be read, or not understood.
        """

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """Compare and set: replace `expected` by `new`; after it returns, every `load` returns `new`.

        Raises:
            WatermarkError: the stored watermark is not `expected`, or the write failed.
        """

    def forget(self, stream: str) -> None:
        """Remove the watermark of `stream`, readable or not; no error if it is absent.

        Called for the progress of a finished replay.

        Raises:
            WatermarkError: it could not be removed.
        """
