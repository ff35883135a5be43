"""Slot check operator: a red task where a replication slot endangers its server, or its stream."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection
from functools import partial
from typing import Any

from airflow.sdk import BaseOperator, Context

from airflow_legacy_events.core.errors import LegacyEventsError, SourceError
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.rendering import RenderedFields
from airflow_legacy_events.streams.sizes import bytes_of

_log = logging.getLogger(__name__)


class ReplicationSlotCheckOperator(RenderedFields, BaseOperator):
    """Fails where a replication slot of this package is lost, orphaned, holds too much WAL, or is idle too long.

    A slot keeps WAL on the server until its stream has delivered it, also when nothing runs. The check looks at every
    slot of this package in the connection's database, and at the tables of their publications: one without a replica
    identity makes the application's UPDATE and DELETE fail. It returns a list of the slots.

    :param source_conn_id: connection of the PostgreSQL database. (templated)
    :param max_wal: most that a slot may hold: bytes, or a text such as ``5 GB``. (templated)
    :param max_idle: longest time since a slot was last used. PostgreSQL 17 and later know it; before, it is not
        checked.
    """

    template_fields: Collection[str] = ("source_conn_id", "max_wal")
    ui_color = "#d6e4f0"

    def __init__(
        self,
        *,
        source_conn_id: str,
        max_wal: str | int = "5 GB",
        max_idle: dt.timedelta = dt.timedelta(days=1),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_conn_id = source_conn_id
        self.max_wal = max_wal
        self.max_idle = max_idle
        arguments.span("max_idle", max_idle, zero=False)
        if isinstance(max_wal, int) or not holds_template(max_wal):
            bytes_of("max_wal=", max_wal)

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Look at the slots; return them, or fail with what is wrong."""
        try:
            found = self._look(context)
        except LegacyEventsError as error:
            raise final(error).with_traceback(None) from error.__cause__
        _log.info("connection %s: %d slots of this package, nothing is wrong", self.source_conn_id, len(found))
        return found

    def _look(self, context: Context) -> list[dict[str, Any]]:
        from airflow_legacy_events.streams.dags import dag_exists_for  # noqa: PLC0415  only in a run
        from airflow_legacy_events.streams.directory.slots import Bounds, list_slots  # noqa: PLC0415

        bounds = Bounds(bytes_of("max_wal=", self.max_wal), self.max_idle)
        found = list_slots(self.source_conn_id, bounds, partial(dag_exists_for, context["ti"]))
        if wrong := [sentence for one in found for sentence in one.findings]:
            listing = f"airflow legacy-events slots list --conn-id {self.source_conn_id}"
            raise SourceError("\n".join([*wrong, f"To see all of them: {listing}"]))
        return [one.line() for one in found]
