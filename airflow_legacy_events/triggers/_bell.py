"""A bell that a notification rings and a trigger waits for."""

from __future__ import annotations

import asyncio
import contextlib

GATHER_SECONDS = 0.1
"""So long after the first notification others may come that are answered by the same look."""

APART_SECONDS = 1.0
"""Looks that a bell brings about are so far apart, however many notifications come."""


class Bell:
    """Rung from any thread, waited for in the loop that made it; what rings while nobody waits is not lost."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self._not_before = self._loop.time()

    def ring(self) -> None:
        """Let the one who waits, or who waits next, go on; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, seconds: float) -> None:
        """Wait until the bell was rung, or so many seconds; several rings are one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
                await asyncio.sleep(max(GATHER_SECONDS, self._not_before - self._loop.time()))
                self._not_before = self._loop.time() + APART_SECONDS
        self._rung.clear()
