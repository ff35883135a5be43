"""Wake-up: lets a listening thread end the wait of a trigger."""

from __future__ import annotations

import asyncio
import contextlib

GATHER_SECONDS = 0.1
"""After the first notification, further ones that arrive within this time are answered by the same check."""

APART_SECONDS = 1.0
"""Minimum time between two checks caused by notifications, however many arrive."""


class Wakeup:
    """Event set from any thread and awaited in the loop that made it; one set while nothing waits is not lost."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._set = asyncio.Event()
        self._not_before = self._loop.time()

    def wake(self) -> None:
        """Wake the current waiter, or the next one; callable from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, so nothing waits any more
            self._loop.call_soon_threadsafe(self._set.set)

    async def wait(self, seconds: float) -> None:
        """Wait that many seconds, or until it is set; several sets since the last wait count as one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._set.wait()
                await asyncio.sleep(max(GATHER_SECONDS, self._not_before - self._loop.time()))
                self._not_before = self._loop.time() + APART_SECONDS
        self._set.clear()
