"""Progress in the task log, at a readable rate."""

from __future__ import annotations

import logging
import time

EVERY_SECONDS = 10.0


class Progress:
    """Logs rows, rows per second, the completed fraction of the range and the time left, at most every 10 s."""

    def __init__(self, log: logging.Logger, stream: str) -> None:
        self._log, self._stream = log, stream
        self._started = self._last = time.monotonic()

    def show(self, rows: int, share: float | None) -> None:
        """Log one line unless the last one is less than 10 s old.

        Args:
            rows: decided since the start.
            share: completed fraction of the range, 0 to 1; None if unknown.
        """
        now = time.monotonic()
        if now - self._last < EVERY_SECONDS:
            return
        self._last = now
        self._log.info("%s", self.line(rows, share, now - self._started))

    def line(self, rows: int, share: float | None, seconds: float) -> str:
        """The text of one line."""
        text = f"{self._stream}: {rows} rows, {rows / seconds:.0f} rows/s"
        if share is None:
            return text
        text += f", {share:.0%} of the range"
        return f"{text}, about {seconds / share - seconds:.0f} s left" if share > 0 else text
