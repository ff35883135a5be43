"""Outbox spec: the arguments of `OutboxDrainOperator`, its sensor and its trigger."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar, Self

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import MAX_ROW_BYTES, Limits
from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.ports import Database, Envelope, Source
from airflow_legacy_events.core.row_security import FAIL, ROW_SECURITY
from airflow_legacy_events.core.uris import path_of
from airflow_legacy_events.core.zones import OF_DATABASE
from airflow_legacy_events.hooks.registry import OUTBOX_ENVELOPES, find, missing_port, resolve
from airflow_legacy_events.sources.outbox.layouts import check_columns
from airflow_legacy_events.sources.roles import LAYOUTS
from airflow_legacy_events.streams import arguments, messages
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.specs.outbox_watermark import KEEP, OutboxWatermark

AFTER_PUBLISH = ("delete", "mark", KEEP)
_MARK_VALUES = 2


@dataclass(frozen=True, kw_only=True)
class OutboxSpec(OutboxWatermark):
    """The arguments of an outbox source, under the operator's names; see `OutboxDrainOperator`.

    Attributes:
        conn_id: `source_conn_id`.
    """

    kind: ClassVar[str] = "outbox"
    remedies: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "topic": "an outbox has one stream, since two drains would take each other's rows: give both the same"
            " topic=, which may be a template, or forget the stream, which loses nothing; rows that are kept are then"
            " published again"
        }
    )
    begins_now: ClassVar[bool] = False
    time_column: ClassVar[None] = None
    watermark_names: ClassVar[tuple[str, ...]] = ()

    conn_id: str
    table: str
    layout: str = "debezium"
    columns: Any = None
    order_columns: Any = None
    after_publish: str = "delete"
    mark_column: str = "published_at"
    mark_values: Any = None
    where: str | None = None
    retention: dt.timedelta | None = None
    allowed_topics: Any = None
    json_schema: Mapping[str, Any] | None = None
    source_timezone: str | None = None
    statement_timeout: dt.timedelta = dt.timedelta(minutes=5)
    max_row_bytes: int = MAX_ROW_BYTES
    row_security: str = FAIL
    without_key: ClassVar[bool] = False

    @classmethod
    def of(cls, holder: Any) -> Self:
        """Return the spec from the attributes of an operator or sensor; not every holder has all."""
        held = vars(holder)
        named = {one.name: held[one.name] for one in fields(cls) if one.name in held}
        return cls(conn_id=held["source_conn_id"], **named)

    def check(self, *, rendered: bool) -> None:
        """See `SourceSpec.check`."""
        arguments.choice("after_publish", self.after_publish, AFTER_PUBLISH)
        arguments.choice("row_security", self.row_security, ROW_SECURITY)
        arguments.span("statement_timeout", self.statement_timeout, zero=False)
        arguments.size("max_row_bytes", self.max_row_bytes)
        arguments.no_bare_text(order_columns=self.order_columns)
        if self.retention is not None:
            arguments.span("retention", self.retention, zero=False)
        arguments.timezone("source_timezone", self.source_timezone, of_database=self.after_publish == KEEP)
        self._check_marks()
        if rendered:
            arguments.refuse_templates(
                source_conn_id=self.conn_id, table=self.table, where=self.where, source_timezone=self.source_timezone
            )
            self.resolved()
            return
        if not holds_template(self.layout):
            self._check_layout()
        self._check_lists()

    def _check_marks(self) -> None:
        mark = True if self.after_publish == "mark" else None
        arguments.only_with("mark_values", self.mark_values, "after_publish='mark'", mark)
        stays = mark if self.after_publish != KEEP else True
        arguments.only_with("retention", self.retention, "after_publish='mark' or after_publish='keep'", stays)
        values = self.mark_values
        if values is None or _is_late(values):
            return
        if isinstance(values, str) or not isinstance(values, Sequence) or len(values) != _MARK_VALUES:
            raise ConfigurationError(f"mark_values= must be a pair (open, published), such as (0, 2); found {values!r}")
        if len({*map(str, values)}) != _MARK_VALUES or not all(type(one) in (int, str) for one in values):
            raise ConfigurationError(f"mark_values= must be two different integers or texts; found {values!r}")

    def _check_layout(self) -> None:
        arguments.choice("layout", self.layout, sorted(LAYOUTS))
        columns = self.columns or {}
        if _is_late(columns):
            return
        if not isinstance(columns, Mapping) or not all(isinstance(name, str | None) for name in columns.values()):
            raise ConfigurationError(
                f"columns= must be a dict of roles and column names, such as {{'event_type': 'kind'}}; found"
                f" {columns!r}"
            )
        check_columns(columns)

    def _check_lists(self) -> None:
        """Refuse an empty list or anything else than a list, unless it is still a template."""
        for name in ("order_columns", "allowed_topics"):
            found = getattr(self, name)
            if found is not None and not _is_late(found) and not _is_list(found):
                what = "columns" if name == "order_columns" else "topics, or patterns such as 'outbox.event.*'"
                raise ConfigurationError(f"{name}= must be a list of {what}; found {found!r}. Or leave it out")
        if (
            self.json_schema is not None
            and not _is_late(self.json_schema)
            and not isinstance(self.json_schema, Mapping)
        ):
            raise ConfigurationError(
                "json_schema= must be a dict of event types and schemas, or names of files with one; found a"
                f" {type(self.json_schema).__name__}"
            )
        if isinstance(self.where, str) and not self.where.strip():
            raise ConfigurationError("where= is empty: give a condition in SQL, or leave it out")

    def resolved(self) -> Self:
        """See `SourceSpec.resolved`."""
        self._check_marks()
        self._check_layout()
        self._check_lists()
        found, allowed = (None if one is None else tuple(one) for one in (self.order_columns, self.allowed_topics))
        return replace(self, columns=dict(self.columns or {}), order_columns=found, allowed_topics=allowed)

    @property
    def _zone(self) -> str:
        return "UTC" if self.source_timezone in (None, OF_DATABASE) else str(self.source_timezone)

    def stream(self, topic: str, dag_id: str, task_id: str) -> Stream:  # noqa: ARG002  one table, one stream
        """See `SourceSpec.stream`."""
        source, type_ = path_of(self.conn_id, self.table), f"{self.conn_id}.{self.table}.changed"
        return Stream(f"{self.conn_id}.{self.table}@outbox", topic, source, type_, self._zone)

    def stream_name(self, topic: str | None) -> str | None:
        """See `SourceSpec.stream_name`."""
        return self.stream(topic or "", "", "").name

    def naming(self, topic: Any) -> Mapping[str, Any]:  # noqa: ARG002
        """See `SourceSpec.naming`."""
        return {"source_conn_id": self.conn_id, "table": self.table}

    def fixed_topics(self, topic: str) -> tuple[str, ...]:
        """See `SourceSpec.fixed_topics`."""
        return () if templates.columns_of(templates.parse(topic, "topic=")) else (topic,)

    def envelope(self, given: str | Envelope | None) -> Envelope:
        """See `SourceSpec.envelope`."""
        from airflow_legacy_events.envelopes.outbox import RoutedEnvelope  # noqa: PLC0415  only to drain
        from airflow_legacy_events.envelopes.outbox.schema import PayloadSchemas  # noqa: PLC0415

        if given is None or isinstance(given, str):
            inner = resolve(find(OUTBOX_ENVELOPES, given or "payload", "envelope"))()
        elif isinstance(given, type) or not isinstance(given, Envelope):
            raise missing_port("envelope", given, OUTBOX_ENVELOPES, "the method compile(shape, stream)")
        else:
            inner = given
        schemas = None if self.json_schema is None else PayloadSchemas(self.json_schema)
        return RoutedEnvelope(inner, allowed_topics=self.resolved().allowed_topics, schemas=schemas)

    def lock_of(self, database: Database) -> str | None:
        """See `SourceSpec.lock_of`."""
        return database.writes(self.table).name

    def check_wait(self) -> None:
        """See `SourceSpec.check_wait`."""

    def source(self, database: Database, *, stream: Stream, limits: Limits, log: logging.Logger) -> Source:
        """See `SourceSpec.source`."""
        from airflow_legacy_events.sources.kept_outbox.source import KeptOutboxSource  # noqa: PLC0415
        from airflow_legacy_events.sources.outbox.source import OutboxSource  # noqa: PLC0415  loads SQLAlchemy

        found = self.resolved()
        topic = templates.columns_of(templates.parse(stream.topic, "topic="))
        made: type[OutboxSource | KeptOutboxSource] = KeptOutboxSource if self.after_publish == KEEP else OutboxSource
        return made(
            database=database,
            stream=stream.name,
            source=self.conn_id,
            table=self.table,
            layout=self.layout,
            columns=found.columns,
            order_columns=found.order_columns,
            after_publish=self.after_publish,
            mark_column=self.mark_column,
            mark_values=self.mark_values,
            where=self.where,
            retention=self.retention,
            message_names=(*topic, *messages.columns(stream)),
            limits=limits,
            source_timezone=self.source_timezone,
            log=log,
        )


def _is_late(value: Any) -> bool:
    """Return whether a whole argument is a template."""
    return isinstance(value, str) and holds_template(value)


def _is_list(value: Any) -> bool:
    return bool(value) and isinstance(value, Sequence) and not isinstance(value, str) and {*map(type, value)} == {str}
