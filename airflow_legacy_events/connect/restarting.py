"""Restarting what is FAILED, a few times, until a connector has been as it should be for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.applying import LOOK_SECONDS, failed_error
from airflow_legacy_events.connect.calls import Call
from airflow_legacy_events.connect.client import ConnectClient, SilentError
from airflow_legacy_events.connect.conflicts import rivals
from airflow_legacy_events.connect.secrets import secrets_of
from airflow_legacy_events.connect.state import PAUSED, RUNNING, STOPPED, Status, read_status
from airflow_legacy_events.connect.watching import missing
from airflow_legacy_events.core.errors import ConnectError, ConnectorFailedError

_OLD_SECONDS = 3.0
"""How long the worker may still show a failure of before the restart."""


@dataclass
class Restarting:
    """Restarts of one connector.

    Attributes:
        client: of the cluster; its deadline ends all waiting.
        name: of the connector.
        only_failed: leave alone what is not FAILED.
        max_restarts: of them.
        backoff: seconds before the second restart; doubled before each further one.
        stable_for: seconds that the state must hold after a restart.
        restarts: how many there were.
    """

    client: ConnectClient
    name: str
    only_failed: bool
    max_restarts: int
    backoff: float
    stable_for: float
    restarts: int = 0
    _seen: Status | None = field(default=None, init=False)
    _known: dict[str, str] | None = field(default=None, init=False)

    def run(self) -> Status:
        """Return the status once nothing is FAILED and the state has held.

        Raises:
            ConnectorFailedError: it is FAILED after the last restart, or another connector takes its log away.
            ConnectError: it was not stable until the deadline, or is stopped.
        """
        status = self._settled()
        if not self.only_failed:
            self._refuse_stopped(status)
            status = self._restart(status)
        while status.failed:
            if self.restarts >= self.max_restarts:
                raise self._failed(status)
            if self.restarts:
                self._wait_backoff(status)
            status = self._restart(status)
        return status

    def _restart(self, before: Status) -> Status:
        """Restart; return the status once it is stable, or something is FAILED again."""
        self._refuse_rival(before)
        self.restarts += 1
        self.client.send(calls.restart(self.name, only_failed=self.only_failed, applied=self._moved(before)))
        began = held = self.client.deadline.remaining
        while True:
            status = self._status()
            left = self.client.deadline.remaining
            new = set(status.failed) - set(before.failed)
            if new or (status.failed and began - left >= _OLD_SECONDS):
                return status
            if status.failed or not _is_settled(status):
                held = left
                before = before if status.failed else status
            elif held - left >= self.stable_for:
                return status
            self._look_again(status)

    def _settled(self) -> Status:
        """Return the status once nothing is on the way: after a worker was lost, or behind another hand's restart."""
        while True:
            status = self._status()
            if status.failed or _is_settled(status):
                return status
            self._look_again(status)

    def _look_again(self, status: Status) -> None:
        if self.client.deadline.over:
            if status.failed:
                raise self._failed(status)
            raise ConnectError(
                f"connector {self.name!r} is not stable after {self.client.deadline.timeout} and {self.restarts}"
                f" restarts: look at the workers' logs, or raise timeout=. Now: {status}"
            )
        self.client.deadline.wait(LOOK_SECONDS)

    def _wait_backoff(self, status: Status) -> None:
        seconds = self.backoff * 2.0 ** (self.restarts - 1)
        if seconds >= self.client.deadline.remaining:
            raise self._failed(status)
        self.client.deadline.wait(seconds)

    def _status(self) -> Status:
        """Return the status; without an answer until the deadline, fail with what was seen before, which says more."""
        try:
            self._seen = self._known_status()
        except SilentError:
            if self._seen is None:
                raise
            self._look_again(self._seen)
        return self._seen

    def _known_status(self) -> Status:
        while (status := self.client.send(calls.status(self.name))) is None:
            there = self.client.send(calls.names())
            if self.name not in there or self.client.deadline.over:
                raise missing(self.name, there)
            self.client.deadline.wait(LOOK_SECONDS)  # the worker does not know it yet
        return status

    def _config(self) -> dict[str, str]:
        try:
            self._known = self.client.send(calls.config(self.name)) or {}
        except SilentError:
            if self._known is None:
                raise
        return self._known

    def _moved(self, before: Status) -> Call[bool]:
        """Return what shows that a restart whose answer was lost was carried out: a state that changed."""
        asked = calls.status(self.name)

        def moved(body: Mapping[str, object] | None) -> bool:
            return body is not None and _states(read_status(body)) != _states(before)

        return Call(method=asked.method, path=asked.path, parse=moved, missing=True)

    def _refuse_stopped(self, status: Status) -> None:
        if status.connector.state == STOPPED.upper():
            raise ConnectError(
                f"connector {self.name!r} is stopped, which a restart does not change: set it to running with"
                " ConnectorStateOperator",
                retry_helps=False,
            )

    def _refuse_rival(self, status: Status) -> None:
        config = self._config()
        found = rivals(self.name, config, self.client.send(calls.configs()))
        if status.failed and found:
            error = failed_error(self.name, status.failed, secrets_of(config))
            raise ConnectorFailedError(
                f"connector {self.name!r} is not restarted: {found[0]}. Each restart of one would end the other."
                f"\n{error.trace}",
                trace=error.trace,
            )

    def _failed(self, status: Status) -> ConnectorFailedError:
        error = failed_error(self.name, status.failed, secrets_of(self._config()))
        return ConnectorFailedError(
            f"connector {self.name!r} is FAILED after {self.restarts} restarts: remove the cause, then run this task"
            f" again.\n{error.trace}",
            trace=error.trace,
        )


def _is_settled(status: Status) -> bool:
    """Whether the connector and its tasks are in one state; running takes a task."""
    return any(status.holds(state) for state in (RUNNING, PAUSED, STOPPED))


def _states(status: Status) -> list[tuple[int | None, str]]:
    return [(part.id, part.state) for part in (status.connector, *status.tasks)]
