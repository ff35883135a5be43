"""Arguments of a sink."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from airflow_legacy_events.core.limits import MAX_ROW_BYTES
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions


@dataclass(frozen=True, kw_only=True)
class SinkArguments:
    """The arguments of `TopicToTableOperator` under its names, rendered or not.

    Attributes:
        conn_id: `target_conn_id`.
        name: `stream`; None: it follows from the other arguments.
    """

    conn_id: str
    broker_conn_id: str
    topics: Any
    table: Any
    allowed_tables: Any = None
    partitions: Any = None
    name: str | None = None
    envelope: Any = "cloudevents"
    mode: str = "upsert"
    key_columns: Any = None
    columns: Any = None
    exclude_columns: Any = None
    metadata_columns: Any = None
    on_delete: str = "apply"
    deleted_column: str | None = None
    on_truncate: str = "fail"
    version_column: str | None = None
    first_run: Any = "all"
    on_gap: str = "fail"
    create_table: bool = False
    column_types: Any = None
    on_schema_change: str = "fail"
    on_loss: str = "fail"
    epoch_unit: Any = None
    decimal_scales: Any = None
    target_timezone: str = "UTC"
    dead_letter_topic: str | None = None
    replay_table: str | None = None
    max_row_bytes: int = MAX_ROW_BYTES
    statement_timeout: dt.timedelta = dt.timedelta(minutes=5)

    @property
    def listed(self) -> tuple[Any, ...]:
        """The topics; a single one may be given without a list."""
        if isinstance(self.topics, str) or not isinstance(self.topics, Sequence):
            return (self.topics,)
        return tuple(self.topics)

    def decoding(self) -> DecodingOptions:
        """Return what decides what a message means for a table."""
        held = {one.name: getattr(self, one.name) for one in fields(DecodingOptions)}
        return DecodingOptions(**held)
