"""How a store without compare-and-set saves."""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.codec import encode
from airflow_legacy_events.watermarks.conflict import verify


class VerifiedSaves:
    """Verifies what is expected, unless this very object wrote it last.

    Then the stream's lock, which the caller checks before every save, is the proof, and a save is one write.

    Args:
        read: gives the watermark of a stream.
        write: replaces it by a text.
    """

    def __init__(self, read: Callable[[str], Watermark | None], write: Callable[[str, str], None]) -> None:
        self._read, self._write = read, write
        self._wrote: dict[str, Watermark] = {}

    def save(self, stream: str, new: Watermark, expected: Watermark | None) -> None:
        """Replace `expected` by `new`.

        Raises:
            WatermarkError: something else is there, or it could not be read or written.
        """
        if expected is None or self._wrote.get(stream) != expected:
            found = self._read(stream)
            if found == new:  # an earlier try of this save was taken, only its answer was lost
                return
            verify(stream, found=found, expected=expected)
        self.forget(stream)
        self._write(stream, encode(new))
        self._wrote[stream] = new

    def forget(self, stream: str) -> None:
        """Let nothing count as written here."""
        self._wrote.pop(stream, None)
