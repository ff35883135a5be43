"""Stop request, shared by the relay and everything that waits for it."""

from __future__ import annotations

import queue
import time

from airflow_legacy_events.core.errors import StoppedError

GRACE_SECONDS = 3.0
"""Grace period for confirming messages in flight: Airflow sends SIGKILL 5 s after SIGTERM."""


class Stop:
    """Stop flag with a deadline: set once, from any thread or a signal handler; never cleared."""

    def __init__(self) -> None:
        # Not a threading.Event: a signal handler running inside its wait() would deadlock on the lock of wait().
        self._requests: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._requested = False
        self._deadline: float | None = None

    def request(self) -> None:
        """Request that the run end after the current batch."""
        if self._deadline is None:
            self._deadline = time.monotonic() + GRACE_SECONDS
        self._requested = True
        self._requests.put(None)

    @property
    def requested(self) -> bool:
        """Whether no new batch may be taken."""
        return self._requested

    def wait(self, seconds: float) -> bool:
        """Sleep for `seconds`, or until a stop is requested; return whether it was."""
        if not self._requested:
            try:
                self._requests.get(timeout=max(0.0, seconds))
            except queue.Empty:
                return self._requested
            self._requests.put(None)  # for the next waiting thread
        return True

    def check(self) -> None:
        """Check that the grace period for messages in flight is not over.

        Raises:
            StoppedError: a stop was requested and the grace period is over.
        """
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise StoppedError(
                f"the run received a stop request, and {GRACE_SECONDS:g} s later the messages in flight were still"
                " unconfirmed; they are sent again, with equal ids, by the next run"
            )
