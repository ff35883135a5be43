"""A table or query of a legacy database, incrementally, to a topic."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowSkipException

from airflow_legacy_events.core.errors import BusyError, LegacyEventsError
from airflow_legacy_events.core.ports import Envelope, WatermarkStore
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.hooks import arguments as _arguments
from airflow_legacy_events.hooks import naming as _naming
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.hooks.registry import DEFAULT_ENVELOPE
from airflow_legacy_events.operators import _messages, _outcome
from airflow_legacy_events.operators._thread import Worker
from airflow_legacy_events.operators.links import TopicLink
from airflow_legacy_events.streams.stores import needs_inlet

_log = logging.getLogger(__name__)


class IncrementalQueryOperator(BaseOperator):
    """Sends the rows of a table or query that are new since the last run to a topic, each as one message.

    The task succeeds only when every message was acknowledged and the watermark behind them is saved. It returns a
    report; where it fails, the report lies under the XCom key ``report``. One run at a time works on a stream.

    :param source_conn_id: connection of the legacy database, of type ``postgres`` or ``sqlite``. (templated)
    :param table: ``table`` or ``schema.table``; either this or ``sql``. (templated)
    :param sql: a SELECT, or the name of a ``.sql`` file with one. (templated)
    :param watermark_columns: the columns that grow with every change that is to be seen; the key columns always
        follow them. ``[]`` sends the whole table with each run. (templated)
    :param key_columns: what the message key is made of; default is the primary key, else a unique index over NOT NULL
        columns. (templated)
    :param columns: what a message's data holds; default is all columns. (templated)
    :param exclude_columns: columns that a message's data does not hold. (templated)
    :param stream: name under which the watermark is kept; default is ``<source_conn_id>.<table>@<topic>``, for ``sql``
        ``<source_conn_id>.<dag_id>.<task_id>@<topic>``. (templated)
    :param topic: where the messages go. (templated)
    :param broker_conn_id: connection of the broker, of type ``kafka``. (templated)
    :param topic_partitions: creates a missing topic with so many partitions; default is an error.
    :param topic_config: settings of a topic that is created. (templated)
    :param dead_letter_topic: where messages go that the broker refuses; default is a failed task. (templated)
    :param replay_topic: where replays and repeats send to; default is ``topic``. (templated)
    :param time_column: what a replay of a window of time, such as a backfill's run, cuts by; default is the first
        watermark column that is a time. (templated)
    :param envelope: ``cloudevents``, ``plain``, or an object with the port ``Envelope``.
    :param watermark_store: ``variable`` (default), ``table:<conn_id>``, ``table`` over the connection in Airflow's
        configuration, ``asset``, ``xcom``, or an object with the port ``WatermarkStore``.
    :param first_run: where a new stream begins: ``all``, ``now``, or a value of the first watermark column, itself
        included. (templated)
    :param lag: rows younger than that wait for a later run; for a temporal first watermark column.
    :param batch_rows: rows that are confirmed together, at most.
    :param max_rows: rows after which a live run ends.
    :param max_seconds: seconds after which a live run takes no new batch.
    :param rows_per_second: mean rate that a run does not exceed.
    :param source_timezone: IANA name of the time zone of naive times. (templated)
    :param null_watermark: what becomes of rows with a NULL in a watermark column: ``fail`` before anything is read,
        ``skip`` them, or send them behind the others, in key order and as ``op: r``, in the ``first_run_only`` or
        ``always``, with every run.
    :param on_query_change: when ``sql``, as it is written in the DAG or its file, or ``table`` is another one than the
        watermark's: ``fail``, ``keep`` the watermark, or ``reset``: begin anew as a first run.
    :param on_schema_change: when columns came, went or changed since the last run: ``evolve`` with one warning, or
        ``fail``. A watermark or key column of another type always fails.
    :param on_busy: when another run works on the stream: ``skip`` this task, ``wait`` for that run, or ``fail``.
    :param on_clear: what a task does that had succeeded and was cleared: ``resume`` the live stream, or ``repeat``,
        that is send again what it sent (Airflow 3.3).
    :param decimals: ``string``, or ``number``: digits as a JSON number, untouched, where JSON can write them.
    :param bigints: ``number``, or ``string`` for the integers beyond 2^53 either way.
    :param times: ``rfc3339``, or ``naive``: times without a zone as the database writes them.
    :param bytes: ``base64``, or ``hex``.
    :param event_type: CloudEvents ``type``; ``{column}`` is that column's text. Default is
        ``<source_conn_id>.<table>.changed``. (templated)
    :param event_source: CloudEvents ``source``, likewise; default is ``/<source_conn_id>/<table>``. (templated)
    :param subject: CloudEvents ``subject``, likewise; default is the key. (templated)
    :param headers: further headers of every message, likewise: ``{"tenant": "acme", "region": "{region}"}``; a message
        has none where the column is NULL. (templated)
    :param timestamp_column: a date or time that is the message timestamp, in milliseconds; default, and where it is
        NULL, is the time of sending. (templated)
    :param statement_timeout: a statement at the source that takes longer fails the task.
    :param delivery_timeout: after which the fate of an unacknowledged message counts as unknown and fails the task.
    """

    template_fields: Collection[str] = (
        "source_conn_id",
        "table",
        "sql",
        "watermark_columns",
        "key_columns",
        "columns",
        "exclude_columns",
        "stream",
        "topic",
        "broker_conn_id",
        "topic_config",
        "dead_letter_topic",
        "replay_topic",
        "time_column",
        "first_run",
        "source_timezone",
        *_messages.FIELDS,
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    operator_extra_links = (TopicLink(),)
    ui_color = "#d6e4f0"

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        source_conn_id: str,
        topic: str,
        table: str | None = None,
        sql: str | None = None,
        watermark_columns: Sequence[str],
        key_columns: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        exclude_columns: Sequence[str] | None = None,
        stream: str | None = None,
        broker_conn_id: str = "kafka_default",
        topic_partitions: int | None = None,
        topic_config: Mapping[str, str] | None = None,
        dead_letter_topic: str | None = None,
        replay_topic: str | None = None,
        time_column: str | None = None,
        envelope: str | Envelope = DEFAULT_ENVELOPE,
        watermark_store: str | WatermarkStore | None = None,
        first_run: Any = "all",
        lag: dt.timedelta = dt.timedelta(0),
        batch_rows: int = 10_000,
        max_rows: int | None = None,
        max_seconds: float | None = None,
        rows_per_second: float | None = None,
        source_timezone: str = "UTC",
        null_watermark: str = "fail",
        on_query_change: str = "fail",
        on_schema_change: str = "evolve",
        on_busy: str = "skip",
        on_clear: str = "resume",
        decimals: str = "string",
        bigints: str = "number",
        times: str = "rfc3339",
        bytes: str = "base64",  # noqa: A002
        event_type: str | None = None,
        event_source: str | None = None,
        subject: str | None = None,
        headers: Mapping[str, str] | None = None,
        timestamp_column: str | None = None,
        statement_timeout: dt.timedelta = dt.timedelta(minutes=5),
        delivery_timeout: dt.timedelta = dt.timedelta(minutes=2),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_conn_id = source_conn_id
        self.topic = topic
        self.table = table
        self.sql = sql
        self.watermark_columns = watermark_columns
        self.key_columns = key_columns
        self.columns = columns
        self.exclude_columns = exclude_columns
        self.stream = stream
        self.broker_conn_id = broker_conn_id
        self.topic_partitions = topic_partitions
        self.topic_config = topic_config
        self.dead_letter_topic = dead_letter_topic
        self.replay_topic = replay_topic
        self.time_column = time_column
        self.envelope = envelope
        self.watermark_store = watermark_store
        self.first_run = first_run
        self.lag = lag
        self.batch_rows = batch_rows
        self.max_rows = max_rows
        self.max_seconds = max_seconds
        self.rows_per_second = rows_per_second
        self.source_timezone = source_timezone
        self.null_watermark = null_watermark
        self.on_query_change = on_query_change
        self.on_schema_change = on_schema_change
        self.on_busy = on_busy
        self.on_clear = on_clear
        self.decimals = decimals
        self.bigints = bigints
        self.times = times
        self.bytes = bytes
        self.event_type = event_type
        self.event_source = event_source
        self.subject = subject
        self.headers = headers
        self.timestamp_column = timestamp_column
        self.statement_timeout = statement_timeout
        self.delivery_timeout = delivery_timeout
        self.sql_as_written: str | None = None
        self._worker: Worker[Report] | None = None
        self._check()
        if not _naming.holds_template(topic):
            self.outlets = [*self.outlets, _outcome.topic_alias(topic)]
        if needs_inlet(watermark_store):
            self.inlets = [*self.inlets, _naming.stream_asset(self)]

    def _check(self) -> None:
        _arguments.one_of(("table", "sql"), (self.table, self.sql))
        for name, known in _arguments.CHOICES.items():
            _arguments.choice(name, getattr(self, name), known)
        _arguments.no_repeat_of_bulk(self.on_clear, self.watermark_columns)
        _arguments.span("lag", self.lag, zero=True)
        _arguments.span("statement_timeout", self.statement_timeout, zero=False)
        _arguments.span("delivery_timeout", self.delivery_timeout, zero=False)
        _arguments.whole(topic_partitions=self.topic_partitions)
        _arguments.limits(self.batch_rows, self.max_rows, self.max_seconds, self.rows_per_second)
        _arguments.no_bare_text(
            watermark_columns=self.watermark_columns,
            key_columns=self.key_columns,
            columns=self.columns,
            exclude_columns=self.exclude_columns,
        )
        _arguments.only_with("topic_config", self.topic_config, "topic_partitions", self.topic_partitions)
        if not _naming.holds_template(self.source_timezone):
            _arguments.timezone("source_timezone", self.source_timezone)
        _messages.check(self)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Any, context: Context, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Keep the query as it is written: what a template fills in does not make it another query."""
        self.sql_as_written = _arguments.as_written(self.sql, self.template_ext, jinja_env)
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)

    def execute(self, context: Context) -> dict[str, Any]:
        """Deliver what is new, and return the report."""
        from airflow_legacy_events.operators._query_run import QueryRun  # noqa: PLC0415  loads SQLAlchemy

        run = QueryRun(self, context)
        self._worker = Worker(run.deliver, run.stop, run.interrupt)
        try:
            self._worker.run()
        except BusyError as busy:
            if self.on_busy == "skip" and busy.healthy is not False:
                raise AirflowSkipException(f"{busy}. Nothing was read") from busy
            _outcome.push_report(context, run.report, busy)
            raise
        except LegacyEventsError as error:
            _outcome.push_report(context, run.report, error)
            raise final(error) from error.__cause__
        except BaseException as error:
            _outcome.push_report(context, run.report, error)
            raise
        finally:
            _log.info("%s", run.report)
        _outcome.add_events(context, run.report, before=run.before, topic=run.stream.topic, bootstrap=run.bootstrap)
        return run.report.to_dict()

    def on_kill(self) -> None:
        """Ask the run to end at its next batch border; called in a signal handler."""
        if self._worker is not None:
            self._worker.stop()
