"""Waits, in the triggerer, until an outbox has rows that its drain would publish."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.streams.specs.outbox import OutboxSpec
from airflow_legacy_events.triggers.probe import Watch
from airflow_legacy_events.triggers.stream import RefusedTriggerError, StreamTrigger, duration, mapping

__all__ = ["PendingOutboxTrigger", "RefusedTriggerError"]


class PendingOutboxTrigger(StreamTrigger):
    """Fires when there are rows that an ``OutboxDrainOperator`` with the same arguments would publish now.

    Works behind an ``AssetWatcher``, where it fires again and again, and for a deferred task, where it fires once. A
    look costs one index probe at the source and one request to Airflow; all triggers of a triggerer share one session
    for each connection. It reads: only the drain needs the right to delete or mark. While source or Airflow can't be
    reached it logs, waits longer, and goes on. For a deferred task an error that waiting can't mend fails the task.

    With ``channel`` a NOTIFY lets it look at once, through one listening session for each connection and channel of a
    triggerer; looking every ``poll_interval`` goes on beside it. Where notifications don't arrive, as behind a pooler
    that hands out sessions by the transaction, one warning says so and looking is all that is left.

    :param source_conn_id: connection of the database.
    :param table: as the operator's.
    :param layout: as the operator's.
    :param columns: as the operator's.
    :param order_columns: as the operator's.
    :param after_publish: as the operator's.
    :param mark_column: as the operator's.
    :param mark_values: as the operator's.
    :param where: as the operator's; a row that meets it only by the passing of time is found by looking.
    :param channel: of PostgreSQL's NOTIFY, spelled as ``pg_notify`` is given it; refused for other databases.
    :param watermark_store: as the operator's, by name; a store that a triggerer can't read is refused.
    :param source_timezone: as the operator's.
    :param statement_timeout: after which the database ends a look.
    :param row_security: as the operator's.
    :param poll_interval: time between two looks.
    :param cooldown: after which it fires again where the highest open row is the same: nobody has delivered it, or
        lower ones came later.
    :param waiter: who is told, where several wait for one outbox: each has a cooldown of its own.

    Each duration is a ``timedelta`` or a number of seconds.
    """

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        source_conn_id: str,
        table: str,
        layout: str = "debezium",
        columns: Mapping[str, str | None] | None = None,
        order_columns: Sequence[str] | None = None,
        after_publish: str = "delete",
        mark_column: str = "published_at",
        mark_values: Sequence[Any] | None = None,
        where: str | None = None,
        channel: str | None = None,
        watermark_store: str | None = None,
        source_timezone: str | None = None,
        statement_timeout: dt.timedelta | float = dt.timedelta(seconds=30),
        row_security: str = FAIL,
        poll_interval: dt.timedelta | float = dt.timedelta(seconds=60),
        cooldown: dt.timedelta | float = dt.timedelta(seconds=60),
        waiter: str | None = None,
    ) -> None:
        outbox: dict[str, Any] = {
            "table": table,
            "layout": layout,
            "columns": mapping(columns),
            "order_columns": order_columns,
            "after_publish": after_publish,
            "mark_column": mark_column,
            "mark_values": mark_values,
            "where": where,
            "source_timezone": source_timezone,
            "statement_timeout": duration(statement_timeout),
            "row_security": row_security,
        }
        watching: dict[str, Any] = {
            "channel": channel,
            "watermark_store": watermark_store,
            "cooldown": duration(cooldown),
            "waiter": waiter,
        }
        interval = duration(poll_interval)
        watch = Watch(spec=OutboxSpec(conn_id=source_conn_id, **outbox), **watching)
        super().__init__(
            watch, interval, {"source_conn_id": source_conn_id, "poll_interval": interval, **outbox, **watching}
        )
