"""A deadline for every wait: one thread of the process sees to it that what lasts too long is cut.

A server that is gone ends a wait by itself, and one that works ends a statement after its timeout. A peer that stays
connected and says nothing does neither, so each wait has a deadline of its own here.
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
"""What a wait may last beyond the statement timeout, by which a server that works has ended the statement."""

_AGAIN_SECONDS = 0.25
_LONGEST_CUT_SECONDS = 5.0


class Watch:
    """A context that is cut once it lasts longer than its deadline; see `Watchdog.watching`.

    Attributes:
        over: whether the deadline passed before the context ended.
        ends_at: the deadline, by the monotonic clock.
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
        """Return what will cut the context, which must be known before the context can end without it."""
        self._cutting = _Cutting(self._cut)
        return self._cutting


class _Cutting:
    """Calls `cut` until the context ends, in a thread of its own: a call that blocks delays no other."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self._left, self._ended = threading.Event(), threading.Event()

    def start(self) -> None:
        """Begin to cut."""
        try:
            threading.Thread(target=self._main, name="legacy-events-cut", daemon=True).start()
        except RuntimeError:  # the process can have no further thread
            self._main()

    def stop(self) -> None:
        """Call `cut` no more; one that goes on is waited for, a few seconds at most."""
        self._left.set()
        self._ended.wait(_LONGEST_CUT_SECONDS)

    def _main(self) -> None:
        while not self._left.is_set():
            with contextlib.suppress(Exception):  # what ends meanwhile can't be cut any more
                self._cut()
            self._left.wait(_AGAIN_SECONDS)
        self._ended.set()


class Watchdog:
    """Watches any number of contexts with one thread, which begins with the first of them.

    A process that was forked has a thread of its own, and none of the contexts of the other one.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, in a process that was just forked."""
        self._watched: dict[Watch, None] = {}
        self._changed = threading.Condition()
        self._sleeps_until = math.inf
        self._runs = False

    def watching(self, seconds: float, cut: Callable[[], None]) -> Watch:
        """Return a context of which `cut` is called once it lasts longer than `seconds`.

        Entering and leaving take about a microsecond. Whoever catches the error that the cut makes asks `Watch.over`
        after the context.

        Args:
            seconds: that the context may last.
            cut: ends what the context waits for, from another thread. It is called again until the context ends, and
                never after that, unless the call itself takes seconds. Its errors are of no account.
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
        """Watch a context no more; return False where its deadline has passed."""
        return self._watched.pop(watch, self) is None

    def _main(self) -> None:
        with self._changed:
            while True:
                self._sleeps_until = math.inf  # what begins from here on waits for its turn to notify
                now = time.monotonic()
                self._sleeps_until = self._next(now)
                seconds = self._sleeps_until - now
                self._changed.wait(None if seconds > threading.TIMEOUT_MAX else seconds)

    def _next(self, now: float) -> float:
        """Cut what is over, and return when the next one is."""
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
