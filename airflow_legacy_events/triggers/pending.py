"""Waits, in the triggerer, until a table or query has rows that the operator would read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.streams.specs.query import QuerySpec
from airflow_legacy_events.triggers.probe import Watch
from airflow_legacy_events.triggers.stream import RefusedTriggerError, StreamTrigger, duration

__all__ = ["PendingEventsTrigger", "RefusedTriggerError"]


class PendingEventsTrigger(StreamTrigger):
    """Fires when there are rows that an ``IncrementalQueryOperator`` with the same arguments would read now.

    Works behind an ``AssetWatcher``, where it fires again and again, and for a deferred task, where it fires once. A
    look costs one index probe at the source and one request to Airflow; all triggers of a triggerer share one session
    for each connection. While source or Airflow can't be reached it logs, waits longer, and goes on. For a deferred
    task an error that waiting can't mend fails the task.

    :param source_conn_id: connection of the legacy database.
    :param table: as the operator's; either this or ``sql``.
    :param sql: as the operator's, text only.
    :param watermark_columns: as the operator's; ``[]`` is refused, a full load has nothing to look for.
    :param key_columns: as the operator's.
    :param topic: as the operator's; names the stream together with ``source_conn_id`` and ``table``.
    :param stream: the operator's stream, where it does not follow from ``topic``.
    :param watermark_store: as the operator's, by name; a store that a triggerer can't read is refused.
    :param lag: as the operator's: younger rows are not looked at.
    :param source_timezone: as the operator's.
    :param statement_timeout: after which the database ends a look.
    :param row_security: as the operator's.
    :param poll_interval: time between two looks.
    :param cooldown: after which it fires again for the same rows, if nobody has delivered them.
    :param waiter: who is told, where several wait for one stream: each has a cooldown of its own.

    Each duration is a ``timedelta`` or a number of seconds.
    """

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
        lag: dt.timedelta | float = dt.timedelta(0),
        source_timezone: str | None = None,
        statement_timeout: dt.timedelta | float = dt.timedelta(seconds=30),
        row_security: str = FAIL,
        poll_interval: dt.timedelta | float = dt.timedelta(seconds=60),
        cooldown: dt.timedelta | float = dt.timedelta(seconds=60),
        waiter: str | None = None,
    ) -> None:
        query: dict[str, Any] = {
            "table": table,
            "sql": sql,
            "watermark_columns": watermark_columns,
            "key_columns": key_columns,
            "lag": duration(lag),
            "source_timezone": source_timezone,
            "statement_timeout": duration(statement_timeout),
            "row_security": row_security,
        }
        # The operator may leave out any other column, such as one of a type that it can't carry.
        spec = QuerySpec(conn_id=source_conn_id, name=stream, columns=watermark_columns, **query)
        watching: dict[str, Any] = {
            "topic": topic,
            "watermark_store": watermark_store,
            "cooldown": duration(cooldown),
            "waiter": waiter,
        }
        interval = duration(poll_interval)
        given = {"source_conn_id": source_conn_id, "stream": stream, "poll_interval": interval, **query, **watching}
        super().__init__(Watch(spec=spec, **watching), interval, given)
