"""Trigger of a deferred signal: waits until the connector has answered it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_legacy_events.connect.answering import Answer, read_sent
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.streams.tails import using_tail
from airflow_legacy_events.triggers import _connect

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 2.0


class DebeziumSignalTrigger(BaseTrigger):
    """Fires once a signal was carried out, has failed, or time is over.

    :param connect_conn_id: connection of the cluster.
    :param broker_conn_id: connection of the broker that holds the notifications.
    :param sent: the signal, as JSON.
    :param until: moment at which waiting ends, in seconds since 1970.
    """

    def __init__(self, *, connect_conn_id: str, broker_conn_id: str, sent: str, until: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._arguments = {
            "connect_conn_id": connect_conn_id,
            "broker_conn_id": broker_conn_id,
            "sent": sent,
            "until": until,
        }
        self.connect_conn_id, self.until = connect_conn_id, until
        self._answer = Answer(read_sent(sent), using_tail(broker_conn_id, _log))

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and the arguments that make an equal trigger."""
        return f"{type(self).__module__}.{type(self).__qualname__}", self._arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the report, or the error for which waiting is no help."""
        connector, failures = self._answer.sent.connector, 0
        while True:
            event: Any = None
            try:
                event = await _connect.look(self.connect_conn_id, self._answer.look(), self.until)
                failures = 0
            except LegacyEventsError as error:
                failures += 1
                event = _connect.met(self._answer, connector, error, self.until)
            if event is None and _connect.is_over(self.until):
                event = _connect.timed_out(connector, self._answer.reason)
            if event is not None:
                yield TriggerEvent(event)  # type: ignore[no-untyped-call]
                return
            await asyncio.sleep(_connect.pause(_LOOK_SECONDS, failures, self.until))
