"""Time limit of a task that waits for Kafka Connect."""

from __future__ import annotations

import datetime as dt
import time

from airflow_legacy_events.core.errors import StoppedError
from airflow_legacy_events.core.stop import Stop


class Deadline:
    """Counts down from its construction.

    Args:
        timeout: time until it is over.
        stop: ends waiting early.

    Attributes:
        timeout: as given.
    """

    def __init__(self, timeout: dt.timedelta, stop: Stop | None = None) -> None:
        self.timeout = timeout
        self._stop = stop or Stop()
        self._end = time.monotonic() + timeout.total_seconds()

    @property
    def remaining(self) -> float:
        """Return the seconds that are left, at least 0."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return not self.remaining

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond the deadline.

        Raises:
            StoppedError: a stop was requested.
        """
        if self._stop.wait(min(seconds, self.remaining)):
            raise StoppedError("the task received a stop request while it waited for Kafka Connect")
