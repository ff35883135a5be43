"""Restart operator: restarts what is FAILED of a connector, and sees that it runs."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from airflow.sdk import Context

from airflow_legacy_events.connect.client import ConnectClient
from airflow_legacy_events.connect.restarting import Restarting
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.operators.connect._base import ConnectorOperator
from airflow_legacy_events.streams import arguments

_log = logging.getLogger(__name__)


class ConnectorRestartOperator(ConnectorOperator):
    """Restarts the FAILED connector or its FAILED tasks, until nothing of it has been FAILED for a while.

    What works is left alone: if nothing is FAILED, nothing is sent. A connector that is still FAILED after the last
    restart fails the task with the cause, and so does one whose slot or server id another connector has: each restart
    of one would end the other. The task returns ``{connector, restarts, state}``.

    :param only_failed: leave alone what is not FAILED; False restarts the connector and all its tasks once, also if
        they work.
    :param max_restarts: of one run of the task.
    :param backoff: time before the second restart, doubled before each further one.
    :param stable_for: time that the state must hold after a restart.
    """

    def __init__(
        self,
        *,
        only_failed: bool = True,
        max_restarts: int = 3,
        backoff: dt.timedelta = dt.timedelta(seconds=30),
        stable_for: dt.timedelta = dt.timedelta(seconds=30),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.only_failed = only_failed
        self.max_restarts = max_restarts
        self.backoff = backoff
        self.stable_for = stable_for
        arguments.whole(max_restarts=max_restarts)
        arguments.span("backoff", backoff, zero=True)
        arguments.span("stable_for", stable_for, zero=True)
        if stable_for >= self.timeout:
            raise ConfigurationError(f"timeout= must be longer than stable_for=; found {self.timeout} and {stable_for}")

    def _steer(self, client: ConnectClient, context: Context) -> dict[str, Any]:  # noqa: ARG002  a port of the base
        seconds = self.backoff.total_seconds(), self.stable_for.total_seconds()
        restarting = Restarting(client, self.connector, self.only_failed, self.max_restarts, *seconds)
        status = restarting.run()
        _log.info("connector %s: %d restarts, %s", self.connector, restarting.restarts, status)
        state = status.connector.state.lower()
        return {"connector": self.connector, "restarts": restarting.restarts, "state": state}
