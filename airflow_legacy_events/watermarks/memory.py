"""In-memory watermarks of one process, for tests and experiments."""

from __future__ import annotations

import threading
from typing import Self

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.codec import decode, encode
from airflow_legacy_events.watermarks.opening import OpenableStore, OpenedBy
from airflow_legacy_events.watermarks.saving import verify


class MemoryWatermarkStore(OpenableStore):
    """Keeps watermarks as long as the object lives; each object is a separate store.

    Compare-and-set under a lock, so it may serve several threads. In a later process, the watermark of a stream that
    has begun is lost, and its run fails instead of starting over.

    Attributes:
        texts: watermark JSON by stream.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, by: OpenedBy) -> Self:  # noqa: ARG003  it needs nothing
        """See `OpenableStore.open`; the new store is empty."""
        return cls()

    def load(self, stream: str) -> Watermark | None:
        """See `core.ports.WatermarkStore.load`."""
        text = self.texts.get(stream)
        return None if text is None else decode(text, stream=stream, place="memory")

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """See `core.ports.WatermarkStore.save`."""
        with self._lock:
            verify(stream, found=self.load(stream), expected=expected)
            self.texts[stream] = encode(new)

    def forget(self, stream: str) -> None:
        """Remove the watermark; one that is absent stays absent."""
        self.texts.pop(stream, None)
