"""Waits, in the triggerer, until a table or query has rows that the operator would read."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import datetime as dt
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.hooks import arguments
from airflow_legacy_events.triggers._probe import Asked, Probe

T = TypeVar("T")

_LONGEST_WAIT_SECONDS = 60.0
_SPREAD = 0.1
# A source that hangs must not keep the triggerer's other triggers from their threads.
_THREADS = ThreadPoolExecutor(4, thread_name_prefix="legacy-events-probe")
_log = logging.getLogger(__name__)


class RefusedTriggerError(ConfigurationError, TypeError):
    """A trigger can't be meant as it is given.

    Of what a constructor raises a triggerer catches `TypeError`, and fails that trigger; any other error ends the
    triggerer with all its triggers. It can meet what the DAG's parser let pass: another release, no time zones.
    """


class PendingEventsTrigger(BaseEventTrigger):
    """Fires when there are rows that an ``IncrementalQueryOperator`` with the same arguments would read now.

    Works behind an ``AssetWatcher``, where it fires again and again, and for a deferred task, where it fires once. A
    look costs one index probe at the source and one request to Airflow; all triggers of a triggerer share one session
    for each connection. While source or Airflow can't be reached it logs, waits longer, and goes on. For a deferred
    task an error that waiting can't mend fails the task.

    :param source_conn_id: connection of the legacy database.
    :param table: as the operator's; either this or ``sql``.
    :param sql: as the operator's, text only.
    :param watermark_columns: as the operator's; ``[]`` is refused, a full load has nothing to look for.
    :param key_columns: as the operator's.
    :param topic: as the operator's; names the stream together with ``source_conn_id`` and ``table``.
    :param stream: the operator's stream, where it does not follow from ``topic``.
    :param watermark_store: as the operator's, by name; a store that a triggerer can't read is refused.
    :param lag: as the operator's: younger rows are not looked at.
    :param source_timezone: as the operator's.
    :param statement_timeout: after which the database ends a look.
    :param poll_interval: time between two looks.
    :param cooldown: after which it fires again for the same rows, if nobody has delivered them.
    :param waiter: who is told, where several wait for one stream: each has a cooldown of its own.

    Each duration is a ``timedelta`` or a number of seconds.
    """

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        source_conn_id: str,
        table: str | None = None,
        sql: str | None = None,
        watermark_columns: Sequence[str],
        key_columns: Sequence[str] | None = None,
        topic: str | None = None,
        stream: str | None = None,
        watermark_store: str | None = None,
        lag: dt.timedelta | float = dt.timedelta(0),
        source_timezone: str = "UTC",
        statement_timeout: dt.timedelta | float = dt.timedelta(seconds=30),
        poll_interval: dt.timedelta | float = dt.timedelta(seconds=60),
        cooldown: dt.timedelta | float = dt.timedelta(seconds=60),
        waiter: str | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.poll_interval = _duration(poll_interval)
        self._asked = Asked(
            source_conn_id=source_conn_id,
            table=table,
            sql=sql,
            watermark_columns=watermark_columns,
            key_columns=key_columns,
            topic=topic,
            stream=stream,
            watermark_store=watermark_store,
            lag=_duration(lag),
            source_timezone=source_timezone,
            statement_timeout=_duration(statement_timeout),
            cooldown=_duration(cooldown),
            waiter=waiter,
        )
        try:
            self._asked.check(rendered=True)
            arguments.span("poll_interval", self.poll_interval, zero=False)
        except ConfigurationError as error:
            raise RefusedTriggerError(str(error)) from None
        self._probe = Probe(self._asked, _log)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and the arguments that make an equal trigger; no secret is among them.

        They are plain JSON: Airflow 3.2 encodes anything else of a watcher in a way that it can't decode.
        """
        asked = self._asked
        listed = {
            "watermark_columns": list(asked.watermark_columns),
            "key_columns": None if asked.key_columns is None else list(asked.key_columns),
        }
        given = {**vars(asked), **listed, "poll_interval": self.poll_interval}
        plain = {
            name: value.total_seconds() if isinstance(value, dt.timedelta) else value for name, value in given.items()
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", plain

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield ``{"stream", "rows", "bound"}`` whenever there is news; rows are counted to a thousand."""
        failures = 0
        while True:
            try:
                news = await _in_thread(self._probe.look)
                failures = 0
            except Exception as error:
                # Nobody starts the trigger of a watcher again, so whatever it meets, it goes on.
                if self.task_instance is not None and not getattr(error, "retry_helps", False):
                    raise
                failures += 1
                _log.warning(
                    "stream %s can't be looked at: %s: %s", self._asked.stream_name, type(error).__name__, error
                )
                news = None
            if news is not None:
                _log.info("stream %s has rows pending, up to %s of them", news["stream"], news["rows"])
                yield TriggerEvent(news)  # type: ignore[no-untyped-call]
                if self.task_instance is not None:
                    return
            await asyncio.sleep(self._wait_seconds(failures))

    async def cleanup(self) -> None:
        """Let go of the session."""
        await _in_thread(self._probe.end)

    def _wait_seconds(self, failures: int) -> float:
        """The poll interval, doubled by every failure up to a minute; spread, so that not all look at once."""
        poll = self.poll_interval.total_seconds()
        longest = max(poll, _LONGEST_WAIT_SECONDS)
        seconds = min(poll * 2.0 ** min(failures, 16), longest)
        return seconds * random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311  no secret


def _duration(value: Any) -> dt.timedelta:
    """Seconds as a timedelta; anything else as it is, for whoever judges it."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError, ValueError):
            return dt.timedelta(seconds=value)
    return cast("dt.timedelta", value)


async def _in_thread(call: Callable[[], T]) -> T:
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_THREADS, context.run, call)
