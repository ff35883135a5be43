"""Wake-ups of a trigger that waits, by notifications that a thread hears."""

from __future__ import annotations

import asyncio
import contextlib

GATHER_SECONDS = 0.1
"""So long after the first notification others may come that are answered by the same look."""

APART_SECONDS = 1.0
"""Looks that notifications bring about are so far apart, however many come."""


class Wakeup:
    """Set from any thread, waited for in the loop that made it; one that comes while nobody waits is not lost."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._set = asyncio.Event()
        self._not_before = self._loop.time()

    def wake(self) -> None:
        """Let the one who waits, or who waits next, go on; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._set.set)

    async def wait(self, seconds: float) -> None:
        """Wait so many seconds, or until it was set since the last time; being set several times is being set once."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._set.wait()
                await asyncio.sleep(max(GATHER_SECONDS, self._not_before - self._loop.time()))
                self._not_before = self._loop.time() + APART_SECONDS
        self._set.clear()
