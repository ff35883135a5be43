"""Sink operator: applies topics to tables of a database, exactly once."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from airflow_legacy_events.core.limits import MAX_ROW_BYTES
from airflow_legacy_events.core.model import RunMode
from airflow_legacy_events.core.ports.decoder import Decoder
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.operators import _table_events
from airflow_legacy_events.operators._mapped import refuse_shared_positions
from airflow_legacy_events.operators._moving import MovingOperator
from airflow_legacy_events.operators._sink_mode import decide_sink
from airflow_legacy_events.operators._window_record import WindowRecord
from airflow_legacy_events.streams.options import RunOptions
from airflow_legacy_events.streams.specs.topic import TopicSpec

if TYPE_CHECKING:
    from airflow_legacy_events.streams.run import StreamRun
    from airflow_legacy_events.streams.table_run import TableRun


class TopicToTableOperator(MovingOperator):
    """Applies messages of topics to tables, up to the ends of the topics when the run begins, exactly once.

    The position in each partition lies in the target database, in the table ``legacy_events_watermarks``, and is moved
    in the transaction of the rows. No consumer group is needed: its offsets are only noted there for pages of lag.
    Messages of open transactions wait for a later run, those of aborted ones are never applied.

    A run with the configuration ``{"replay": {"from": T, "to": T}}``, or of a backfill with a data interval, applies
    the messages of that time again, by their timestamps. It needs ``replay_table``, ``version_column``, or ``append``
    with a unique event id, since older rows would go over newer ones.

    :param topics: topic that is read, or a list of topics, all of which commit together. (templated)
    :param target_conn_id: connection of the database that is written. (templated)
    :param table: table that the messages are applied to; or a template of ``{topic}``, ``{name}`` (of the topic, behind
        its last dot), ``{database}``, ``{schema}`` and ``{source_table}``, which needs ``allowed_tables``. (templated)
    :param broker_conn_id: connection of the broker, of type ``kafka``. (templated)
    :param allowed_tables: tables that a template may stand for; messages for others are skipped. (templated)
    :param partitions: numbers of the partitions that are read; default is all. Under ``expand`` each mapped task has
        partitions, and a stream, of its own. (templated)
    :param stream: name under which the position is kept; default is
        ``<topics, joined by +>@<target_conn_id>.<table>``, with ``[0,1]`` behind it for ``partitions``. (templated)
    :param envelope: format of the messages: ``cloudevents``, ``plain``, ``debezium``, ``maxwell``, or an object that
        implements the port ``Decoder``.
    :param mode: ``upsert`` for the last state of each row, or ``append`` for a row of each message.
    :param key_columns: columns that identify a row; default is the primary key, else a unique index over columns that
        are NOT NULL. (templated)
    :param columns: fields that are taken, as a list, or as columns by field: ``{"customer": "customer_name"}``; default
        is all. (templated)
    :param exclude_columns: fields that are left out. (templated)
    :param metadata_columns: columns for what belongs to the message: ``{"offset": "kafka_offset"}`` with the names
        ``topic``, ``partition``, ``offset``, ``timestamp``, ``key``, ``event_id``, ``event_time``, ``op`` and
        ``header.<name>``; a list where the columns have these names. (templated)
    :param on_delete: what a delete does: ``apply`` deletes the row, ``soft`` marks it in ``deleted_column``, ``skip``
        leaves it, ``fail`` ends the run.
    :param deleted_column: boolean or time that marks a deleted row, with ``on_delete="soft"``. (templated)
    :param on_truncate: what a truncated table does: ``fail``, ``apply`` or ``skip``.
    :param version_column: column whose higher value wins: a message below the row's value is skipped. (templated)
    :param first_run: where a first run begins: ``all``, ``now``, or a time with an offset. (templated)
    :param on_gap: what to do with messages that were deleted before they were read: ``fail``, or ``skip`` them.
    :param create_table: whether a table that does not exist is created by the first message.
    :param column_types: types of columns that are created, in the database's words. (templated)
    :param on_schema_change: what a field without a column does: ``fail`` with the ALTER TABLE, ``ignore``, or
        ``evolve``, which adds the column.
    :param on_loss: what to do with digits that a column can't hold: ``fail``, or ``round``.
    :param epoch_unit: unit of times that come as numbers, ``ms``, ``us`` or ``ns``; for Debezium without schemas.
    :param decimal_scales: digits behind the point of decimals that come as base64, by column; likewise. (templated)
    :param target_timezone: zone of columns without one. (templated)
    :param dead_letter_topic: topic for messages that can't be applied; by default the first one fails the task.
        (templated)
    :param replay_table: table that replays are applied to instead of ``table``. (templated)
    :param max_row_bytes: maximum bytes of a message's key and value.
    :param batch_rows: maximum number of messages that are applied in one transaction.
    :param max_rows: number of messages after which a live run ends.
    :param max_seconds: seconds after which a live run starts no new batch.
    :param rows_per_second: upper limit of a run's mean rate.
    :param on_busy: what to do when another run works on the stream: ``skip`` this task, ``wait`` for that run, or
        ``fail``.
    :param on_new_stream: what to do on a first run if this task has moved another stream before: ``warn`` or ``fail``.
    :param statement_timeout: time limit of a statement at the target.
    :param delivery_timeout: time after which the fate of a dead letter counts as unknown and fails the task.
    """

    template_fields: Collection[str] = (
        *("topics", "target_conn_id", "table", "broker_conn_id", "allowed_tables", "partitions", "stream"),
        *("key_columns", "columns", "exclude_columns", "metadata_columns", "deleted_column", "version_column"),
        *("first_run", "column_types", "decimal_scales", "target_timezone", "dead_letter_topic", "replay_table"),
    )
    ui_color = "#d6f0e0"
    log_name = __name__
    cleared = (
        "this task was cleared after it had applied its messages; they are not applied again, and it continues with new"
        " ones. To apply messages again, use `airflow legacy-events watermark rewind`, or a run with the configuration"
        ' {"replay": {"from": T, "to": T}}'
    )

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        topics: str | Sequence[str],
        target_conn_id: str,
        table: str,
        broker_conn_id: str = "kafka_default",
        allowed_tables: Sequence[str] | None = None,
        partitions: Sequence[int] | None = None,
        stream: str | None = None,
        envelope: str | Decoder = "cloudevents",
        mode: str = "upsert",
        key_columns: Sequence[str] | None = None,
        columns: Mapping[str, str] | Sequence[str] | None = None,
        exclude_columns: Sequence[str] | None = None,
        metadata_columns: Mapping[str, str] | Sequence[str] | None = None,
        on_delete: str = "apply",
        deleted_column: str | None = None,
        on_truncate: str = "fail",
        version_column: str | None = None,
        first_run: str | dt.datetime = "all",
        on_gap: str = "fail",
        create_table: bool = False,
        column_types: Mapping[str, str] | None = None,
        on_schema_change: str = "fail",
        on_loss: str = "fail",
        epoch_unit: str | Mapping[str, str] | None = None,
        decimal_scales: Mapping[str, int | None] | None = None,
        target_timezone: str = "UTC",
        dead_letter_topic: str | None = None,
        replay_table: str | None = None,
        max_row_bytes: int = MAX_ROW_BYTES,
        batch_rows: int = 10_000,
        max_rows: int | None = None,
        max_seconds: float | None = None,
        rows_per_second: float | None = None,
        on_busy: str = "skip",
        on_new_stream: str = "warn",
        statement_timeout: dt.timedelta = dt.timedelta(minutes=5),
        delivery_timeout: dt.timedelta = dt.timedelta(minutes=2),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.topics = topics
        self.target_conn_id = target_conn_id
        self.table = table
        self.broker_conn_id = broker_conn_id
        self.allowed_tables = allowed_tables
        self.partitions = partitions
        self.stream = stream
        self.envelope = envelope
        self.mode = mode
        self.key_columns = key_columns
        self.columns = columns
        self.exclude_columns = exclude_columns
        self.metadata_columns = metadata_columns
        self.on_delete = on_delete
        self.deleted_column = deleted_column
        self.on_truncate = on_truncate
        self.version_column = version_column
        self.first_run = first_run
        self.on_gap = on_gap
        self.create_table = create_table
        self.column_types = column_types
        self.on_schema_change = on_schema_change
        self.on_loss = on_loss
        self.epoch_unit = epoch_unit
        self.decimal_scales = decimal_scales
        self.target_timezone = target_timezone
        self.dead_letter_topic = dead_letter_topic
        self.replay_table = replay_table
        self.max_row_bytes = max_row_bytes
        self.batch_rows = batch_rows
        self.max_rows = max_rows
        self.max_seconds = max_seconds
        self.rows_per_second = rows_per_second
        self.on_busy = on_busy
        self.on_new_stream = on_new_stream
        self.statement_timeout = statement_timeout
        self.delivery_timeout = delivery_timeout
        self.named_as_written: Mapping[str, Any] = {}
        self._check_arguments()
        self.outlets = [*self.outlets, *_table_events.outlets(self.target_conn_id, self.table)]

    def _check_arguments(self) -> None:
        """Check all arguments; the error lists everything that is wrong."""
        problems = Problems()
        with problems.collect():
            self._spec().check(rendered=False)
        with problems.collect():
            RunOptions.of(self).check()
        problems.raise_found()

    def _spec(self) -> TopicSpec:
        return TopicSpec.of(self)

    def _stream_run(self, context: Any, log: logging.Logger, *, looks_only: bool = False) -> TableRun:
        """See ``MovingOperator``."""
        from airflow_legacy_events.streams.table_run import TableRun  # noqa: PLC0415  loads SQLAlchemy

        return TableRun(self._spec(), RunOptions.of(self), context, log, looks_only=looks_only)

    def _naming(self) -> Mapping[str, Any]:
        return self._spec().naming()

    def _mode(self, context: Context, record: WindowRecord) -> RunMode:  # noqa: ARG002
        """See ``MovingOperator``."""
        return decide_sink(context)

    def _check(self, context: Context, stream: str) -> None:
        """See ``MovingOperator``."""
        refuse_shared_positions(context, self.named_as_written, stream)

    def _record(self, context: Context, run: StreamRun[Any, Any]) -> WindowRecord:
        return WindowRecord(
            context,
            stream=run.stream.name,
            repeats=False,
            columns=("position",),
            begins_now=self.first_run == "now",
            cleared=self.cleared,
        )

    def _report_events(self, context: Context, run: StreamRun[Any, Any]) -> None:
        _table_events.add_events(context, run.report, before=run.earlier, conn_id=self.target_conn_id, table=self.table)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Any, context: Context, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Keep what names the stream as it was written, by which map indexes are distinguished."""
        self.named_as_written = dict(self._naming())
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)
