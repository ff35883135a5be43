"""Shared base of the sensors that wait for a connector."""

from __future__ import annotations

import datetime as dt
import logging
import time
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

from airflow.sdk import BaseSensorOperator, Context, PokeReturnValue, conf
from airflow.sdk.exceptions import AirflowSensorTimeout
from airflow.triggers.base import BaseTrigger

from airflow_legacy_events.connect.names import check_name
from airflow_legacy_events.connect.steps import Steps, run
from airflow_legacy_events.core.errors import (
    ConfigurationError,
    ConnectError,
    ConnectorFailedError,
    LegacyEventsError,
    StoppedError,
)
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.hooks.connect import DEFAULT_CONN_ID, KafkaConnectHook
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.rendering import RenderedFields
from airflow_legacy_events.triggers import _connect

_log = logging.getLogger(__name__)
_MARGIN = dt.timedelta(seconds=60)


class ConnectorSensor(RenderedFields, BaseSensorOperator):
    """Base of the sensors that wait for one connector of a Kafka Connect cluster.

    While Kafka Connect, the database or the broker can't be reached, the sensor logs that and keeps waiting, until its
    ``timeout``; its error then names what was missing. An error for which waiting is no help fails the sensor at once.

    :param connector: name of the connector. (templated)
    :param connect_conn_id: connection of the cluster, of type ``kafka_connect`` or ``http``. (templated)
    :param source_conn_id: connection of the connector's source database. (templated)
    :param poll_interval: time between two looks.
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable``.
    """

    template_fields: Collection[str] = ("connector", "connect_conn_id", "source_conn_id")
    ui_color = "#e6def0"

    def __init__(
        self,
        *,
        connector: str,
        connect_conn_id: str = DEFAULT_CONN_ID,
        source_conn_id: str | None = None,
        poll_interval: dt.timedelta = dt.timedelta(seconds=10),
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        arguments.span("poll_interval", poll_interval, zero=False)
        if "poke_interval" in kwargs:
            raise ConfigurationError("poke_interval= was given, but here the time between two looks is poll_interval=")
        super().__init__(poke_interval=poll_interval, **kwargs)
        self.connector = connector
        self.connect_conn_id = connect_conn_id
        self.source_conn_id = source_conn_id
        self.poll_interval = poll_interval
        self.deferrable = deferrable
        self._stop = Stop()
        self._began = time.monotonic()
        self._failure = ""
        if not holds_template(connector):
            check_name(connector)

    @abstractmethod
    def _begin(self) -> None:
        """Prepare to look; called when the task begins."""

    @abstractmethod
    def _steps(self) -> Steps[dict[str, Any] | None]:
        """Return a look, which returns the report or None."""

    @abstractmethod
    def _reason(self) -> str:
        """Return why the last look did not suffice."""

    @abstractmethod
    def _soon(self) -> float | None:
        """Return the most seconds until the next look; None: the poll interval."""

    @abstractmethod
    def _trigger(self, until: float) -> BaseTrigger:
        """Return the trigger that looks from now on, until a moment in seconds since 1970."""

    def _finish(self, context: Context, report: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Take note of success; return the report."""
        _log.info("connector %s: %s", self.connector, report)
        return report

    def execute(self, context: Context) -> Any:
        """Wait; return the report."""
        self._start()
        if not self.deferrable:
            try:
                report = cast("dict[str, Any]", super().execute(context))
            except AirflowSensorTimeout as error:
                raise AirflowSensorTimeout(f"{self._why()}\n{error}") from None
            return self._finish(context, report)
        found = self.poke(context)
        if isinstance(found, PokeReturnValue):
            return self._finish(context, cast("dict[str, Any]", found.xcom_value))
        trigger, timeout = self._trigger(time.time() + self._left), dt.timedelta(seconds=self._left) + _MARGIN
        return self.defer(trigger=trigger, method_name="execute_complete", timeout=timeout)

    def poke(self, context: Context) -> bool | PokeReturnValue:  # noqa: ARG002  Airflow's signature
        """Look once; what can't be reached counts as not yet, and is not looked at once more when the time is over."""
        if self._failure and not self._left:
            return False
        try:
            report = self._look()
        except StoppedError:
            raise
        except LegacyEventsError as error:
            if not error.retry_helps:
                raise final(error).with_traceback(None) from error.__cause__
            if self._left or not self._reason():
                self._failure = str(error)
            _log.warning("connector %s can't be looked at: %s", self.connector, error)
            return False
        self._failure = ""
        if report is None:
            _log.info("%s", self._why())
            return False
        return PokeReturnValue(is_done=True, xcom_value=report)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the trigger found, or raise its error."""
        if "error" not in event:
            return self._finish(context, dict(event))
        if event["kind"] == "timeout":
            raise AirflowSensorTimeout(f"connector {self.connector!r}: not yet, {event['error']}")
        if event["trace"] is not None:
            raise final(ConnectorFailedError(event["error"], trace=event["trace"]))
        if event["kind"] == ConfigurationError.__name__:
            raise final(ConfigurationError(event["error"]))
        raise final(ConnectError(event["error"], retry_helps=False))

    def on_kill(self) -> None:
        """End waiting; called in a signal handler."""
        self._stop.request()

    def _start(self) -> None:
        self._stop, self._began = Stop(), time.monotonic()
        check_name(self.connector)
        self._begin()

    def _look(self) -> dict[str, Any] | None:
        if self._stop.requested:
            raise StoppedError("the task received a stop request while it waited for a connector")
        timeout = max(_connect.SHORTEST, min(_connect.LOOK_TIMEOUT, dt.timedelta(seconds=self._left)))
        with KafkaConnectHook(self.connect_conn_id).get_client(timeout, self._stop) as client:
            return run(self._steps(), client)

    @property
    def _left(self) -> float:
        """Seconds until the end of waiting, at least 0."""
        return max(0.0, self.timeout - (time.monotonic() - self._began))

    def _why(self) -> str:
        return f"connector {self.connector!r}: not yet, {self._failure or self._reason()}"

    def _get_next_poke_interval(
        self, started_at: dt.datetime | float, run_duration: Callable[[], float], poke_count: int
    ) -> float:
        """Look in time for the end of waiting, and sooner where that makes sense."""
        found = super()._get_next_poke_interval(started_at, run_duration, poke_count)
        soon = None if self._failure else self._soon()
        found = found if soon is None else min(found, soon)
        return max(0.0, min(found, self.timeout - run_duration()))
