"""Triggers of Kafka Connect: wait in the triggerer for a connector's state, or until it has caught up."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

from airflow.triggers.base import BaseEventTrigger, BaseTrigger, TriggerEvent

from airflow_legacy_events.connect.caught_up import CaughtUp
from airflow_legacy_events.connect.nudges import AUTO, NEVER
from airflow_legacy_events.connect.state import RUNNING
from airflow_legacy_events.connect.target import Target
from airflow_legacy_events.connect.watching import FAIL, WAIT, WATCHED, StateWatch, Wanted
from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.names import digest
from airflow_legacy_events.hooks.connect import DEFAULT_CONN_ID
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.connected import using
from airflow_legacy_events.streams.tails import using_ends
from airflow_legacy_events.triggers import _connect
from airflow_legacy_events.triggers._episode import Episode
from airflow_legacy_events.triggers._threads import in_thread
from airflow_legacy_events.triggers.stream import RefusedTriggerError, duration, plain

__all__ = ["ConnectorCaughtUpTrigger", "ConnectorStateTrigger", "RefusedTriggerError"]

_log = logging.getLogger(__name__)


class ConnectorStateTrigger(BaseEventTrigger):
    """Fires when a connector is in a state, or in one of several; see ``ConnectorStateSensor``.

    Behind an ``AssetWatcher`` it fires once whenever the connector comes into such a state, however often the triggerer
    is restarted meanwhile: with ``states=["failed"]`` once per failure. A failure is over once nothing of the connector
    has been FAILED for ``stable_for``, so that a restart which does not help is no other failure. The event is
    ``{connector, state, tasks}``, with ``failure`` in words for a failure. While Kafka Connect can't be reached, it
    logs that, waits longer, and tries again.

    :param connector: name of the connector.
    :param connect_conn_id: connection of the cluster.
    :param state: ``running``, ``paused``, ``stopped`` or ``failed``; either this or ``states``, or neither for
        ``running``.
    :param states: several of them.
    :param stable_for: time that the state must hold; a failure counts at once. Behind a watcher also the time that it
        must be over before it is reported again.
    :param tasks_at_least: number of tasks that ``running`` takes.
    :param source_conn_id: as the sensor's.
    :param on_failed: as the sensor's; without effect behind a watcher, which waits on.
    :param poll_interval: time between two looks.
    :param until: moment at which a deferred task stops waiting, in seconds since 1970.

    Each duration is a ``timedelta`` or a number of seconds.
    """

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        connector: str,
        connect_conn_id: str = DEFAULT_CONN_ID,
        state: str | None = None,
        states: Sequence[str] | None = None,
        stable_for: dt.timedelta | float = dt.timedelta(seconds=30),
        tasks_at_least: int = 1,
        source_conn_id: str | None = None,
        on_failed: str = FAIL,
        poll_interval: dt.timedelta | float = dt.timedelta(seconds=10),
        until: float | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.connector, self.connect_conn_id, self.until = connector, connect_conn_id, until
        self.poll_interval, stable = duration(poll_interval), duration(stable_for)
        try:
            found = states_of(state, states)
            check_state(found, stable, tasks_at_least, on_failed)
            _connect.check(
                connector, self.poll_interval, connect_conn_id=connect_conn_id, source_conn_id=source_conn_id
            )
        except ConfigurationError as error:
            raise RefusedTriggerError(str(error)) from None
        self._given = {
            "connector": connector,
            "connect_conn_id": connect_conn_id,
            "states": found,
            "stable_for": stable,
            "tasks_at_least": tasks_at_least,
            "source_conn_id": source_conn_id,
            "on_failed": on_failed,
            "poll_interval": self.poll_interval,
            "until": until,
        }
        wanted = Wanted(
            connector=connector,
            states=found,
            stable_for=stable.total_seconds(),
            tasks_at_least=tasks_at_least,
            on_failed=on_failed,
            source_conn_id=source_conn_id,
        )
        self._away_since: float | None = None
        self._watch = StateWatch(wanted, None if source_conn_id is None else using(source_conn_id), _log)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and the arguments that make an equal trigger; they hold no secret."""
        return _connect.serialized(self, self._given, plain)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the report whenever the connector has come into the state; for a deferred task once, or its error."""
        failures, deferred = 0, self.task_instance is not None or self.until is not None
        waiter = digest(repr(self.serialize()), 16)
        episode = Episode(f"{self.connect_conn_id}.{self.connector}", waiter)
        while True:
            event: Mapping[str, Any] | None = None
            try:
                event = await _connect.look(self.connect_conn_id, self._watch.look(time.monotonic()), self.until)
                event = event if deferred else await self._once(episode, event)
                failures = 0
            except Exception as error:
                if deferred and not isinstance(error, LegacyEventsError):
                    raise
                _log.warning("connector %s can't be looked at: %s: %s", self.connector, type(error).__name__, error)
                failures += 1
                event = _connect.met(self._watch, self.connector, error, self.until) if deferred else None
            if event is None and _connect.is_over(self.until):
                event = _connect.timed_out(self.connector, self._watch.reason)
            if event is not None:
                yield TriggerEvent(event)  # type: ignore[no-untyped-call]
                if deferred:
                    return
            seconds = self.poll_interval.total_seconds()
            await asyncio.sleep(_connect.pause(seconds, failures, self.until, self._watch.pause))

    async def _once(self, episode: Episode, event: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return the event if it is the first of its episode."""
        if event is not None:
            self._away_since = None
            return event if await in_thread(partial(episode.begin, self._watch.mark)) else None
        if self._watch.away:
            now = time.monotonic()
            self._away_since = now if self._away_since is None else self._away_since
            if now - self._away_since >= self._watch.wanted.stable_for:
                await in_thread(episode.end)
        return None


