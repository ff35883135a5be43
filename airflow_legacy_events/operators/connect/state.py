"""State operator: runs, pauses or stops a connector, and waits until its tasks follow."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import Context

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.client import ConnectClient
from airflow_legacy_events.connect.standing import bring
from airflow_legacy_events.connect.state import RUNNING, STATES, Status
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.operators.connect._base import ConnectorOperator
from airflow_legacy_events.streams import arguments

_log = logging.getLogger(__name__)
_FAIL, _OK = "fail", "ok"


class ConnectorStateOperator(ConnectorOperator):
    """Brings a connector and its tasks into a state, and waits until they are in it.

    Nothing is sent if they are. Stopped means that no task is left. A connector that was stopped and is paused has no
    tasks, which is paused too. A FAILED connector, or one with a FAILED task, is stopped and paused as any other; as
    running it is an error, because only a restart helps. The task returns ``{connector, action, before, state,
    tasks}``; the action is ``changed``, ``unchanged`` or ``missing``.

    :param state: ``running``, ``paused`` or ``stopped``.
    :param missing: what to do if there is no such connector: ``fail``, or ``ok`` for a green task.
    """

    def __init__(self, *, state: str = RUNNING, missing: str = _FAIL, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state = state
        self.missing = missing
        arguments.choice("state", state, STATES)
        arguments.choice("missing", missing, (_FAIL, _OK))

    def _steer(self, client: ConnectClient, context: Context) -> dict[str, Any]:  # noqa: ARG002  a port of the base
        status = client.send(calls.status(self.connector))
        if status is None and client.send(calls.config(self.connector)) is None:
            return self._absent()
        before = None if status is None else _word(status)
        if status is not None and status.holds(self.state):
            _log.info("connector %s is %s already", self.connector, self.state)
            return self._report("unchanged", before, status)
        status = bring(client, self.connector, self.state, self.timeout)
        _log.info("connector %s is %s", self.connector, self.state)
        return self._report("changed", before, status)

    def _absent(self) -> dict[str, Any]:
        if self.missing == _FAIL:
            raise ConfigurationError(
                f"there is no connector {self.connector!r}: create it with ConnectorUpsertOperator, or set missing='ok'"
            )
        _log.info("there is no connector %s, which missing='ok' allows", self.connector)
        return {"connector": self.connector, "action": "missing", "before": None, "state": None, "tasks": 0}

    def _report(self, action: str, before: str | None, status: Status) -> dict[str, Any]:
        found = {"connector": self.connector, "action": action, "before": before}
        return {**found, "state": _word(status), "tasks": len(status.tasks)}


def _word(status: Status) -> str:
    return "failed" if status.failed else status.connector.state.lower()
