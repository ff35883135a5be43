"""Threads of triggers for what blocks: a source that hangs must not block the triggerer's other triggers."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_THREADS = ThreadPoolExecutor(4, thread_name_prefix="legacy-events-probe")


async def in_thread(call: Callable[[], T]) -> T:
    """Return the result of a function that blocks, called in a thread of its own with the caller's context."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_THREADS, context.run, call)
