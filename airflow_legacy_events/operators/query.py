"""Incremental query operator: sends new rows of a table or query of a legacy database to a topic."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from airflow.sdk import Context

from airflow_legacy_events.operators._mapped import refuse_shared
from airflow_legacy_events.operators._row_stream import RowStreamOperator
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.specs.query import QuerySpec


class IncrementalQueryOperator(RowStreamOperator):
    """Sends the rows of a table or query that are new since the last run to a topic, one message a row.

    The task succeeds only when every message was acknowledged and the watermark behind them is saved. It returns a
    report. If the task fails, the report is under the XCom key ``report``. Only one run at a time works on a stream.

    The arguments below are this operator's own; see ``BaseStreamOperator``, ``StreamOperator`` and
    ``RowStreamOperator`` for the others.

    :param table: ``table`` or ``schema.table``; either this or ``sql``. (templated)
    :param sql: a SELECT, or the name of a ``.sql`` file with one. A mapped task also needs a ``stream`` that differs
        per map index. (templated)
    :param watermark_columns: columns that grow with every change to be detected; the key columns always follow them as
        tie-breaker. ``[]`` sends the whole table with each run. ``["xmin"]``, on PostgreSQL, sends the rows that were
        written since the last run, found by their version in a pass over the table. (templated)
    :param key_columns: columns of the message key; default is the primary key, else a unique index over NOT NULL
        columns. ``[]`` sends messages without a key; equal rows are then numbered in their ids. (templated)
    :param columns: columns in a message's data; default is all columns. (templated)
    :param exclude_columns: columns to leave out of a message's data. (templated)
    :param time_column: column that bounds the time window of a replay, such as a backfill's run; default is the first
        temporal watermark column. (templated)
    :param first_run: where a new stream begins: ``all``, ``now``, or a value of the first watermark column (inclusive).
        (templated)
    :param lag: minimum age of a row; younger rows wait for a later run. Requires a temporal first watermark column.
    :param overlap: how far below the watermark each run reads again, for rows that appear late; only rows that it has
        not sent yet are sent. Requires a temporal first watermark column, and a key.
    :param null_watermark: what to do with rows that have NULL in a watermark column. ``fail`` fails before anything is
        read, ``skip`` leaves them out. ``first_run_only`` and ``always`` (with every run) send them after the other
        rows, in key order and as ``op: r``.
    :param on_query_change: what to do when ``table``, or ``sql`` as written in the DAG or its file, differs from the
        watermark's: ``fail``, ``keep`` the watermark, or ``reset``, which starts over as a first run.
    :param on_schema_change: what to do when columns were added, removed or changed since the last run: ``evolve`` with
        one warning, or ``fail``. A changed type of a watermark or key column always fails.
    :param on_reset: what to do when the table was set back below its watermark, such as emptied and renumbered or
        restored from an older copy. ``fail`` fails the task. ``restart`` sends the table as it is now, from its
        beginning, as a new generation. ``keep`` keeps the watermark and continues above it.
    """

    template_fields: Collection[str] = (
        "table",
        "sql",
        "watermark_columns",
        "key_columns",
        "columns",
        "exclude_columns",
        "time_column",
        "first_run",
        *RowStreamOperator.template_fields,
    )
    file_fields: ClassVar[Mapping[str, str]] = {"sql": ".sql"}
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    log_name = __name__

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        table: str | None = None,
        sql: str | None = None,
        watermark_columns: Sequence[str],
        key_columns: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        exclude_columns: Sequence[str] | None = None,
        time_column: str | None = None,
        first_run: Any = "all",
        lag: dt.timedelta = dt.timedelta(0),
        overlap: dt.timedelta = dt.timedelta(0),
        null_watermark: str = "fail",
        on_query_change: str = "fail",
        on_schema_change: str = "evolve",
        on_reset: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.sql = sql
        self.watermark_columns = watermark_columns
        self.key_columns = key_columns
        self.columns = columns
        self.exclude_columns = exclude_columns
        self.time_column = time_column
        self.first_run = first_run
        self.lag = lag
        self.overlap = overlap
        self.null_watermark = null_watermark
        self.on_query_change = on_query_change
        self.on_schema_change = on_schema_change
        self.on_reset = on_reset
        self.sql_as_written: str | None = None
        self.named_as_written: dict[str, Any] = {}
        arguments.no_repeat_of_bulk(self.on_clear, watermark_columns)
        self._complete()

    def _spec(self) -> QuerySpec:
        return QuerySpec(
            conn_id=self.source_conn_id,
            table=self.table,
            sql=self.sql,
            sql_as_written=self.sql_as_written,
            watermark_columns=self.watermark_columns,
            key_columns=self.key_columns,
            columns=self.columns,
            exclude_columns=self.exclude_columns,
            name=self.stream,
            time_column=self.time_column,
            first_run=self.first_run,
            lag=self.lag,
            overlap=self.overlap,
            source_timezone=self.source_timezone,
            null_watermark=self.null_watermark,
            on_query_change=self.on_query_change,
            on_schema_change=self.on_schema_change,
            on_reset=self.on_reset,
            statement_timeout=self.statement_timeout,
            max_row_bytes=self.max_row_bytes,
            row_security=self.row_security,
        )

    def _check(self, context: Context, stream: str) -> None:
        """See ``StreamOperator``."""
        if self.sql is not None:
            refuse_shared(context, self.named_as_written, stream)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Any, context: Context, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Keep the query as written: rendering its templates does not make it another query."""
        written = arguments.as_written(self.sql, self.file_fields["sql"], jinja_env)
        self.sql_as_written = written if isinstance(written, str) else None
        names = ("stream",) if self.stream else ("source_conn_id", "topic")
        self.named_as_written = {name: getattr(self, name) for name in names}
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)
