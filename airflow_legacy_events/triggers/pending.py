"""Pending-events trigger: waits in the triggerer until a table or query has rows that the operator would read."""

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

    Behind an ``AssetWatcher`` it fires repeatedly, for a deferred task once. A check costs one index probe at the
    source and one request to Airflow; all triggers of a triggerer share one session per connection. While the source or
    Airflow can't be reached, it logs that, waits longer, and tries again. For a deferred task, an error that waiting
    can't fix fails the task.

    :param source_conn_id: connection of the legacy database.
    :param table: as the operator's; either this or ``sql``.
    :param sql: as the operator's, as text only.
    :param watermark_columns: as the operator's; ``[]`` is refused, because a full load always has something to read.
    :param key_columns: as the operator's.
    :param topic: as the operator's; names the stream together with ``source_conn_id`` and ``table``.
    :param stream: the operator's stream, if its name does not follow from ``topic``.
    :param watermark_store: as the operator's, by name; a store that a triggerer can't read is refused.
    :param lag: as the operator's: younger rows are ignored.
    :param overlap: as the operator's: rows that appeared late are found too.
    :param source_timezone: as the operator's.
    :param statement_timeout: time limit of a check, enforced by the database.
    :param row_security: as the operator's.
    :param poll_interval: time between two checks.
    :param cooldown: time after which it fires again for the same rows, if they were not delivered.
    :param waiter: name of this waiter, if several wait for one stream: each has its own cooldown.

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
        overlap: dt.timedelta | float = dt.timedelta(0),
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
            "overlap": duration(overlap),
            "source_timezone": source_timezone,
            "statement_timeout": duration(statement_timeout),
            "row_security": row_security,
        }
        # The operator may exclude any other column, such as one of a type that it can't encode.
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
