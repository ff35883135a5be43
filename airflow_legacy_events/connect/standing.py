"""A connector brought into a state, and seen to be in it."""

from __future__ import annotations

import datetime as dt

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.applying import LOOK_SECONDS, failed_error
from airflow_legacy_events.connect.client import ConnectClient, SilentError
from airflow_legacy_events.connect.secrets import secrets_of
from airflow_legacy_events.connect.state import PAUSED, RUNNING, STOPPED, Status
from airflow_legacy_events.core.errors import ConnectError


def bring(client: ConnectClient, name: str, state: str, timeout: dt.timedelta) -> Status:
    """Bring a connector and its tasks into a state; nothing is sent if they are in it.

    Args:
        client: of the cluster.
        name: of the connector, which is there.
        state: running, paused or stopped.
        timeout: of the task, for the error.

    Raises:
        ConnectorFailedError: it should run, and something of it is FAILED.
        ConnectError: it was deleted meanwhile, or is not in the state until the deadline.
    """
    status = client.send(calls.status(name))
    if status is not None and status.holds(state):
        return status
    if status is None or status.connector.state != state.upper():
        client.send(calls.set_state(name, state))
    try:
        while not client.deadline.over:
            status = _look(client, name, state)
            if status is not None and status.holds(state):
                return status
            client.deadline.wait(LOOK_SECONDS)
    except SilentError:
        if status is None:
            raise  # else what was seen before says more
    raise ConnectError(
        f"connector {name!r} is not {state} after {timeout}: look at the workers' logs, or raise timeout=. Now:"
        f" {status or 'not known to the worker'}"
    )


def _look(client: ConnectClient, name: str, state: str) -> Status | None:
    status, config = client.send(calls.status(name)), client.send(calls.config(name))
    if config is None:  # a worker that starts does not know the status of a connector that is there
        raise ConnectError(f"connector {name!r} was deleted while this task waited for it")
    if status is not None and state == RUNNING and status.failed:
        raise failed_error(name, status.failed, secrets_of(config))
    return status


def standing_of(status: Status) -> str:
    """Return the state that a connector is meant to be in: a FAILED one is meant to run."""
    found = status.connector.state.lower()
    return found if found in (PAUSED, STOPPED) else RUNNING
