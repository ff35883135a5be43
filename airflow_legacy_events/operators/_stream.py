"""Shared base of the operators whose streams can be replayed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from airflow.sdk import Context

from airflow_legacy_events.core.model import RunMode
from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.operators._base import BaseStreamOperator
from airflow_legacy_events.operators._mode import decide
from airflow_legacy_events.operators._window_record import WindowRecord


class StreamOperator(BaseStreamOperator):
    """Base of the operators that read rows of a table or query, whose windows can be sent again.

    A subclass follows the contract of ``BaseStreamOperator``.

    :param replay_topic: topic for replays and repeats; default is ``topic``. (templated)
    :param replay_topics: exact names of further topics that a run's configuration may choose for its replay. ``topic``
        and ``replay_topic`` are always allowed. (templated)
    :param completeness: least completeness that is accepted: ``best_effort``, ``bounded`` or ``exact``. A run that
        reaches less fails before its first read, with the reason.
    :param max_horizon_age: how long rows may wait for transactions that are still open. A live run whose rows have
        waited longer delivers all others, and fails then with the session and the statement that ends it; by default
        they may wait for any time. Requires a database whose open transactions can be seen, and a source that is read
        by ids or times.
    :param row_security: what to do where a row-level security policy may hide rows from the database user: ``fail``, or
        ``apply`` if the policy is intended and only the visible rows are to be sent. Only PostgreSQL can detect this.
    """

    template_fields: Collection[str] = (
        "source_conn_id",
        "topic",
        "broker_conn_id",
        "topic_config",
        "dead_letter_topic",
        "replay_topic",
        "replay_topics",
        "source_timezone",
        "headers",
    )
    log_name = __name__

    def __init__(
        self,
        *,
        replay_topic: str | None = None,
        replay_topics: Sequence[str] = (),
        completeness: str = "best_effort",
        max_horizon_age: dt.timedelta | None = None,
        row_security: str = FAIL,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.replay_topic = replay_topic
        self.replay_topics = replay_topics
        self.completeness = completeness
        self.max_horizon_age = max_horizon_age
        self.row_security = row_security

    def _mode(self, context: Context, record: WindowRecord) -> RunMode:
        """See ``BaseStreamOperator``."""
        return decide(context, time_column=self._spec().time_column, done=record.done())
