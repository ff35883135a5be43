"""Shared base of the triggers that wait at a source."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import random
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.streams.arguments import span
from airflow_legacy_events.triggers._threads import in_thread
from airflow_legacy_events.triggers._wakeup import Wakeup
from airflow_legacy_events.triggers.probe import Probe, Watch

_LONGEST_WAIT_SECONDS = 60.0
_SOON_SECONDS = 0.5
_HORIZON_SECONDS = (0.5, 1.0, 2.0, 5.0)
"""Pauses between looks at rows above the horizon; a time column's lies a second behind the clock."""
_SPREAD = 0.1
_log = logging.getLogger(__name__)


class RefusedTriggerError(ConfigurationError, TypeError):
    """The trigger's arguments are invalid.

    A triggerer catches only `TypeError` from a constructor and fails that trigger. Any other error ends the triggerer
    with all its triggers. Arguments that passed the DAG's parser can fail here: another release, missing time zone
    data.
    """


_LATER = (("row_security", FAIL), ("overlap", dt.timedelta(0)))
"""Defaults of arguments that came later: left out, so that a trigger that a triggerer already holds stays the same."""


class StreamTrigger(BaseEventTrigger):
    """Fires when an operator with the same arguments would read something now; a subclass defines the source.

    Behind an ``AssetWatcher`` it fires repeatedly, for a deferred task once. A check costs one index probe at the
    source and one request to Airflow; all triggers of a triggerer share one session per connection. While the source or
    Airflow can't be reached, it logs that, waits longer, and tries again. For a deferred task, an error that waiting
    can't fix fails the task.

    A subclass builds the watch from its own arguments.

    :param watch: what is waited for.
    :param poll_interval: time between two checks.
    :param arguments: arguments that make an equal trigger.
    """

    def __init__(self, watch: Watch, poll_interval: dt.timedelta, arguments: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.poll_interval, self.watch, self._arguments = poll_interval, watch, arguments
        try:
            watch.check(rendered=True)
            span("poll_interval", poll_interval, zero=False)
        except ConfigurationError as error:
            raise RefusedTriggerError(str(error)) from None
        self._probe = Probe(watch, _log)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and the arguments that make an equal trigger; they hold no secret.

        They are plain JSON without dicts: Airflow 3.2 encodes anything else for a watcher in a way that it can't
        decode.
        """
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            name: plain(value) for name, value in self._arguments.items() if (name, value) not in _LATER
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield ``{"stream", "rows", "bound"}`` whenever there is something new; rows are counted up to a thousand."""
        failures, waits, wakeup = 0, 0, Wakeup()
        self._probe.wake = wakeup.wake
        while True:
            try:
                news = await in_thread(self._probe.look)
                failures = 0
            except Exception as error:
                # A watcher's trigger is never restarted, so it continues after any error.
                if self.task_instance is not None and not getattr(error, "retry_helps", False):
                    raise
                failures += 1
                _log.warning("stream %s can't be checked: %s: %s", self.watch.stream, type(error).__name__, error)
                news = None
            waits = waits + 1 if self._probe.waits else 0
            if news is not None:
                _log.info("stream %s has rows pending, up to %s of them", news["stream"], news["rows"])
                try:
                    yield TriggerEvent(news)  # type: ignore[no-untyped-call]
                except (GeneratorExit, asyncio.CancelledError):  # `dag.test()` takes one event and cleans up nothing
                    self._probe.end()
                    raise
                if self.task_instance is not None:
                    return
            seconds = self._wait_seconds(failures, waits)
            # After a failure, notifications don't cause extra checks; the wake-up is remembered.
            await (asyncio.sleep(seconds) if failures else wakeup.wait(seconds))

    async def cleanup(self) -> None:
        """Release the session and the listening session."""
        await in_thread(self._probe.end)

    def _wait_seconds(self, failures: int, waits: int) -> float:
        """Return the poll interval, doubled by every failure up to a minute, with jitter against simultaneous checks.

        Rows held back by the cooldown are checked again as soon as they may be reported. A failed check may have been
        for a notification, which is not sent again: it is retried soon. So is a look that found only rows above the
        horizon, less and less often: nothing notifies of a transaction that ends.
        """
        poll = self.poll_interval.total_seconds()
        if failures and self.watch.channel is not None:
            poll = min(poll, _SOON_SECONDS)
        if waits:
            poll = min(poll, self._horizon_seconds(waits))
        if self._probe.held_back:
            return min(poll, self._probe.held_back.total_seconds())
        longest = max(poll, _LONGEST_WAIT_SECONDS)
        seconds = min(poll * 2.0 ** min(failures, 16), longest)
        return seconds * random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311  no secret

    def _horizon_seconds(self, waits: int) -> float:
        """Return the pause after so many looks that found rows above the horizon; doubled where nothing notifies."""
        if self.watch.channel is None and waits > len(_HORIZON_SECONDS):
            return _HORIZON_SECONDS[-1] * 2.0 ** min(waits - len(_HORIZON_SECONDS), 16)
        return _HORIZON_SECONDS[min(waits, len(_HORIZON_SECONDS)) - 1]


def duration(value: Any) -> dt.timedelta:
    """Return seconds as a timedelta; anything else unchanged, to be checked later."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError, ValueError):
            return dt.timedelta(seconds=value)
    return cast("dt.timedelta", value)


def mapping(value: Any) -> Any:
    """Return the mapping whose pairs `plain` returned; anything else unchanged, to be checked later."""
    if isinstance(value, list):
        with contextlib.suppress(TypeError, ValueError):
            return dict(value)
    return value


def plain(value: Any) -> Any:
    """Return an argument as plain JSON without dicts, which Airflow 3.2 can't decode for a watcher.

    A duration becomes its seconds, a list of names a list, a mapping a list of its pairs.
    """
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return [[name, plain(one)] for name, one in value.items()]
    return list(value) if isinstance(value, tuple) else value
