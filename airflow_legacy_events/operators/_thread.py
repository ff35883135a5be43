"""Worker thread of the relay: signals reach only the main thread, which must be free to handle them."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from airflow_legacy_events.core.errors import StoppedError
from airflow_legacy_events.core.stop import GRACE_SECONDS, Stop

T = TypeVar("T")

LONGEST_STOP_SECONDS = 4.0
"""Grace after a stop, after which the waiting thread continues even if the worker has not ended: SIGKILL comes 1 s
later."""


class Worker(Generic[T]):
    """Runs `work` in a thread with the caller's context variables, and waits for it.

    Args:
        work: what to run.
        stop: is requested when the wait is interrupted, as by a task's timeout.
        interrupt: called once when `work` has not ended within its grace; ends the call that `work` is blocked in.
    """

    def __init__(self, work: Callable[[], T], stop: Stop, interrupt: Callable[[], None]) -> None:
        self._work, self._stop, self._interrupt = work, stop, interrupt
        # A signal handler may call its put() while its get() is running.
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._result: list[T] = []
        self._error: BaseException | None = None
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._main,), name="legacy-events-relay", daemon=True)

    def run(self) -> T:
        """Return what `work` returns, or raise what it raises.

        Raises:
            StoppedError: it was stopped and did not end in time.
            BaseException: what interrupted the wait; `work` was stopped and given its grace first.
        """
        self._thread.start()
        try:
            self._wakes.get()
        except BaseException as interruption:
            self._stop.request()
            self._finish()
            if self._error is not None:
                interruption.add_note(f"the run was stopped by it: {self._error}")
            raise
        if self._stop.requested:
            self._finish()
        else:
            self._thread.join()
        if self._error is not None:
            raise self._error
        if not self._result:
            raise StoppedError(
                f"the run received a stop request and did not end within {LONGEST_STOP_SECONDS:g} s; what it had saved"
                " stays, and the next run continues from there and sends what was in flight again, with equal ids"
            )
        return self._result[0]

    def stop(self) -> None:
        """Request `work` to end; may be called from a signal handler."""
        self._stop.request()
        self._wakes.put(None)

    def _main(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001  it is raised again in the waiting thread
            self._error = error
        finally:
            self._wakes.put(None)

    def _finish(self) -> None:
        deadline = time.monotonic() + LONGEST_STOP_SECONDS
        self._thread.join(GRACE_SECONDS)
        if self._thread.is_alive():
            # A driver may block in interrupt() as well.
            threading.Thread(target=self._interrupt, name="legacy-events-interrupt", daemon=True).start()
            self._thread.join(deadline - time.monotonic())
