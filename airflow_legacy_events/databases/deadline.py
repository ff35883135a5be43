"""A statement timeout for databases that have none: the statement is interrupted from a second thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_AGAIN_SECONDS = 0.25


@contextmanager
def deadline(
    seconds: float, interrupt: Callable[[], None], afterwards: Callable[[], None] = lambda: None
) -> Iterator[threading.Event]:
    """Interrupt a context that lasts longer than `seconds`; yield an event that is set once they are over.

    Args:
        seconds: that the context may last.
        interrupt: called from a second thread once they are over, and again until the context ends; never after that.
        afterwards: called at the end of a context that was interrupted.
    """
    done, over = threading.Event(), threading.Event()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            over.set()
            wait = _AGAIN_SECONDS
            with contextlib.suppress(Exception):  # what ends meanwhile can't be interrupted any more
                interrupt()

    watching = threading.Thread(target=watch, name="legacy-events-deadline", daemon=True)
    watching.start()
    try:
        yield over
    finally:
        done.set()
        watching.join()
        if over.is_set():
            afterwards()
