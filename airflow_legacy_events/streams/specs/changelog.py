"""Change log spec: the arguments of `ChangeLogDrainOperator`."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar, Self

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import MAX_ROW_BYTES, Limits
from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.ports import Database, Envelope, LogOptions, Source
from airflow_legacy_events.core.uris import path_of
from airflow_legacy_events.hooks.registry import DEFAULT_ENVELOPE, LOG_ENVELOPES, make_envelope
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.naming import log_stream, slot_in, slot_name
from airflow_legacy_events.streams.schedule import longest_interval
from airflow_legacy_events.streams.specs import log_arguments, log_messages
from airflow_legacy_events.streams.specs.base import NO_FACTS, OneTopic

CHOICES: Mapping[str, tuple[str, ...]] = {
    "first_run": ("all", "now"),
    "images": ("after", "both"),
    "on_truncate": ("fail", "event", "skip"),
    "on_schema_change": ("evolve", "fail"),
    "completeness": ("best_effort", "exact"),
}
"""Allowed words of an argument."""


@dataclass(frozen=True, kw_only=True)
class ChangeLogSpec(OneTopic):
    """The arguments of a change log source, under the operator's names; see `ChangeLogDrainOperator`.

    Attributes:
        conn_id: `source_conn_id`.
        dag_id: of the task, for the default slot and the comment on the publication; None while it is not known.
        task_id: of the task, for the default slot.
        marks_snapshots: whether the envelope has messages that mark the snapshot of each table.
        slots: whether the server keeps its log by slots; True as long as that is not known.
        schedule: of the DAG, as given to it.
        snapshot: tables that this run reads again.
        run: its id; None without such tables.
    """

    kind: ClassVar[str] = "log"
    remedies: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"topic": "a log has one stream, whose topics follow from topic=: restore it, or {accept}"}
    )
    time_column: ClassVar[None] = None
    watermark_names: ClassVar[tuple[str, ...]] = ("place", "changes")

    conn_id: str
    tables: Any
    slot: str | None = None
    publication: str | None = None
    key_columns: Any = None
    exclude_columns: Any = None
    first_run: str = "all"
    images: str = "after"
    message_topics: Any = None
    transaction_topic: str | None = None
    on_truncate: str = "fail"
    on_schema_change: str = "evolve"
    completeness: str = "best_effort"
    source_timezone: str | None = None
    statement_timeout: dt.timedelta = dt.timedelta(minutes=5)
    max_row_bytes: int = MAX_ROW_BYTES
    dag_id: str | None = None
    task_id: str | None = None
    marks_snapshots: bool = False
    slots: bool = True
    schedule: Any = None
    snapshot: tuple[str, ...] = ()
    run: str | None = None

    @classmethod
    def of(cls, operator: Any, **known: Any) -> Self:
        """Return the spec from the attributes of an operator, and what is known of its task."""
        held = vars(operator)
        named = {one.name: held[one.name] for one in fields(cls) if one.name in held and one.name not in known}
        return cls(conn_id=held["source_conn_id"], **named, **known)

    def check(self, *, rendered: bool) -> None:
        """See `SourceSpec.check`."""
        for name, known in CHOICES.items():
            arguments.choice(name, getattr(self, name), known)
        arguments.span("statement_timeout", self.statement_timeout, zero=False)
        arguments.size("max_row_bytes", self.max_row_bytes)
        arguments.timezone("source_timezone", self.source_timezone)
        if rendered:
            arguments.refuse_templates(source_conn_id=self.conn_id, slot=self.slot, publication=self.publication)
            self.resolved()
            return
        log_arguments.check(self, late=True)
        log_messages.check(self.message_topics, late=True)
        log_messages.check_transactions(self.transaction_topic, late=True)

    def resolved(self) -> Self:
        """See `SourceSpec.resolved`."""
        log_arguments.check(self, late=False)
        log_messages.check(self.message_topics, late=False)
        log_messages.check_transactions(self.transaction_topic, late=False)
        if not self.slots:
            log_arguments.refuse_slots(self, self.conn_id)
        return replace(
            self,
            tables=tuple(self.tables),
            key_columns=log_arguments.by_table(self.key_columns),
            exclude_columns=log_arguments.by_table(self.exclude_columns),
            message_topics=dict(self.message_topics or {}),
        )

    def reading_anew(self, tables: tuple[str, ...], run: str) -> Self:
        """See `ReadsAnew.reading_anew`."""
        return replace(self, snapshot=tables, run=run)

    @property
    def begins_now(self) -> bool:
        """See `SourceSpec.begins_now`."""
        return self.first_run == "now"

    def behind(self, database: Database) -> Self:
        """See `NamedByServer.behind`."""
        return replace(self, slots=database.has_slots)

    def slot_of(self, dag_id: str | None, task_id: str | None) -> str | None:
        """Return the name of the slot; None if there is none, or it follows from a task that is not known."""
        if self.slot is not None or not self.slots or dag_id is None or task_id is None:
            return self.slot
        return slot_name(dag_id, task_id)

    def slot_in(self, stream: str) -> str | None:
        """See `KeptBySlot.slot_in`."""
        return slot_in(stream) if self.slots else None

    def stream(self, topic: str, dag_id: str, task_id: str) -> Stream:
        """See `SourceSpec.stream`; source and type are those of a table, which each shape names."""
        name = log_stream(self.conn_id, self.slot_of(dag_id, task_id), dag_id, task_id)
        return Stream(
            name, topic, path_of(self.conn_id), f"{self.conn_id}.changed", self.source_timezone or "UTC"
        )._replace(transactions=self.transaction_topic is not None)

    def stream_name(self, topic: str | None) -> str | None:  # noqa: ARG002  one log, any topic
        """See `SourceSpec.stream_name`."""
        slot = self.slot_of(self.dag_id, self.task_id)
        if slot is None and (self.slots or self.dag_id is None or self.task_id is None):
            return None
        return log_stream(self.conn_id, slot, self.dag_id, self.task_id)

    def possible_names(self) -> tuple[str, ...]:
        """See `NamedByServer.possible_names`: a slot that is given names the stream."""
        either = (self,) if self.slot is not None else (self, replace(self, slots=not self.slots))
        return tuple(name for one in either if (name := one.stream_name(None)) is not None)

    def naming(self, topic: Any) -> Mapping[str, Any]:  # noqa: ARG002
        """See `SourceSpec.naming`."""
        return {"source_conn_id": self.conn_id, "slot": self.slot}

    def fixed_topics(self, topic: str) -> tuple[str, ...]:  # noqa: ARG002
        """See `SourceSpec.fixed_topics`: they are known once the tables are, and a run that reads nothing has none."""
        return ()

    def envelope(self, given: str | Envelope | None) -> Envelope:
        """See `SourceSpec.envelope`."""
        from airflow_legacy_events.envelopes.outbox import LoggedEnvelope  # noqa: PLC0415  only to read the log
        from airflow_legacy_events.envelopes.transactions import TransactionsEnvelope  # noqa: PLC0415

        found = make_envelope(given or DEFAULT_ENVELOPE, LOG_ENVELOPES)
        if self.slots and getattr(found, "binlog_only", False):
            raise ConfigurationError(
                f"use envelope='debezium' or 'cloudevents' here: {type(found).__name__} is for MariaDB and MySQL, and"
                f" connection {self.conn_id!r} leads to PostgreSQL. Nothing was read"
            )
        if self.message_topics:
            found = LoggedEnvelope(found)
        return found if self.transaction_topic is None else TransactionsEnvelope(found)

    def check_wait(self) -> None:
        """See `SourceSpec.check_wait`."""

    def source(self, database: Database, *, stream: Stream, limits: Limits, log: logging.Logger) -> Source:
        """See `SourceSpec.source`."""
        from airflow_legacy_events.sources.changelog import ChangeLogSource  # noqa: PLC0415  loads SQLAlchemy

        found = self.resolved()
        return ChangeLogSource(
            database=database,
            options=self._options(stream),
            stream=stream,
            source=self.conn_id,
            tables=found.tables,
            key_columns=found.key_columns,
            exclude_columns=found.exclude_columns,
            first_run=self.first_run,
            images=self.images,
            on_truncate=self.on_truncate,
            on_schema_change=self.on_schema_change,
            completeness=self.completeness,
            message_topics=found.message_topics,
            transaction_topic=self.transaction_topic,
            marks_snapshots=self.marks_snapshots,
            snapshot=self.snapshot,
            run=self.run,
            limits=limits,
            log=log,
        )

    def _options(self, stream: Stream) -> LogOptions:
        slot = self.slot_of(self.dag_id, self.task_id)
        return LogOptions(
            stream=stream.name,
            dag=self.dag_id or "",
            slot=slot,
            publication=self.publication or slot,
            given=self.publication is not None,
            before=self.images == "both",
            messages=tuple(self.message_topics or ()),
            interval_seconds=longest_interval(self.schedule),
        )

    @classmethod
    def check_facts(cls, stream: str, facts: Mapping[str, Any]) -> None:
        """See `SourceSpec.check_facts`."""
        from airflow_legacy_events.sources.changelog.facts import check_log_facts  # noqa: PLC0415  loads SQLAlchemy

        check_log_facts(stream, facts)

    @classmethod
    def check_move(cls, stream: str, facts: Mapping[str, Any] = NO_FACTS) -> None:  # noqa: ARG003
        """See `SourceSpec.check_move`."""
        raise ConfigurationError(
            f"the watermark of stream {stream!r} can't be moved: a log is read once, then its server drops it.\n"
            'To send tables again, run its DAG with the configuration {"snapshot": ["schema.table"]}'
        )

    @classmethod
    def check_accept(cls, stream: str, accepted: Collection[str]) -> None:
        """See `SourceSpec.check_accept`."""
        if others := [what for what in accepted if what != "topic"]:
            raise ConfigurationError(
                f"{others[0]} of stream {stream!r} can't be accepted: it is a change log, whose position means nothing"
                f" on another server or behind a gap.\n{_again(stream)}"
            )

    @classmethod
    def left_by(cls, facts: Mapping[str, Any], stream: str, given: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """See `SourceSpec.left_by`."""
        raise ConfigurationError(
            f"the rows of stream {stream!r} can't be counted: what waits in a log is known by reading it."
            + (
                ""
                if facts.get("slot") is None
                else " `airflow legacy-events slots list --conn-id CONN_ID` shows how many bytes its slot holds"
            )
        )


def _again(stream: str) -> str:
    """Return how a stream begins again, by its name: that of a slot has no dot."""
    return (
        "To begin again, drop its slot with `airflow legacy-events slots drop SLOT --conn-id CONN_ID`, on MariaDB and"
        f" MySQL forget its watermark with {command('forget', stream)}; the next run is a first run"
    )
