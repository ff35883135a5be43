"""Base of the operators that send a stream to topics: the arguments that every source takes."""

from __future__ import annotations

import datetime as dt
import logging
from abc import abstractmethod
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from airflow_legacy_events.core.limits import MAX_ROW_BYTES
from airflow_legacy_events.core.ports import Envelope, WatermarkStore
from airflow_legacy_events.hooks.registry import DEFAULT_ENVELOPE
from airflow_legacy_events.operators import _outcome
from airflow_legacy_events.operators._moving import MovingOperator
from airflow_legacy_events.operators._window_record import WindowRecord
from airflow_legacy_events.operators.links import TopicLink
from airflow_legacy_events.streams import messages
from airflow_legacy_events.streams.inlets import stream_assets
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.options import StreamOptions
from airflow_legacy_events.streams.specs.base import SourceSpec
from airflow_legacy_events.streams.stores import needs_inlet

if TYPE_CHECKING:
    from airflow_legacy_events.streams.run import StreamRun
    from airflow_legacy_events.streams.topic_run import TopicRun


class BaseStreamOperator(MovingOperator):
    """Base of the operators that move a stream to topics; a subclass defines the source.

    The task succeeds only when every message was acknowledged and the watermark behind them is saved. It returns a
    report. If the task fails, the report is under the XCom key ``report``. Only one run at a time works on a stream.

    A subclass adds its own arguments, returns them as a spec from ``_spec``, and calls ``_complete`` at the end of its
    ``__init__``.

    :param source_conn_id: connection of the legacy database: ``postgres``, ``mysql``, ``sqlite``, or any type that
        SQLAlchemy has a dialect for. (templated)
    :param topic: topic that the messages are sent to. (templated)
    :param broker_conn_id: connection of the broker, of type ``kafka``. (templated)
    :param topic_partitions: number of partitions with which a missing topic is created; by default a missing topic is
        an error.
    :param topic_config: settings of a topic that is created. (templated)
    :param dead_letter_topic: topic for messages that the broker refuses; by default such a message fails the task.
        (templated)
    :param envelope: ``cloudevents``, ``plain``, or an object that implements the port ``Envelope``.
    :param watermark_store: ``variable`` (default), ``table:<conn_id>``, ``table`` with the connection from Airflow's
        configuration, ``asset``, ``xcom``, or an object that implements the port ``WatermarkStore``.
    :param batch_rows: maximum number of rows confirmed together.
    :param max_rows: number of rows after which a live run ends.
    :param max_seconds: seconds after which a live run starts no new batch.
    :param rows_per_second: upper limit of a run's mean rate.
    :param source_timezone: zone of naive times: an IANA name, or an offset such as ``+05:30``. Default is UTC. For a
        table or query with a naive watermark or time column, the default is an error if the server's zone is not UTC;
        ``database`` uses the server's own zone there. (templated)
    :param on_busy: what to do when another run works on the stream: ``skip`` this task, ``wait`` for that run, or
        ``fail``.
    :param on_new_stream: what to do on a first run if this task has moved another stream before, as after a rename of
        its table, topic or connection. ``warn`` names both ways to go on; ``fail`` fails before anything is sent. There
        is no check for mapped tasks, nor where a template names the stream.
    :param headers: further headers of every message; ``{column}`` stands for that column's text: ``{"tenant": "acme",
        "region": "{region}"}``. A header is left out where its column is NULL. (templated)
    :param statement_timeout: time limit of a statement at the source; a longer one fails the task.
    :param max_row_bytes: maximum raw bytes of a row; a larger row fails the task with an error that names its key
        columns and size.
    :param delivery_timeout: time after which the fate of an unacknowledged message counts as unknown and fails the
        task.
    """

    template_fields: Collection[str] = (
        "source_conn_id",
        "topic",
        "broker_conn_id",
        "topic_config",
        "dead_letter_topic",
        "source_timezone",
        "headers",
    )
    operator_extra_links = (TopicLink(),)
    ui_color = "#d6e4f0"

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        source_conn_id: str,
        topic: str,
        broker_conn_id: str = "kafka_default",
        topic_partitions: int | None = None,
        topic_config: Mapping[str, str] | None = None,
        dead_letter_topic: str | None = None,
        envelope: str | Envelope | None = DEFAULT_ENVELOPE,
        watermark_store: str | WatermarkStore | None = None,
        batch_rows: int = 10_000,
        max_rows: int | None = None,
        max_seconds: float | None = None,
        rows_per_second: float | None = None,
        source_timezone: str | None = None,
        on_busy: str = "skip",
        on_new_stream: str = "warn",
        headers: Mapping[str, str] | None = None,
        statement_timeout: dt.timedelta = dt.timedelta(minutes=5),
        max_row_bytes: int = MAX_ROW_BYTES,
        delivery_timeout: dt.timedelta = dt.timedelta(minutes=2),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_conn_id = source_conn_id
        self.topic = topic
        self.broker_conn_id = broker_conn_id
        self.topic_partitions = topic_partitions
        self.topic_config = topic_config
        self.dead_letter_topic = dead_letter_topic
        self.envelope = envelope
        self.watermark_store = watermark_store
        self.batch_rows = batch_rows
        self.max_rows = max_rows
        self.max_seconds = max_seconds
        self.rows_per_second = rows_per_second
        self.source_timezone = source_timezone
        self.on_busy = on_busy
        self.on_new_stream = on_new_stream
        self.headers = headers
        self.statement_timeout = statement_timeout
        self.max_row_bytes = max_row_bytes
        self.delivery_timeout = delivery_timeout

    @abstractmethod
    def _spec(self) -> SourceSpec:
        """Return the source's arguments, rendered or not."""

    def _complete(self) -> None:
        """Check the arguments, and declare the task's inlets and outlets to Airflow.

        Raises:
            ConfigurationError: an argument is wrong.
        """
        spec = self._spec()
        spec.check(rendered=False)
        options = StreamOptions.of(self)
        options.check()
        messages.check(options)
        if not holds_template(self.topic):
            self.outlets = [*self.outlets, _outcome.topic_alias(self.topic)]
        if needs_inlet(self.watermark_store):
            self.inlets = [*self.inlets, *stream_assets(spec, self.topic)]

    def _naming(self) -> Mapping[str, Any]:
        return self._spec().naming(self.topic)

    def _stream_run(self, context: Any, log: logging.Logger, *, looks_only: bool = False) -> TopicRun:
        """See ``MovingOperator``."""
        from airflow_legacy_events.streams.topic_run import TopicRun  # noqa: PLC0415  loads SQLAlchemy

        return TopicRun(self._spec(), StreamOptions.of(self), context, log, looks_only=looks_only)

    def _record(self, context: Context, run: StreamRun[Any, Any]) -> WindowRecord:
        spec = self._spec()
        return WindowRecord(
            context,
            stream=run.stream.name,
            repeats=self._repeats,
            columns=spec.watermark_names,
            begins_now=spec.begins_now,
            routed=not spec.fixed_topics(run.stream.topic),
            cleared=self.cleared,
        )

    def _report_events(self, context: Context, run: StreamRun[Any, Any]) -> None:
        fixed = self._spec().fixed_topics(run.stream.topic)
        _outcome.add_events(
            context, run.report, before=run.earlier, topic=run.stream.topic, fixed=fixed, bootstrap=run.bootstrap
        )
