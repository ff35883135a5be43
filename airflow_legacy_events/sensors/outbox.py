"""Outbox sensor: waits until an outbox has rows that its drain would publish."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.sensors._stream import StreamSensor
from airflow_legacy_events.streams.specs.outbox import OutboxSpec
from airflow_legacy_events.triggers.outbox import PendingOutboxTrigger
from airflow_legacy_events.triggers.probe import Watch


class PendingOutboxSensor(StreamSensor):
    """Succeeds when there are rows that an ``OutboxDrainOperator`` with the same arguments would publish now.

    The sensor only reads: the right to delete or mark is needed by the drain alone. The arguments below are its own;
    see ``StreamSensor`` for those of every stream sensor.

    :param table: as the operator's. (templated)
    :param layout: as the operator's. (templated)
    :param columns: as the operator's. (templated)
    :param order_columns: as the operator's. (templated)
    :param after_publish: as the operator's.
    :param mark_column: as the operator's. (templated)
    :param mark_values: as the operator's. (templated)
    :param where: as the operator's. (templated)
    :param channel: channel of PostgreSQL's NOTIFY, which makes the triggerer check at once; see
        ``PendingOutboxTrigger``. Only with ``deferrable``: a task that waits in a worker checks every
        ``poll_interval``. (templated)
    """

    template_fields: Collection[str] = (
        "table",
        "layout",
        "columns",
        "order_columns",
        "mark_column",
        "mark_values",
        "where",
        "channel",
        *StreamSensor.template_fields,
    )

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        table: str,
        layout: str = "debezium",
        columns: Mapping[str, str | None] | None = None,
        order_columns: Sequence[str] | None = None,
        after_publish: str = "delete",
        mark_column: str = "published_at",
        mark_values: Sequence[Any] | None = None,
        where: str | None = None,
        channel: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.layout = layout
        self.columns = columns
        self.order_columns = order_columns
        self.after_publish = after_publish
        self.mark_column = mark_column
        self.mark_values = mark_values
        self.where = where
        self.channel = channel
        if channel is not None and not self.deferrable:
            raise ConfigurationError(
                f"channel={channel!r} was given without deferrable=True: only the triggerer listens; give both, or"
                " leave channel= out"
            )
        self._complete()

    def _spec(self) -> OutboxSpec:
        return OutboxSpec.of(self)

    def _watch(self) -> Watch:
        return replace(super()._watch(), channel=self.channel)

    def _trigger(self) -> PendingOutboxTrigger:
        return PendingOutboxTrigger(
            source_conn_id=self.source_conn_id,
            table=self.table,
            layout=self.layout,
            columns=self.columns,
            order_columns=self.order_columns,
            after_publish=self.after_publish,
            mark_column=self.mark_column,
            mark_values=self.mark_values,
            where=self.where,
            channel=self.channel,
            watermark_store=self.watermark_store,
            source_timezone=self.source_timezone,
            statement_timeout=self.statement_timeout,
            row_security=self.row_security,
            poll_interval=self.poll_interval,
            cooldown=self.cooldown,
            waiter=self.waiter,
        )
