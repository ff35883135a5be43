"""What the triggers that wait for a connector share."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from airflow_legacy_events.connect.names import check_name
from airflow_legacy_events.connect.steps import Steps, run_async
from airflow_legacy_events.core.errors import ConnectorFailedError
from airflow_legacy_events.hooks.connect import KafkaConnectHook
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.triggers._threads import in_thread

T = TypeVar("T")

LOOK_TIMEOUT = dt.timedelta(seconds=20)
"""How long one look sends requests again after what passes; then it is logged, and the next look follows."""
SHORTEST = dt.timedelta(seconds=2)
"""That a look may take at least, when the time is over."""
FIRST_SECONDS, _GROWTH = 1.0, 1.5
"""Between the first looks after a nudge, up to the interval of the others."""

_LONGEST_WAIT_SECONDS = 60.0
_SPREAD = 0.1


def check(connector: Any, poll_interval: Any, **conn_ids: Any) -> None:
    """Check arguments that are rendered.

    Raises:
        ConfigurationError: one is wrong.
    """
    arguments.span("poll_interval", poll_interval, zero=False)
    arguments.refuse_templates(connector=connector, **conn_ids)
    check_name(connector)


def within(until: float | None) -> dt.timedelta:
    """Return how long a look may take.

    Args:
        until: moment at which waiting ends, in seconds since 1970; None: never.
    """
    if until is None:
        return LOOK_TIMEOUT
    return max(SHORTEST, min(LOOK_TIMEOUT, dt.timedelta(seconds=until - time.time())))


async def look(connect_conn_id: str, steps: Steps[T], until: float | None) -> T:
    """Return the result of a look, with a client of its own.

    Raises:
        LegacyEventsError: it failed.
    """
    make = partial(KafkaConnectHook(connect_conn_id).get_async_client, within(until))
    async with await in_thread(make) as client:
        return await run_async(steps, client, in_thread)


class Looking(Protocol):
    """What decides, look by look.

    Attributes:
        reason: why the last look did not suffice.
    """

    reason: str


def met(looking: Looking, connector: str, error: Exception, until: float | None) -> dict[str, Any] | None:
    """Return the event of an error for which waiting is no help, which the sensor raises again; else note the error.

    The last look, when the time is over, has little of it: what an earlier one found says more.
    """
    if not getattr(error, "retry_helps", False):
        trace = error.trace if isinstance(error, ConnectorFailedError) else None
        return {"connector": connector, "error": str(error), "kind": type(error).__name__, "trace": trace}
    if not looking.reason or not is_over(until):
        looking.reason = str(error)
    return None


def timed_out(connector: str, reason: str) -> dict[str, Any]:
    """Return the event of a wait whose time is over."""
    return {"connector": connector, "error": reason, "kind": "timeout", "trace": None}


def is_over(until: float | None) -> bool:
    """Whether the end of waiting has come; see `within`."""
    return until is not None and time.time() >= until


def soon(looks: int, poll_seconds: float) -> float:
    """Return the seconds until the next look after a nudge, of which so many came before."""
    return min(poll_seconds, FIRST_SECONDS * _GROWTH ** min(looks, 20))


def pause(poll_seconds: float, failures: int, until: float | None, wanted: float | None = None) -> float:
    """Return the seconds until the next look, with jitter, and none of them beyond the end of waiting.

    Args:
        poll_seconds: between two looks; doubled by every failure, up to a minute.
        failures: that came one after the other.
        until: see `within`.
        wanted: at most this many, if nothing failed.
    """
    longest = max(poll_seconds, _LONGEST_WAIT_SECONDS)
    seconds = min(poll_seconds * 2.0 ** min(failures, 16), longest)
    seconds *= random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311  no secret
    if wanted is not None and not failures:
        seconds = min(seconds, wanted)
    return seconds if until is None else max(0.0, min(seconds, until - time.time()))


def serialized(trigger: object, given: Mapping[str, Any], plain: Callable[[Any], Any]) -> tuple[str, dict[str, Any]]:
    """Return a trigger's path and the arguments that make an equal one: plain JSON without dicts."""
    path = f"{type(trigger).__module__}.{type(trigger).__qualname__}"
    return path, {name: plain(value) for name, value in given.items()}
