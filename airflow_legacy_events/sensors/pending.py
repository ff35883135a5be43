"""A task that waits until a table or query has rows that the operator would read."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from airflow.sdk import BaseSensorOperator, Context, PokeReturnValue, conf

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.hooks import arguments
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.triggers._probe import Asked, Probe

_log = logging.getLogger(__name__)


class PendingEventsSensor(BaseSensorOperator):
    """Succeeds when there are rows that an ``IncrementalQueryOperator`` with the same arguments would read now.

    A look costs one index probe at the source. While source or Airflow can't be reached the sensor logs and goes on
    waiting, until its ``timeout``; an error that waiting can't mend fails it. It returns ``{stream, rows, bound}``:
    rows are counted to a thousand, the bound is where the operator would read to.

    :param source_conn_id: connection of the legacy database. (templated)
    :param table: as the operator's; either this or ``sql``. (templated)
    :param sql: as the operator's. (templated)
    :param watermark_columns: as the operator's; ``[]`` is refused, a full load has nothing to look for. (templated)
    :param key_columns: as the operator's. (templated)
    :param topic: as the operator's; names the stream together with ``source_conn_id`` and ``table``. (templated)
    :param stream: the operator's stream, where it does not follow from ``topic``. (templated)
    :param watermark_store: as the operator's, by name; a store that a triggerer can't read is refused.
    :param lag: as the operator's: younger rows are not looked at.
    :param source_timezone: as the operator's. (templated)
    :param statement_timeout: after which the database ends a look.
    :param poll_interval: time between two looks.
    :param cooldown: for so long after it succeeded for some rows, a later run of this task goes on waiting where
        nobody has delivered them and no other rows came.
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable``.
    """

    template_fields: Collection[str] = (
        "source_conn_id",
        "table",
        "sql",
        "watermark_columns",
        "key_columns",
        "topic",
        "stream",
        "source_timezone",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    ui_color = "#e8f0e4"

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        source_conn_id: str,
        table: str | None = None,
        sql: str | None = None,
        watermark_columns: Sequence[str],
        key_columns: Sequence[str] | None = None,
        topic: str | None = None,
        stream: str | None = None,
        watermark_store: str | None = None,
        lag: dt.timedelta = dt.timedelta(0),
        source_timezone: str = "UTC",
        statement_timeout: dt.timedelta = dt.timedelta(seconds=30),
        poll_interval: dt.timedelta = dt.timedelta(seconds=60),
        cooldown: dt.timedelta = dt.timedelta(seconds=60),
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        arguments.span("poll_interval", poll_interval, zero=False)
        if "poke_interval" in kwargs:
            raise ConfigurationError("poke_interval= was given; the time between two looks is poll_interval= here")
        super().__init__(poke_interval=poll_interval, **kwargs)
        self.source_conn_id = source_conn_id
        self.table = table
        self.sql = sql
        self.watermark_columns = watermark_columns
        self.key_columns = key_columns
        self.topic = topic
        self.stream = stream
        self.watermark_store = watermark_store
        self.lag = lag
        self.source_timezone = source_timezone
        self.statement_timeout = statement_timeout
        self.poll_interval = poll_interval
        self.cooldown = cooldown
        self.deferrable = deferrable
        self._probe: Probe | None = None
        self._asked().check(rendered=False)

    def execute(self, context: Context) -> Any:
        """Wait; return what is pending."""
        self._probe = Probe(self._asked(), _log)
        try:
            if not self.deferrable:
                return super().execute(context)
            found = self.poke(context)
        finally:
            self._probe.end()
            self._probe = None
        if isinstance(found, PokeReturnValue):
            return found.xcom_value
        return self._defer()

    def poke(self, context: Context) -> bool | PokeReturnValue:  # noqa: ARG002  Airflow's signature
        """Look once; a source or an Airflow that can't be reached counts as nothing pending."""
        probe = self._probe or Probe(self._asked(), _log)
        try:
            news = probe.look()
        except LegacyEventsError as error:
            if not error.retry_helps:
                raise final(error) from error.__cause__
            _log.warning("stream %s can't be looked at: %s", self._asked().stream_name, error)
            return False
        finally:
            if probe is not self._probe:
                probe.end()
        return PokeReturnValue(is_done=True, xcom_value=news) if news is not None else False

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Return what the trigger found."""
        return dict(event)

    def _defer(self) -> None:
        from airflow_legacy_events.triggers.pending import PendingEventsTrigger  # noqa: PLC0415

        asked = vars(self._asked())
        trigger = PendingEventsTrigger(**asked, poll_interval=self.poll_interval)
        self.defer(trigger=trigger, method_name="execute_complete", timeout=dt.timedelta(seconds=self.timeout))

    def _asked(self) -> Asked:
        return Asked(
            source_conn_id=self.source_conn_id,
            table=self.table,
            sql=self.sql,
            watermark_columns=self.watermark_columns,
            key_columns=self.key_columns,
            topic=self.topic,
            stream=self.stream,
            watermark_store=self.watermark_store,
            lag=self.lag,
            source_timezone=self.source_timezone,
            statement_timeout=self.statement_timeout,
            cooldown=self.cooldown,
            waiter=f"{self.dag_id}.{self.task_id}",
        )
