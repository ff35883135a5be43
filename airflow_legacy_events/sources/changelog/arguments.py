"""Arguments of a change log source."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.ports import ChangeLog, Database, LogOptions
from airflow_legacy_events.sources.changelog.legs import LEG_BYTES, LEG_SECONDS
from airflow_legacy_events.sources.changelog.logical_messages import LogicalMessages
from airflow_legacy_events.sources.changelog.tables import Tables


@dataclass(kw_only=True)
class ChangeLogArguments:
    """Arguments of a change log source.

    Attributes:
        database: where the tables are.
        options: arguments that only the log needs.
        stream: name, topic template and zone; its topic may name `{database}`, `{schema}` and `{table}`.
        source: name of the connection, kept with the watermark; part of the messages' source and type.
        tables: `schema.table`, or `schema.*` for all tables of a schema.
        key_columns: by table; else its primary key.
        exclude_columns: by table, left out of `data`.
        first_run: `all`: each table's rows, then its changes; `now`: changes alone, for the tables of the
            first run that are not in `snapshot`.
        images: `after`, or `both` for the row before and after a change.
        on_truncate: `fail`, `event` or `skip`.
        on_schema_change: `evolve` or `fail`.
        completeness: `exact`: a run fails where the log can't tell of a change; `best_effort`: it warns.
        message_topics: template of the topic by prefix of the logical messages that are outbox events.
        transaction_topic: topic of the beginnings and ends of transactions; None: they have none.
        marks_snapshots: whether batches mark where the snapshot of each table begins and ends.
        snapshot: tables to read again.
        run: id of the run that gives `snapshot`; a retry with the same id continues. None: at the first row.
        limits: budgets of the run.
        leg_seconds: longest time of a leg.
        leg_bytes: of its log that the server may hold more because of a leg.
        clock: monotonic seconds, for budgets and legs.
        wait: sleeps for seconds.
        log: of the task.
    """

    database: Database
    options: LogOptions
    stream: Stream
    source: str
    tables: Sequence[str]
    key_columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    exclude_columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first_run: str = "all"
    images: str = "after"
    on_truncate: str = "fail"
    on_schema_change: str = "evolve"
    completeness: str = "best_effort"
    message_topics: Mapping[str, str] = field(default_factory=dict)
    transaction_topic: str | None = None
    marks_snapshots: bool = False
    snapshot: Sequence[str] = ()
    run: str | None = None
    limits: Limits = field(default_factory=Limits)
    leg_seconds: float = LEG_SECONDS
    leg_bytes: int = LEG_BYTES
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    log: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))

    @functools.cached_property
    def change_log(self) -> ChangeLog:
        """The change log of the database."""
        return self.database.change_log(self.options)

    @functools.cached_property
    def messages(self) -> LogicalMessages:
        """Turns logical messages into events."""
        return LogicalMessages(self.message_topics, self.stream.source_timezone)

    @property
    def lookup(self) -> Tables:
        """Looks up the tables that the arguments name."""
        return Tables(
            database=self.database,
            log=self.change_log,
            stream=self.stream,
            source=self.source,
            patterns=self.tables,
            key_columns=self.key_columns,
            exclude_columns=self.exclude_columns,
            snapshot=self.snapshot,
            images=self.images,
        )
