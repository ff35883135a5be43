"""A table or query of a legacy database, incrementally, to a topic."""

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
    """Sends the rows of a table or query that are new since the last run to a topic, each as one message.

    The task succeeds only when every message was acknowledged and the watermark behind them is saved. It returns a
    report; where it fails, the report lies under the XCom key ``report``. One run at a time works on a stream.

    Its own arguments; those that every operator of a stream has are described by ``StreamOperator``
    and ``RowStreamOperator``.

    :param table: ``table`` or ``schema.table``; either this or ``sql``. (templated)
    :param sql: a SELECT, or the name of a ``.sql`` file with one; a mapped task also needs ``stream``, by what it is
        mapped over. (templated)
    :param watermark_columns: the columns that grow with every change that is to be seen; the key columns always
        follow them. ``[]`` sends the whole table with each run. (templated)
    :param key_columns: what the message key is made of; default is the primary key, else a unique index over NOT NULL
        columns. ``[]`` sends messages without a key, in ids that number equal rows. (templated)
    :param columns: what a message's data holds; default is all columns. (templated)
    :param exclude_columns: columns that a message's data does not hold. (templated)
    :param time_column: what a replay of a window of time, such as a backfill's run, cuts by; default is the first
        watermark column that is a time. (templated)
    :param first_run: where a new stream begins: ``all``, ``now``, or a value of the first watermark column, itself
        included. (templated)
    :param lag: rows younger than that wait for a later run; for a temporal first watermark column.
    :param null_watermark: what becomes of rows with a NULL in a watermark column: ``fail`` before anything is read,
        ``skip`` them, or send them behind the others, in key order and as ``op: r``, in the ``first_run_only`` or
        ``always``, with every run.
    :param on_query_change: when ``sql``, as it is written in the DAG or its file, or ``table`` is another one than the
        watermark's: ``fail``, ``keep`` the watermark, or ``reset``: begin anew as a first run.
    :param on_schema_change: when columns came, went or changed since the last run: ``evolve`` with one warning, or
        ``fail``. A watermark or key column of another type always fails.
    :param on_reset: when the table was set back below its watermark, such as emptied and numbered anew or restored from
        an older copy: ``fail``, ``restart``: send the table as it is now, from its beginning, as a new generation, or
        ``keep`` the watermark and go on above it.
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
        """Keep the query as it is written: what a template fills in does not make it another query."""
        written = arguments.as_written(self.sql, self.file_fields["sql"], jinja_env)
        self.sql_as_written = written if isinstance(written, str) else None
        names = ("stream",) if self.stream else ("source_conn_id", "topic")
        self.named_as_written = {name: getattr(self, name) for name in names}
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)
