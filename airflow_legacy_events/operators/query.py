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
from airflow_legacy_events.operators import _mode, _outcome
from airflow_legacy_events.operators._thread import Worker
from airflow_legacy_events.operators.links import TopicLink

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
    :param on_busy: when another run works on the stream: ``skip`` this task, ``wait`` for that run, or ``fail``.
    :param on_clear: what a task does that had succeeded and was cleared: ``resume`` the live stream, or ``repeat``,
        that is send again what it sent (Airflow 3.3).
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
        on_busy: str = "skip",
        on_clear: str = "resume",
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
        self.on_busy = on_busy
        self.on_clear = on_clear
        self.statement_timeout = statement_timeout
        self.delivery_timeout = delivery_timeout
        self._worker: Worker[Report] | None = None
        self._check()
        if not _naming.holds_template(topic):
            self.outlets = [*self.outlets, _outcome.topic_alias(topic)]
        if watermark_store == "asset":
            self.inlets = [*self.inlets, _naming.stream_asset(self)]

    def _check(self) -> None:
        _arguments.one_of(("table", "sql"), (self.table, self.sql))
        _arguments.choice("on_busy", self.on_busy, _arguments.ON_BUSY)
        _arguments.choice("on_clear", self.on_clear, _mode.ON_CLEAR)
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
        _outcome.add_events(context, run.report, topic=run.stream.topic, bootstrap=run.bootstrap)
        return run.report.to_dict()

    def on_kill(self) -> None:
        """Ask the run to end at its next batch border; called in a signal handler."""
        if self._worker is not None:
            self._worker.stop()
