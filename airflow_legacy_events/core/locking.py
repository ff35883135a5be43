"""Lock of a stream: waiting for it while another run holds it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from airflow_legacy_events.core.errors import BusyError, StoppedError
from airflow_legacy_events.core.ports import Lease
from airflow_legacy_events.core.stop import Stop

_POLL_SECONDS = 1.0


@contextmanager
def wait_for_lock(
    lock: Callable[[], AbstractContextManager[Lease]], stop: Stop, log: logging.Logger
) -> Iterator[Lease]:
    """Take the lock as soon as it is free, for as long as the context lasts.

    Raises:
        BusyError: the holder's heartbeat has stopped, so waiting would never end.
        StoppedError: the run was stopped while it waited.
    """
    reported = False
    with ExitStack() as held:
        while True:
            try:
                lease = held.enter_context(lock())
                break
            except BusyError as busy:
                if busy.healthy is False:
                    raise
                if not reported:
                    log.info("waiting: %s", busy)
                    reported = True
                if stop.wait(_POLL_SECONDS):
                    raise StoppedError(f"the run was stopped while it waited for {busy.holder}") from busy
        yield lease
