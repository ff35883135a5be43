"""Base of the operators that steer a connector: its connection, name and deadline, and their errors."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Collection
from typing import Any

from airflow.sdk import BaseOperator, Context

from airflow_legacy_events.connect.client import ConnectClient
from airflow_legacy_events.connect.names import check_name
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.hooks.connect import DEFAULT_CONN_ID, KafkaConnectHook
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.operators.links import ConnectorLink
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.rendering import RenderedFields


class ConnectorOperator(RenderedFields, BaseOperator):
    """Base of the operators that steer one connector of a Kafka Connect cluster.

    A subclass adds its own arguments, and does its work in ``_steer``. It returns a report.

    :param connector: name of the connector. (templated)
    :param connect_conn_id: connection of the cluster, of type ``kafka_connect`` or ``http``. (templated)
    :param timeout: time until which the task must have ended; requests are sent again until then after what passes,
        such as a rebalance.
    """

    template_fields: Collection[str] = ("connector", "connect_conn_id")
    operator_extra_links = (ConnectorLink(),)
    ui_color = "#e6def0"

    def __init__(
        self,
        *,
        connector: str,
        connect_conn_id: str = DEFAULT_CONN_ID,
        timeout: dt.timedelta = dt.timedelta(minutes=5),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.connector = connector
        self.connect_conn_id = connect_conn_id
        self.timeout = timeout
        self._stop: Stop | None = None
        arguments.span("timeout", timeout, zero=False)
        if not holds_template(connector):
            check_name(connector)

    @abstractmethod
    def _steer(self, client: ConnectClient, context: Context) -> dict[str, Any]:
        """Do the work, and return the report.

        Args:
            client: of the cluster; its deadline is that of the task, and ``client.deadline.wait`` sleeps.
            context: of the task.

        Raises:
            LegacyEventsError: it failed.
        """

    def execute(self, context: Context) -> Any:
        """Steer the connector, and return the report."""
        try:
            check_name(self.connector)
            with self._client() as client:
                return self._steer(client, context)
        except LegacyEventsError as error:
            raise final(error).with_traceback(None) from error.__cause__

    def _client(self) -> ConnectClient:
        """Return a client whose deadline begins now, and whose waits a stop of the task ends."""
        self._stop = Stop()
        return KafkaConnectHook(self.connect_conn_id).get_client(self.timeout, self._stop)

    def on_kill(self) -> None:
        """End waiting; called in a signal handler."""
        if self._stop is not None:
            self._stop.request()
