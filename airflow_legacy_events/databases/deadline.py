"""A statement timeout for databases that have none: the statement is interrupted from a second thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_AGAIN_SECONDS = 0.25


@contextmanager
def deadline(seconds: float, interrupt: Callable[[], None]) -> Iterator[threading.Event]:
    """Call `interrupt` when the context lasts longer than `seconds`, and again until it ends; never after that.

    Yields:
        an event that is set once the time is over.
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
