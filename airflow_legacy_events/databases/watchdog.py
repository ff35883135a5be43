"""Watchdog: one thread per process cuts every wait that passes its deadline.

A server that has gone away ends the wait, and a healthy one ends a statement at its timeout. A peer that stays
connected but silent does neither, so each wait has its own deadline here.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

GRACE_SECONDS = 30.0
"""Grace period of a wait beyond the statement timeout, by which a healthy server has ended the statement."""

_AGAIN_SECONDS = 0.25
_LONGEST_CUT_SECONDS = 5.0


class Watch:
    """A context that is cut once its deadline passes; see `Watchdog.watching`.

    Attributes:
        over: whether the deadline passed before the context ended.
        ends_at: the deadline, on the monotonic clock.
    """

    __slots__ = ("_cut", "_cutting", "_dog", "_seconds", "ends_at", "over")

    def __init__(self, dog: Watchdog, seconds: float, cut: Callable[[], None]) -> None:
        self.over, self.ends_at = False, math.inf
        self._dog, self._seconds, self._cut = dog, seconds, cut
        self._cutting: _Cutting | None = None

    def __enter__(self) -> Self:
        self.ends_at = time.monotonic() + self._seconds
        self._dog.begin(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._dog.end(self) and self._cutting is not None:
            self.over = True
            self._cutting.stop()

    def prepare(self) -> _Cutting:
        """Return the object that cuts the context. It must exist before the context can end without it."""
        self._cutting = _Cutting(self._cut)
        return self._cutting


class _Cutting:
    """Calls `cut` until the context ends, in its own thread, so that a blocking call delays no other context."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self._left, self._ended = threading.Event(), threading.Event()

    def start(self) -> None:
        """Start cutting."""
        try:
            threading.Thread(target=self._main, name="legacy-events-cut", daemon=True).start()
        except RuntimeError:  # the process can't start another thread
            self._main()

    def stop(self) -> None:
        """Stop calling `cut`. A running call is awaited for a few seconds at most."""
        self._left.set()
        self._ended.wait(_LONGEST_CUT_SECONDS)

    def _main(self) -> None:
        while not self._left.is_set():
            with contextlib.suppress(Exception):  # the context may have ended meanwhile
                self._cut()
            self._left.wait(_AGAIN_SECONDS)
        self._ended.set()


class Watchdog:
    """Watches any number of contexts with one thread, which starts with the first of them.

    A forked process has its own thread, and none of its parent's contexts.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start afresh in a process that was just forked."""
        self._watched: dict[Watch, None] = {}
        self._changed = threading.Condition()
        self._sleeps_until = math.inf
        self._runs = False

    def watching(self, seconds: float, cut: Callable[[], None]) -> Watch:
        """Return a context; `cut` is called if it lasts longer than `seconds`.

        Entering and leaving take about a microsecond. Code that catches the error of a cut checks `Watch.over` after
        the context.

        Args:
            seconds: maximum duration of the context.
            cut: ends the wait, from another thread. It is called until the context ends, and never after that unless
                the call itself takes seconds. Its errors are ignored.
        """
        return Watch(self, seconds, cut)

    def begin(self, watch: Watch) -> None:
        """Watch a context until `end`."""
        self._watched[watch] = None
        if watch.ends_at < self._sleeps_until:
            with self._changed:
                if not self._runs:
                    threading.Thread(target=self._main, name="legacy-events-watchdog", daemon=True).start()
                    self._runs = True
                self._changed.notify()

    def end(self, watch: Watch) -> bool:
        """Stop watching a context; return False if its deadline has passed."""
        return self._watched.pop(watch, self) is None

    def _main(self) -> None:
        with self._changed:
            while True:
                self._sleeps_until = math.inf  # contexts that begin from here on wait for the lock to notify
                now = time.monotonic()
                self._sleeps_until = self._next(now)
                seconds = self._sleeps_until - now
                self._changed.wait(None if seconds > threading.TIMEOUT_MAX else seconds)

    def _next(self, now: float) -> float:
        """Cut the contexts past their deadline; return when the next deadline is."""
        earliest = math.inf
        for watch in list(self._watched):
            if watch.ends_at > now:
                earliest = min(earliest, watch.ends_at)
                continue
            cutting = watch.prepare()
            if self.end(watch):
                watch.over = True
                cutting.start()
        return earliest


WATCHDOG = Watchdog()
"""The watchdog of this process."""

os.register_at_fork(after_in_child=WATCHDOG.reset)
