"""Pending-events sensor: waits until a table or query has rows that the operator would read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from airflow_legacy_events.sensors._row_stream import RowStreamSensor
from airflow_legacy_events.streams.specs.query import QuerySpec
from airflow_legacy_events.triggers.pending import PendingEventsTrigger


class PendingEventsSensor(RowStreamSensor):
    """Succeeds when there are rows that an ``IncrementalQueryOperator`` with the same arguments would read now.

    The arguments below are its own; see ``StreamSensor`` and ``RowStreamSensor`` for the others.

    :param table: as the operator's; either this or ``sql``. (templated)
    :param sql: as the operator's. (templated)
    :param watermark_columns: as the operator's; ``[]`` is refused, because a full load always has something to read.
        (templated)
    :param key_columns: as the operator's. (templated)
    :param lag: as the operator's: younger rows are ignored.
    :param overlap: as the operator's: rows that appeared late are found too.
    """

    template_fields: Collection[str] = (
        "table",
        "sql",
        "watermark_columns",
        "key_columns",
        *RowStreamSensor.template_fields,
    )
    file_fields: ClassVar[Mapping[str, str]] = {"sql": ".sql"}
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}

    def __init__(
        self,
        *,
        table: str | None = None,
        sql: str | None = None,
        watermark_columns: Sequence[str],
        key_columns: Sequence[str] | None = None,
        lag: dt.timedelta = dt.timedelta(0),
        overlap: dt.timedelta = dt.timedelta(0),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.sql = sql
        self.watermark_columns = watermark_columns
        self.key_columns = key_columns
        self.lag = lag
        self.overlap = overlap
        self._complete()

    def _spec(self) -> QuerySpec:
        return QuerySpec(
            conn_id=self.source_conn_id,
            table=self.table,
            sql=self.sql,
            watermark_columns=self.watermark_columns,
            key_columns=self.key_columns,
            columns=self.watermark_columns,  # the operator may exclude any other column, such as one it can't encode
            name=self.stream,
            lag=self.lag,
            overlap=self.overlap,
            source_timezone=self.source_timezone,
            statement_timeout=self.statement_timeout,
            row_security=self.row_security,
        )

    def _trigger(self) -> PendingEventsTrigger:
        return PendingEventsTrigger(
            source_conn_id=self.source_conn_id,
            table=self.table,
            sql=self.sql,
            watermark_columns=self.watermark_columns,
            key_columns=self.key_columns,
            topic=self.topic,
            stream=self.stream,
            watermark_store=self.watermark_store,
            lag=self.lag,
            overlap=self.overlap,
            source_timezone=self.source_timezone,
            statement_timeout=self.statement_timeout,
            row_security=self.row_security,
            poll_interval=self.poll_interval,
            cooldown=self.cooldown,
            waiter=self.waiter,
        )
