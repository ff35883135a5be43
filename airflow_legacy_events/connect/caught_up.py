"""Caught up: whether all that was committed before a barrier began has gone through a connector."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

from airflow_legacy_events.connect import calls, checks
from airflow_legacy_events.connect.applying import failed_error
from airflow_legacy_events.connect.log_barrier import LogBarrier
from airflow_legacy_events.connect.secrets import secrets_of
from airflow_legacy_events.connect.sink_barrier import SinkBarrier, UsingBroker
from airflow_legacy_events.connect.state import RUNNING, Status
from airflow_legacy_events.connect.steps import Steps
from airflow_legacy_events.connect.streaming import UsingSource
from airflow_legacy_events.connect.target import Target
from airflow_legacy_events.connect.watching import missing
from airflow_legacy_events.core.errors import ConfigurationError


class Barrier(Protocol):
    """What a connector must pass."""

    def check(self, config: Mapping[str, str]) -> None:
        """Check that a connector can be compared with it.

        Raises:
            ConfigurationError: it can't.
        """

    def take(self, config: Mapping[str, str]) -> Steps[Target]:
        """Return the target, as of now."""

    def push(self, config: Mapping[str, str], target: Target) -> Steps[bool]:
        """Make the log move, if it is time to; return whether it was made to."""

    def reached(self, config: Mapping[str, str], target: Target) -> Steps[tuple[Any, str]]:
        """Return what has been reached, if it is the target, else None; and why it is not.

        Raises:
            ConfigurationError: the connector's offset is none of this log.
        """


class CaughtUp:
    """Decides, look by look, whether a connector has caught up. The target is taken first, then the log is nudged.

    Args:
        connector: name of it.
        source: connection of its source database, and what calls a function with it; None for a sink.
        broker: connection of its broker, and what calls a function with the ends of its topics; None for a source.
        nudge: auto or never.
        allow_loss: whether it may be a connector that drops records which fail.
        target: that was taken before; None: the first look takes it.

    Attributes:
        target: None before the first look.
        reason: why the last look did not suffice.
        pushed: whether the last look made the log move.
    """

    def __init__(
        self,
        connector: str,
        *,
        source: tuple[str, UsingSource] | None,
        broker: tuple[str, UsingBroker] | None,
        nudge: str,
        allow_loss: bool,
        target: Target | None = None,
    ) -> None:
        self.connector, self.target = connector, target
        self.reason, self.pushed = "", False
        self._source, self._broker, self._nudge, self._allow_loss = source, broker, nudge, allow_loss

    def look(self) -> Steps[dict[str, Any] | None]:
        """Return the report once the connector has caught up, else None.

        Raises:
            ConnectorFailedError: something of it is FAILED.
            ConfigurationError: it can never be known, or the argument that it takes is missing.
        """
        self.pushed = False
        config: Mapping[str, str] | None = yield calls.config(self.connector)
        if config is None:
            raise missing(self.connector, (yield calls.names()))
        status: Status | None = yield calls.status(self.connector)
        if status is None:
            return self._not_yet("it was created just now")
        if status.failed:
            raise failed_error(self.connector, status.failed, secrets_of(config))
        barrier = self._barrier(status)
        self._refuse_loss(config)
        barrier.check(config)
        if self.target is None:
            self.target = yield from barrier.take(config)
        self.pushed = yield from barrier.push(config, self.target)
        if not status.holds(RUNNING):
            return self._not_yet(f"{status}")
        found, why = yield from barrier.reached(config, self.target)
        if found is None:
            return self._not_yet(why)
        letters = (yield from barrier.dead_letters(config, self.target)) if isinstance(barrier, SinkBarrier) else None
        return self._report(self.target, found, letters)

    def _report(self, target: Target, reached: Any, letters: int | None) -> dict[str, Any]:
        seconds = round(time.time() - target.began, 3)
        found = {"connector": self.connector, "target": target.shown, "reached": reached, "seconds": seconds}
        return found if letters is None else {**found, "dead_letters": letters}

    def _barrier(self, status: Status) -> LogBarrier | SinkBarrier:
        sink = status.type == "sink"
        needed, useless = ("broker", "source") if sink else ("source", "broker")
        kind = "sink" if sink else "source"
        if (self._source if sink else self._broker) is not None:
            raise ConfigurationError(
                f"{useless}_conn_id= has no effect, since connector {self.connector!r} is a {kind}: leave it out"
            )
        if sink and self._broker is not None:
            return SinkBarrier(self.connector, *self._broker)
        if not sink and self._source is not None:
            return LogBarrier(self.connector, *self._source, self._nudge)
        raise ConfigurationError(
            f"{needed}_conn_id= is missing, since connector {self.connector!r} is a {kind}: give the connection of its"
            f" {'Kafka cluster' if sink else 'database'}"
        )

    def _refuse_loss(self, config: Mapping[str, str]) -> None:
        if not self._allow_loss and (found := checks.tolerances(config)):
            raise ConfigurationError(
                f"connector {self.connector!r} can lose records while its offset passes them: correct its config, or"
                f" set allow_loss=True. It has {'; '.join(found)}"
            )

    def _not_yet(self, reason: str) -> dict[str, Any] | None:
        self.reason = reason
        return None
