"""Watching a connector until it is in a state, and has been for a while."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.applying import failed_error
from airflow_legacy_events.connect.secrets import secrets_of
from airflow_legacy_events.connect.state import RUNNING, STATES, Status, failure_text
from airflow_legacy_events.connect.steps import Steps
from airflow_legacy_events.connect.streaming import Streaming, UsingSource, refuse_silent
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.names import digest

FAILED = "failed"
WATCHED = (*STATES, FAILED)
FAIL, WAIT = "fail", "wait"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is waited for.

    Attributes:
        connector: name of it.
        states: any of them: running, paused, stopped or failed.
        stable_for: seconds that the state must hold; a failure counts at once.
        tasks_at_least: number of tasks that running takes.
        on_failed: fail or wait, where failed is not among the states.
        source_conn_id: connection of its PostgreSQL database; None: its slot is not looked at.
    """

    connector: str
    states: Sequence[str]
    stable_for: float = 0.0
    tasks_at_least: int = 1
    on_failed: str = FAIL
    source_conn_id: str | None = None


class StateWatch:
    """Decides, look by look, whether a connector is in a state.

    Args:
        wanted: what is waited for.
        source: calls a function with the database of `source_conn_id`; None without one.
        log: of the task.

    Attributes:
        reason: why the last look did not suffice.
        mark: of what the last look found, equal for one failure; it holds nothing of a trace.
        pause: seconds after which the state will have held for long enough; None if it does not hold.
        away: whether the last look found the connector settled in another state, not on the way to one.
    """

    def __init__(self, wanted: Wanted, source: UsingSource | None, log: logging.Logger) -> None:
        self.wanted = wanted
        self.reason, self.mark, self.away = "", "", False
        self.pause: float | None = None
        self._since: float | None = None
        self._streaming = None
        if source is not None and wanted.source_conn_id is not None:
            self._streaming = Streaming(wanted.connector, wanted.source_conn_id, source, log)

    def look(self, now: float) -> Steps[dict[str, Any] | None]:
        """Return the report if the connector is in a state that is waited for, else None.

        Args:
            now: seconds of a monotonic clock.

        Raises:
            ConnectorFailedError: something of it is FAILED, and `on_failed` is fail.
            ConfigurationError: there is no such connector, or RUNNING would mean nothing.
        """
        self.pause, self.away = None, False
        status: Status | None = yield calls.status(self.wanted.connector)
        if status is None:
            yield from self._absent()
            return self._not_yet("it was created just now")
        if status.failed:
            return (yield from self._failed(status))
        state = self._state(status)
        if state is None:
            self.away = any(status.holds(one) for one in STATES)
            return self._not_yet(f"{status}")
        if state == RUNNING and (hindrance := (yield from self._hindrance())) is not None:
            return self._not_yet(f"{status}, but {hindrance}")
        self._since = now if self._since is None else self._since
        left = self.wanted.stable_for - (now - self._since)
        if left > 0:
            self.reason, self.pause = f"{status}, for {now - self._since:.0f} s", left
            return None
        self.mark = state
        return {"connector": self.wanted.connector, "state": state, "tasks": len(status.tasks)}

    def _state(self, status: Status) -> str | None:
        wanted = self.wanted
        return next((one for one in STATES if one in wanted.states and status.holds(one, wanted.tasks_at_least)), None)

    def _hindrance(self) -> Steps[str | None]:
        config = (yield calls.config(self.wanted.connector)) or {}
        refuse_silent(self.wanted.connector, config)
        return None if self._streaming is None else (yield from self._streaming.hindrance(config))

    def _failed(self, status: Status) -> Steps[dict[str, Any] | None]:
        wanted, config = self.wanted, (yield calls.config(self.wanted.connector)) or {}
        secrets = secrets_of(config)
        if FAILED in wanted.states:
            self.mark = digest("\n".join(f"{part.id}:{part.trace}" for part in status.failed), 16)
            text = failure_text(status.failed, secrets)
            return {"connector": wanted.connector, "state": FAILED, "tasks": len(status.tasks), "failure": text}
        self.away = True
        error = failed_error(wanted.connector, status.failed, secrets)
        if wanted.on_failed == FAIL:
            raise error
        return self._not_yet(str(error))

    def _absent(self) -> Steps[None]:
        if (yield calls.config(self.wanted.connector)) is None:
            raise missing(self.wanted.connector, (yield calls.names()))

    def _not_yet(self, reason: str) -> dict[str, Any] | None:
        self.reason, self._since = reason, None
        return None


def missing(name: str, there: Sequence[str]) -> ConfigurationError:
    """Return the error for a connector that the cluster does not have.

    Args:
        name: of the connector.
        there: names of those that it has.
    """
    listed = ", ".join(sorted(there)[:10]) or "none"
    return ConfigurationError(
        f"there is no connector {name!r}: correct connector=, or create it with ConnectorUpsertOperator. There are"
        f" {listed}"
    )
