"""Waiting until a config that was written is what runs: only the tasks' own configs show that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from airflow_legacy_events.connect.config import NAME
from airflow_legacy_events.connect.diff import Difference, compare, lines_of
from airflow_legacy_events.connect.secrets import is_masked
from airflow_legacy_events.connect.state import PAUSED, RUNNING, STOPPED, Part, Status, failure_text
from airflow_legacy_events.core.errors import ConnectError, ConnectorFailedError
from airflow_legacy_events.core.names import digest

LOOK_SECONDS = 0.5
"""Between two looks at a connector."""
_OLD_FAILURE_SECONDS = 5.0
"""How long a failure of before the write is not taken for one of after it, once the tasks hold the new values."""


@dataclass(frozen=True)
class Look:
    """What a worker says at one moment.

    Attributes:
        at: seconds of a monotonic clock.
        status: None while the worker does not know the connector.
        config: of the connector.
        tasks: configs of its tasks.
    """

    at: float
    status: Status | None
    config: Mapping[str, str] | None
    tasks: Sequence[Mapping[str, str]] | None


@dataclass
class Applying:
    """Decides, look by look, whether what was written runs.

    Attributes:
        name: of the connector.
        changed: keys that the write set or removed.
        stable_for: seconds that the state must hold.
        before: marks of what had failed before the write; see `marks_of`.
        secrets: texts that an error must not show.
        passwords: keys that the plugin declares as passwords.
        declared: the config that was written; None: it is not compared.
        status: of the last look.
    """

    name: str
    changed: Collection[str]
    stable_for: float
    before: Collection[str] = ()
    secrets: Collection[str] = ()
    passwords: Collection[str] = ()
    declared: Mapping[str, str] | None = None
    status: Status | None = field(default=None, init=False)
    _arrived: bool = field(default=False, init=False)
    _held_since: float | None = field(default=None, init=False)
    _applied_since: float | None = field(default=None, init=False)

    def done(self, look: Look) -> bool:
        """Return whether all has been in place for long enough.

        A connector that is paused or stopped takes its config with its next start: it is enough that it has it.

        Raises:
            ConnectorFailedError: the connector or a task failed with what was written.
            ConnectError: another hand has written another config.
        """
        status = self.status = look.status
        if look.config is None and self._arrived:
            raise ConnectError(f"connector {self.name!r} was deleted while this task waited: see who else writes it")
        if status is None or look.config is None:
            self._held_since = self._applied_since = None
            return False
        self._compare(look.config)
        resting = next((one for one in (PAUSED, STOPPED) if status.connector.state == one.upper()), None)
        applied = resting is not None or holds_values(look.config, look.tasks or (), self.changed)
        self._applied_since = (self._applied_since or look.at) if applied else None
        if failed := self._new_failures(status, look.at):
            raise failed_error(self.name, failed, self.secrets)
        if not applied or not status.holds(resting or RUNNING):
            self._held_since = None
            return False
        self._held_since = look.at if self._held_since is None else self._held_since
        return resting is not None or look.at - self._held_since >= self.stable_for

    def _compare(self, config: Mapping[str, str]) -> None:
        """Compare the connector's config, once it was the declared one: a worker may be a moment late."""
        if self.declared is None:
            return
        found = compare(config, self.declared)
        if found.keys and self._arrived:
            raise other_hand(self.name, found, self.passwords)
        self._arrived = not found.keys

    def _new_failures(self, status: Status, at: float) -> list[Part]:
        old = self._applied_since is None or at - self._applied_since < _OLD_FAILURE_SECONDS
        return [part for part in status.failed if not (old and _mark(part) in self.before)]


def marks_of(status: Status | None) -> list[str]:
    """Return a mark for each failure, which holds nothing of its trace."""
    return [] if status is None else [_mark(part) for part in status.failed]


def _mark(part: Part) -> str:
    return f"{part.id}:{digest(part.trace, 16)}"


def holds_values(config: Mapping[str, str], tasks: Sequence[Mapping[str, str]], changed: Collection[str]) -> bool:
    """Return whether every task runs with a connector's config.

    A connector may give its tasks other keys than its own. Then only the keys that they share can be compared.

    Args:
        config: of the connector.
        tasks: configs of its tasks.
        changed: keys that were set or removed.
    """
    return bool(tasks) and all(_holds(config, task, changed) for task in tasks)


def _holds(config: Mapping[str, str], task: Mapping[str, str], changed: Collection[str]) -> bool:
    passed_on = all(key in task for key in config if key not in changed and key != NAME)
    for key in changed:
        if (passed_on or key not in config) and (key in config) != (key in task):
            return False
    shared = [(value, task[key]) for key, value in config.items() if key in task]
    return all(one == other or is_masked(one) or is_masked(other) for one, other in shared)


def other_hand(name: str, found: Difference, passwords: Collection[str]) -> ConnectError:
    """Return the error for a connector that got another config than the one that was written."""
    return ConnectError(
        f"connector {name!r} got another config while this task waited: see who else writes it. It differs in:\n"
        + lines_of(found.to_dict(passwords))
    )


def late(name: str, timeout: dt.timedelta, stable_for: dt.timedelta, status: Status | None) -> ConnectError:
    """Return the error for a connector that did not run with its new config in time."""
    return ConnectError(
        f"connector {name!r} has not run with its new config for stable_for={stable_for} after {timeout}: look at the"
        f" workers' logs, or raise timeout=. Now: {status or 'not known to the worker'}"
    )


def failed_error(name: str, failed: Collection[Part], secrets: Collection[str] = ()) -> ConnectorFailedError:
    """Return the error for a connector of which something is FAILED."""
    text = failure_text(failed, secrets)
    return ConnectorFailedError(f"connector {name!r} FAILED: remove the cause, then restart it.\n{text}", trace=text)