class ConnectorCaughtUpTrigger(BaseTrigger):
    """Fires once a connector has caught up with what was committed before; see ``ConnectorCaughtUpSensor``.

    It is for deferred tasks. The event is ``{connector, target, reached, seconds}``.

    :param connector: name of the connector.
    :param connect_conn_id: connection of the cluster.
    :param source_conn_id: as the sensor's.
    :param broker_conn_id: as the sensor's.
    :param nudge: as the sensor's.
    :param allow_loss: as the sensor's.
    :param poll_interval: longest time between two looks, as ``timedelta`` or number of seconds.
    :param target: what the sensor took as the target; None: the first look takes it.
    :param until: moment at which waiting ends, in seconds since 1970; None: never.
    """

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        connector: str,
        connect_conn_id: str = DEFAULT_CONN_ID,
        source_conn_id: str | None = None,
        broker_conn_id: str | None = None,
        nudge: str = AUTO,
        allow_loss: bool = False,
        poll_interval: dt.timedelta | float = dt.timedelta(seconds=5),
        target: str | None = None,
        until: float | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.connector, self.connect_conn_id, self.until = connector, connect_conn_id, until
        self.poll_interval = duration(poll_interval)
        conn_ids = {"source_conn_id": source_conn_id, "broker_conn_id": broker_conn_id}
        try:
            arguments.choice("nudge", nudge, (AUTO, NEVER))
            _connect.check(connector, self.poll_interval, connect_conn_id=connect_conn_id, **conn_ids)
            taken = None if target is None else Target.read(target)
        except (ConfigurationError, ValueError) as error:
            raise RefusedTriggerError(str(error)) from None
        self._given = {
            "connector": connector,
            "connect_conn_id": connect_conn_id,
            **conn_ids,
            "nudge": nudge,
            "allow_loss": allow_loss,
            "poll_interval": self.poll_interval,
            "target": target,
            "until": until,
        }
        self._barrier = caught_up(connector, source_conn_id, broker_conn_id, nudge, allow_loss=allow_loss, target=taken)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and the arguments that make an equal trigger; they hold no secret."""
        return _connect.serialized(self, self._given, plain)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the report once the connector has caught up, or the error for which waiting is no help."""
        failures = looks = 0
        while True:
            event: Mapping[str, Any] | None = None
            try:
                event = await _connect.look(self.connect_conn_id, self._barrier.look(), self.until)
                failures = 0
            except LegacyEventsError as error:
                _log.warning("connector %s can't be looked at: %s", self.connector, error)
                failures += 1
                event = _connect.met(self._barrier, self.connector, error, self.until)
            if event is None and _connect.is_over(self.until):
                event = _connect.timed_out(self.connector, self._barrier.reason)
            if event is not None:
                yield TriggerEvent(event)  # type: ignore[no-untyped-call]
                return
            looks = 0 if self._barrier.pushed else looks + 1
            seconds = self.poll_interval.total_seconds()
            await asyncio.sleep(_connect.pause(seconds, failures, self.until, _connect.soon(looks, seconds)))


def states_of(state: str | None, states: Sequence[str] | None) -> list[str]:
    """Return the states that are waited for.

    Raises:
        ConfigurationError: both arguments were given, or no list.
    """
    if states is None:
        return [RUNNING if state is None else state]
    if state is not None:
        raise ConfigurationError("state= and states= were both given: give one of them")
    if isinstance(states, str) or not states:
        raise ConfigurationError(f"states= must be a list of states, such as ['failed']; found {states!r}")
    return list(states)


def check_state(states: Sequence[str], stable_for: Any, tasks_at_least: Any, on_failed: Any) -> None:
    """Check what is waited for.

    Raises:
        ConfigurationError: an argument is wrong.
    """
    for one in states:
        arguments.choice("state", one, WATCHED)
    arguments.choice("on_failed", on_failed, (FAIL, WAIT))
    arguments.span("stable_for", stable_for, zero=True)
    arguments.whole(tasks_at_least=tasks_at_least)


def caught_up(
    connector: str,
    source_conn_id: str | None,
    broker_conn_id: str | None,
    nudge: str,
    *,
    allow_loss: bool,
    target: Target | None = None,
) -> CaughtUp:
    """Return what decides whether a connector has caught up, with ways into its source or broker."""
    return CaughtUp(
        connector,
        source=None if source_conn_id is None else (source_conn_id, using(source_conn_id)),
        broker=None if broker_conn_id is None else (broker_conn_id, using_ends(broker_conn_id, _log)),
        nudge=nudge,
        allow_loss=allow_loss,
        target=target,
    )
