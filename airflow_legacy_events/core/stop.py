"""Stop request, shared by the relay and everything that waits on its behalf."""

from __future__ import annotations

import queue
import time

from airflow_legacy_events.core.errors import StoppedError

GRACE_SECONDS = 3.0
"""What is in flight may still be confirmed for so long: Airflow sends SIGKILL 5 s after SIGTERM."""


class Stop:
    """A flag with a deadline: set once, from any thread or a signal handler; never cleared."""

    def __init__(self) -> None:
        # No threading.Event: a handler that runs inside its wait() would block on the lock that wait() holds.
        self._requests: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._requested = False
        self._deadline: float | None = None

    def request(self) -> None:
        """Ask the run to end at the next batch border."""
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
            self._requests.put(None)  # for the next one who waits
        return True

    def check(self) -> None:
        """Check that waiting for messages in flight is still allowed.

        Raises:
            StoppedError: a stop was requested and the grace is over.
        """
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise StoppedError(
                f"the run was asked to stop and {GRACE_SECONDS:g} s later the messages in flight were still"
                " unconfirmed; they are sent again, with equal ids, by the next run"
            )
