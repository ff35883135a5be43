"""What a piece of this very process costs."""

from __future__ import annotations

import ctypes
import gc
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Self

import MySQLdb.connections
import psycopg

_HEARTBEAT = "legacy-events-lease"


class Meter:
    """Seconds, CPU seconds of all threads, and the highest resident memory above that at the start.

    Attributes:
        found: `execute_seconds`, `cpu`, `rss_mb`, once the context has ended.
    """

    def __enter__(self) -> Self:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # memory that was freed before would hide what is taken now
        Path("/proc/self/clear_refs").write_text("5")  # forget the highest memory so far
        self._memory = _status("VmRSS")
        self._started, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.found = {
            "execute_seconds": time.perf_counter() - self._started,
            "cpu": time.process_time() - self._cpu,
            "rss_mb": (_status("VmHWM") - self._memory) / 1024,
        }


class DatabaseClock:
    """Time spent inside the calls of a database.

    Attributes:
        seconds: by the name of the method; what one call does inside another counts once.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = threading.local()

    def around(self, database: Any) -> Any:
        """Return `database` with the clock around every call."""
        return _Clocked(database, self)

    def run(self, name: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call and count."""
        if getattr(self._inside, "busy", False):
            return call(*arguments, **options)
        self._inside.busy = True
        started = time.perf_counter()
        try:
            return call(*arguments, **options)
        finally:
            self.seconds[name] += time.perf_counter() - started
            self._inside.busy = False


@contextmanager
def answers(clock: DatabaseClock) -> Iterator[None]:
    """Count how long the drivers wait for the answers to statements; a lock that sleeps in one is none to wait for."""
    places = ((psycopg.Connection, "wait"), (MySQLdb.connections.Connection, "query"))
    originals = [getattr(owner, name) for owner, name in places]
    for (owner, name), original in zip(places, originals, strict=True):
        setattr(owner, name, _counted(original, clock))
    try:
        yield
    finally:
        for (owner, name), original in zip(places, originals, strict=True):
            setattr(owner, name, original)


def _counted(original: Callable[..., Any], clock: DatabaseClock) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        if threading.current_thread().name == _HEARTBEAT:
            return original(*arguments, **options)
        return clock.run("answers", original, *arguments, **options)

    return call


class _Clocked:
    def __init__(self, inner: Any, clock: DatabaseClock) -> None:
        self._inner, self._clock = inner, clock

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            returned = self._clock.run(name, found, *arguments, **options)
            if isinstance(returned, AbstractContextManager):
                return _ClockedContext(returned, self._clock, name)
            return returned

        return call


class _ClockedContext:
    def __init__(self, inner: Any, clock: DatabaseClock, name: str) -> None:
        self._inner, self._clock, self._name = inner, clock, name

    def __enter__(self) -> Any:
        entered = self._clock.run(self._name, self._inner.__enter__)
        return None if entered is None else _Clocked(entered, self._clock)

    def __exit__(self, *error: object) -> Any:
        return self._clock.run(f"{self._name} end", self._inner.__exit__, *error)


def _status(name: str) -> int:
    """A line of /proc/self/status in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
