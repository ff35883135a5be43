"""Shared base of the sensors that wait at a source."""

from __future__ import annotations

import datetime as dt
import logging
import time
from abc import abstractmethod
from collections.abc import Collection, Mapping
from typing import Any

from airflow.sdk import BaseSensorOperator, Context, PokeReturnValue, conf

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.rendering import RenderedFields
from airflow_legacy_events.streams.specs.base import SourceSpec
from airflow_legacy_events.triggers.probe import Probe, Watch
from airflow_legacy_events.triggers.stream import StreamTrigger

_PATIENCE_SECONDS, _PAUSE_SECONDS = 2.0, 0.2
_log = logging.getLogger(__name__)


class StreamSensor(RenderedFields, BaseSensorOperator):
    """Succeeds when an operator with the same arguments would read something now; a subclass defines the source.

    A check costs one index probe at the source. While the source or Airflow can't be reached, the sensor logs that and
    keeps waiting, until its ``timeout``. An error that waiting can't fix fails the sensor. It returns ``{stream, rows,
    bound}``: ``rows`` is counted up to a thousand, ``bound`` is the position up to which the operator would read.

    A subclass adds its own arguments, returns them as a spec from ``_spec`` and as a trigger from ``_trigger``, and
    calls ``_complete`` at the end of its ``__init__``.

    :param source_conn_id: connection of the legacy database. (templated)
    :param watermark_store: as the operator's, by name; a store that a triggerer can't read is refused.
    :param source_timezone: as the operator's. (templated)
    :param statement_timeout: time limit of a check, enforced by the database.
    :param row_security: as the operator's.
    :param poll_interval: time between two checks.
    :param cooldown: time after a success during which a later run of this task keeps waiting, if those rows were not
        delivered and no other rows arrived.
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable``.
    """

    template_fields: Collection[str] = ("source_conn_id", "source_timezone")
    ui_color = "#e8f0e4"

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        source_conn_id: str,
        watermark_store: str | None = None,
        source_timezone: str | None = None,
        statement_timeout: dt.timedelta = dt.timedelta(seconds=30),
        row_security: str = FAIL,
        poll_interval: dt.timedelta = dt.timedelta(seconds=60),
        cooldown: dt.timedelta = dt.timedelta(seconds=60),
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        arguments.span("poll_interval", poll_interval, zero=False)
        if "poke_interval" in kwargs:
            raise ConfigurationError("poke_interval= was given, but here the time between two polls is poll_interval=")
        super().__init__(poke_interval=poll_interval, **kwargs)
        self.source_conn_id = source_conn_id
        self.watermark_store = watermark_store
        self.source_timezone = source_timezone
        self.statement_timeout = statement_timeout
        self.row_security = row_security
        self.poll_interval = poll_interval
        self.cooldown = cooldown
        self.deferrable = deferrable
        self._probe: Probe | None = None

    @abstractmethod
    def _spec(self) -> SourceSpec:
        """Return the source's arguments, rendered or not."""

    @abstractmethod
    def _trigger(self) -> StreamTrigger:
        """Return the equivalent trigger."""

    def _complete(self) -> None:
        """Check the arguments.

        Raises:
            ConfigurationError: one is wrong.
        """
        self._watch().check(rendered=False)

    @property
    def waiter(self) -> str:
        """Return the name under which the cooldown is kept."""
        return f"{self.dag_id}.{self.task_id}"

    def execute(self, context: Context) -> Any:
        """Wait; return what is pending."""
        self._probe = Probe(self._watch(), _log)
        try:
            if not self.deferrable:
                return super().execute(context)
            found = self.poke(context)
        finally:
            self._probe.end()
            self._probe = None
        if isinstance(found, PokeReturnValue):
            return found.xcom_value
        timeout = dt.timedelta(seconds=self.timeout)
        return self.defer(trigger=self._trigger(), method_name="execute_complete", timeout=timeout)

    def poke(self, context: Context) -> bool | PokeReturnValue:  # noqa: ARG002  Airflow's signature
        """Check once; an unreachable source or Airflow counts as nothing pending."""
        probe = self._probe or Probe(self._watch(), _log)
        try:
            news = self._look(probe)
        except LegacyEventsError as error:
            if not error.retry_helps:
                raise final(error).with_traceback(None) from error.__cause__
            _log.warning("stream %s can't be checked: %s", self._watch().stream, error)
            return False
        finally:
            if probe is not self._probe:
                probe.end()
        return PokeReturnValue(is_done=True, xcom_value=news) if news is not None else False

    def _look(self, probe: Probe) -> dict[str, Any] | None:
        """Check once; while an open transaction holds rows back, for as long as a run would wait for it.

        With ``mode="reschedule"`` each check is a process of its own, which does not know what the last one waited for.
        """
        until = time.monotonic() + (_PATIENCE_SECONDS if self.reschedule else 0)
        while (news := probe.look()) is None and probe.waits and time.monotonic() < until:
            time.sleep(_PAUSE_SECONDS)
        return news

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Return what the trigger found."""
        return dict(event)

    def _watch(self) -> Watch:
        return Watch(
            spec=self._spec(),
            watermark_store=self.watermark_store,
            cooldown=self.cooldown,
            waiter=self.waiter,
        )
