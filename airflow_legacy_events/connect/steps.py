"""Steps of a look at a connector, written once for the client of a task and that of a trigger.

A look is a generator. It yields requests, and functions that block, such as a query of the source database; each is
answered with its result.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias, TypeVar

from airflow_legacy_events.connect.calls import Call
from airflow_legacy_events.connect.client import AsyncConnectClient, ConnectClient

T = TypeVar("T")

Steps: TypeAlias = Generator[Call[Any] | Callable[[], Any], Any, T]


def run(steps: Steps[T], client: ConnectClient) -> T:
    """Return the result of steps, in this thread.

    Args:
        steps: to take.
        client: that sends their requests.
    """
    answer: Any = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            found: T = end.value
            return found
        answer = client.send(step) if isinstance(step, Call) else step()


async def run_async(
    steps: Steps[T], client: AsyncConnectClient, in_thread: Callable[[Callable[[], Any]], Awaitable[Any]]
) -> T:
    """Return the result of steps, in an event loop.

    Args:
        steps: to take.
        client: that sends their requests.
        in_thread: calls a function that blocks.
    """
    answer: Any = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            found: T = end.value
            return found
        answer = await client.send(step) if isinstance(step, Call) else await in_thread(step)
