"""Query spec: the arguments of `IncrementalQueryOperator`, its sensor and its trigger."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import MAX_ROW_BYTES, Limits
from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.ports import Database, Source
from airflow_legacy_events.core.row_security import APPLY, FAIL, ROW_SECURITY
from airflow_legacy_events.streams import arguments, messages
from airflow_legacy_events.streams.naming import make_stream
from airflow_legacy_events.streams.specs.base import OneTopic

CHOICES = {
    "null_watermark": ("fail", "skip", "first_run_only", "always"),
    "on_query_change": ("fail", "keep", "reset"),
    "on_schema_change": ("evolve", "fail"),
    "on_reset": ("fail", "restart", "keep"),
    "row_security": ROW_SECURITY,
}
"""Allowed words of an argument."""

_FARTHEST_AHEAD = "Etc/GMT-14"
"""Zone of naive times for a count without a known zone: in any other, the newest rows may lie in the future."""

_LISTS = ("watermark_columns", "key_columns", "columns", "exclude_columns")


@dataclass(frozen=True, kw_only=True)
class QuerySpec(OneTopic):
    """The arguments of a query source, under the operator's names; see `IncrementalQueryOperator`.

    Attributes:
        conn_id: `source_conn_id`.
        name: `stream`; None: it follows from the other arguments.
        sql_as_written: `sql` before Jinja rendered it; None: `sql` itself.
    """

    kind: ClassVar[str] = "query"

    conn_id: str
    table: str | None = None
    sql: str | None = None
    sql_as_written: str | None = None
    watermark_columns: Any
    key_columns: Any = None
    columns: Any = None
    exclude_columns: Any = None
    name: str | None = None
    time_column: str | None = None
    first_run: Any = "all"
    lag: dt.timedelta = dt.timedelta(0)
    overlap: dt.timedelta = dt.timedelta(0)
    source_timezone: str | None = None
    null_watermark: str = "fail"
    on_query_change: str = "fail"
    on_schema_change: str = "evolve"
    on_reset: str = "fail"
    statement_timeout: dt.timedelta = dt.timedelta(minutes=5)
    max_row_bytes: int = MAX_ROW_BYTES
    row_security: str = FAIL

    def check(self, *, rendered: bool) -> None:
        """See `SourceSpec.check`."""
        arguments.one_of(("table", "sql"), (self.table, self.sql))
        for name, known in CHOICES.items():
            arguments.choice(name, getattr(self, name), known)
        arguments.span("lag", self.lag, zero=True)
        arguments.span("overlap", self.overlap, zero=True)
        arguments.span("statement_timeout", self.statement_timeout, zero=False)
        arguments.size("max_row_bytes", self.max_row_bytes)
        arguments.no_bare_text(**{name: getattr(self, name) for name in _LISTS})
        arguments.timezone("source_timezone", self.source_timezone, of_database=True)
        if rendered:
            arguments.refuse_templates(
                source_conn_id=self.conn_id,
                table=self.table,
                sql=self.sql,
                stream=self.name,
                source_timezone=self.source_timezone,
            )
            self.resolved()

    @property
    def begins_now(self) -> bool:
        """See `SourceSpec.begins_now`."""
        return bool(self.first_run == "now")

    @property
    def watermark_names(self) -> tuple[str, ...]:
        """See `SourceSpec.watermark_names`."""
        return arguments.names("watermark_columns", self.watermark_columns)

    @property
    def without_key(self) -> bool:
        """See `SourceSpec.without_key`."""
        return self.key_columns is not None and not _names_or_none("key_columns", self.key_columns)

    def resolved(self) -> Self:
        """See `SourceSpec.resolved`."""
        return replace(
            self,
            watermark_columns=self.watermark_names,
            key_columns=_names_or_none("key_columns", self.key_columns),
            columns=_names_or_none("columns", self.columns),
            exclude_columns=arguments.names("exclude_columns", self.exclude_columns or ()),
        )

    def stream(self, topic: str, dag_id: str, task_id: str) -> Stream:
        """See `SourceSpec.stream`."""
        return make_stream(
            conn_id=self.conn_id,
            table=self.table,
            topic=topic,
            dag_id=dag_id,
            task_id=task_id,
            name=self.name,
            source_timezone=self.source_timezone,
        )

    def stream_name(self, topic: str | None) -> str | None:
        """See `SourceSpec.stream_name`: a query's name contains DAG and task, unless the user gave a name."""
        if self.name:
            return self.name
        return None if topic is None or self.table is None else self.stream(topic, "", "").name

    def naming(self, topic: Any) -> Mapping[str, Any]:
        """See `SourceSpec.naming`."""
        if self.name:
            return {"stream": self.name}
        return {"source_conn_id": self.conn_id, "table": self.table, "topic": topic}

    def check_wait(self) -> None:
        """See `SourceSpec.check_wait`."""
        if isinstance(self.watermark_columns, (list, tuple)) and not self.watermark_columns:
            raise ConfigurationError(
                "watermark_columns=[] was given: a full load has no watermark, so there is nothing to look for and"
                " every row would always be pending. Name watermark_columns, or start the load by a schedule"
            )

    def source(self, database: Database, *, stream: Stream, limits: Limits, log: logging.Logger) -> Source:
        """See `SourceSpec.source`."""
        from airflow_legacy_events.sources.query import QuerySource  # noqa: PLC0415  loads SQLAlchemy

        found = self.resolved()
        return QuerySource(
            database=database,
            stream=stream.name,
            source=self.conn_id,
            table=self.table,
            sql=self.sql,
            sql_as_written=self.sql_as_written,
            watermark_columns=found.watermark_columns,
            key_columns=found.key_columns,
            columns=found.columns,
            exclude_columns=found.exclude_columns,
            message_columns=messages.columns(stream),
            time_columns=tuple(name for name in (self.time_column, stream.timestamp_column) if name is not None),
            naive_times=stream.formats.times == "naive",
            first_run=self.first_run,
            lag=self.lag,
            overlap=self.overlap,
            limits=limits,
            source_timezone=self.source_timezone,
            null_watermark=self.null_watermark,
            on_query_change=self.on_query_change,
            on_schema_change=self.on_schema_change,
            on_reset=self.on_reset,
            log=log,
        )

    @classmethod
    def check_facts(cls, stream: str, facts: Mapping[str, Any]) -> None:
        """See `SourceSpec.check_facts`."""
        from airflow_legacy_events.sources.query.facts import check_query_facts  # noqa: PLC0415  loads SQLAlchemy

        check_query_facts(stream, facts)

    @classmethod
    def left_by(cls, facts: Mapping[str, Any], stream: str, given: Mapping[str, Any]) -> Self:
        """See `SourceSpec.left_by`; for a full load, rows are counted by its position, which is its key."""
        table, sql = given.get("table") or facts.get("table"), given.get("sql")
        if "key_columns" not in facts or not (sql or table):
            raise ConfigurationError(
                f"the rows of stream {stream!r} can't be counted: its watermark does not name its"
                f" {'table' if 'key_columns' in facts else 'columns'}. Give --table or --sql, and run it once before"
            )
        key = facts["key_columns"]
        if not (ordered := facts.get("watermark_columns") or key):
            raise ConfigurationError(
                f"the rows of stream {stream!r} can't be counted: it is a full load without a key, of which no part is"
                " known. The next run sends every row"
            )
        return cls(
            conn_id=str(given["source_conn_id"]),
            table=None if sql else table,
            sql=sql,
            watermark_columns=ordered,
            key_columns=key,
            columns=key or ordered,  # any other may be of a type that can't be encoded
            name=stream,
            source_timezone=_FARTHEST_AHEAD,
            row_security=APPLY,  # the count covers what a run would see; the run itself checks whether rows are hidden
        )


def _names_or_none(name: str, value: Any) -> tuple[str, ...] | None:
    return None if value is None else arguments.names(name, value)
