"""Outbox trigger: waits in the triggerer until an outbox has rows that its drain would publish."""

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

    Behind an ``AssetWatcher`` it fires repeatedly, for a deferred task once. A check costs one index probe at the
    source and one request to Airflow; all triggers of a triggerer share one session per connection. The trigger only
    reads: the right to delete or mark is needed by the drain alone. While the source or Airflow can't be reached, it
    logs that, waits longer, and tries again. For a deferred task, an error that waiting can't fix fails the task.

    With ``channel``, a NOTIFY makes it check at once. A triggerer holds one listening session per connection and
    channel. Polling every ``poll_interval`` continues as well. If notifications can't arrive, as behind a
    transaction-pooling connection pooler, one warning is logged and only polling remains.

    :param source_conn_id: connection of the database.
    :param table: as the operator's.
    :param layout: as the operator's.
    :param columns: as the operator's.
    :param order_columns: as the operator's.
    :param after_publish: as the operator's.
    :param mark_column: as the operator's.
    :param mark_values: as the operator's.
    :param where: as the operator's; a row that meets it only as time passes is found by polling.
    :param channel: channel of PostgreSQL's NOTIFY, spelled as for ``pg_notify``; refused for other databases.
    :param watermark_store: as the operator's, by name; a store that a triggerer can't read is refused.
    :param source_timezone: as the operator's.
    :param statement_timeout: time limit of a check, enforced by the database.
    :param row_security: as the operator's.
    :param poll_interval: time between two checks.
    :param cooldown: time after which it fires again if the highest open row is still the same: it was not delivered, or
        only lower ones were added.
    :param waiter: name of this waiter, if several wait for one outbox: each has its own cooldown.

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
