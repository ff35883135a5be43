"""Trigger of a deferred upsert: waits until the config that was written is what the connector's tasks run with."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.applying import LOOK_SECONDS, Applying, Look
from airflow_legacy_events.connect.client import AsyncConnectClient, SilentError
from airflow_legacy_events.connect.secrets import secrets_of
from airflow_legacy_events.core.errors import ConnectorFailedError, LegacyEventsError
from airflow_legacy_events.hooks.connect import KafkaConnectHook

_SHORTEST_SECONDS = 1.0


class ConnectorAppliedTrigger(BaseTrigger):
    """Fires once a connector runs with its config, has failed with it, or time is over; holds no secret.

    :param connect_conn_id: connection of the cluster.
    :param connector: name of the connector.
    :param changed: keys of the config that were written.
    :param stable_for: seconds that the state must hold.
    :param before: marks of what had failed before.
    :param passwords: keys that the plugin declares as passwords.
    :param until: moment at which waiting ends, in seconds since 1970.
    :param report: given back with the event: `dag.test()` keeps nothing else of a deferral.
    """

    def __init__(  # noqa: PLR0913  what a trigger keeps
        self,
        *,
        connect_conn_id: str,
        connector: str,
        changed: Sequence[str],
        stable_for: float,
        before: Sequence[str],
        passwords: Sequence[str],
        until: float,
        report: Mapping[str, Any],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._arguments: dict[str, Any] = {
            "connect_conn_id": connect_conn_id,
            "connector": connector,
            "changed": list(changed),
            "stable_for": stable_for,
            "before": list(before),
            "passwords": list(passwords),
            "until": until,
            "report": dict(report),
        }
        self.connect_conn_id, self.connector = connect_conn_id, connector
        self.passwords, self.until = passwords, until
        self._applying = Applying(connector, changed, stable_for, before)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and the arguments that make an equal trigger."""
        return f"{type(self).__module__}.{type(self).__qualname__}", self._arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield ``{done, error, trace, report, passwords}`` once: whether the config runs, or why it does not."""
        done, error = False, None
        try:
            done = await self._wait()
        except LegacyEventsError as found:
            error = found
        trace = error.trace if isinstance(error, ConnectorFailedError) else None
        kept = {name: self._arguments[name] for name in ("report", "passwords")}
        event = {"done": done, "error": None if error is None else str(error), "trace": trace, **kept}
        yield TriggerEvent(event)  # type: ignore[no-untyped-call]

    async def _wait(self) -> bool:
        """Return whether it was done before time was over."""
        timeout = dt.timedelta(seconds=max(_SHORTEST_SECONDS, self.until - time.time()))
        client = await asyncio.to_thread(KafkaConnectHook(self.connect_conn_id).get_async_client, timeout)
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(client)
            while not client.deadline.over:
                with contextlib.suppress(SilentError):  # the task looks once more, and says what it finds
                    if self._applying.done(await self._look(client)):
                        return True
                await asyncio.sleep(LOOK_SECONDS)
        return False

    async def _look(self, client: AsyncConnectClient) -> Look:
        config = await client.send(calls.config(self.connector))
        self._applying.secrets = secrets_of(config or {}, self.passwords)
        status = await client.send(calls.status(self.connector))
        return Look(time.monotonic(), status, config, await client.send(calls.task_configs(self.connector)))
