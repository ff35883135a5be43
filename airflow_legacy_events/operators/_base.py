"""Base of all operators that move a stream: the arguments that every source takes, one run, its outcome."""

from __future__ import annotations

import datetime as dt
import logging
from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowSkipException

from airflow_legacy_events.core.errors import BusyError, LegacyEventsError
from airflow_legacy_events.core.limits import MAX_ROW_BYTES
from airflow_legacy_events.core.lines import in_lines
from airflow_legacy_events.core.model import RunMode
from airflow_legacy_events.core.ports import Envelope, WatermarkStore
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.hooks.registry import DEFAULT_ENVELOPE
from airflow_legacy_events.operators import _outcome
from airflow_legacy_events.operators._thread import Worker
from airflow_legacy_events.operators._window_record import CLEARED, WindowRecord
from airflow_legacy_events.operators.links import TopicLink
from airflow_legacy_events.streams import messages
from airflow_legacy_events.streams.inlets import stream_assets
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.options import StreamOptions
from airflow_legacy_events.streams.rendering import RenderedFields
from airflow_legacy_events.streams.specs.base import SourceSpec
from airflow_legacy_events.streams.stores import needs_inlet

if TYPE_CHECKING:
    from airflow_legacy_events.streams.run import StreamRun


class BaseStreamOperator(RenderedFields, BaseOperator):
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

    log_name: ClassVar[str] = __name__
    """The logger of a run."""

    cleared: ClassVar[str] = CLEARED
    """What the log says when the task was cleared after a success."""

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
        self.fixed_names = True
        self.headers = headers
        self.statement_timeout = statement_timeout
        self.max_row_bytes = max_row_bytes
        self.delivery_timeout = delivery_timeout
        self._worker: Worker[Report] | None = None

    @property
    def _repeats(self) -> bool:
        """Return whether this task was cleared after a success and is to send the same window again."""
        return False

    def _check(self, context: Context, stream: str) -> None:
        """Check what is known only once the task runs.

        Args:
            context: of the task.
            stream: name of the stream.

        Raises:
            ConfigurationError: the arguments don't fit the way the task is run.
        """

    @abstractmethod
    def _mode(self, context: Context, record: WindowRecord) -> RunMode:
        """Return the mode of a run, as far as Airflow determines it.

        Args:
            context: of the task.
            record: what the task instance keeps of earlier tries.

        Raises:
            ConfigurationError: the run's type or configuration is not possible here.
        """

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

    def execute(self, context: Context) -> dict[str, Any]:
        """Deliver what is new, and return the report."""
        from airflow_legacy_events.streams.run import StreamRun  # noqa: PLC0415  loads SQLAlchemy

        log = logging.getLogger(self.log_name)
        run = StreamRun(self._spec(), StreamOptions.of(self), context, log)
        self._worker = Worker(lambda: self._deliver(run, context), run.stop, run.interrupt)
        try:
            self._worker.run()
        except BusyError as busy:
            if self.on_busy == "skip" and busy.healthy is not False:
                raise AirflowSkipException(in_lines(f"{busy}. Nothing was read")) from busy
            _outcome.failed(context, run.report, busy, log)
            raise final(busy).with_traceback(None) from busy.__cause__
        except LegacyEventsError as error:
            _outcome.failed(context, run.report, error, log)
            raise final(error).with_traceback(None) from error.__cause__
        except BaseException as error:
            _outcome.failed(context, run.report, error, log)
            raise
        log.info("%s", run.report)
        fixed = self._spec().fixed_topics(run.stream.topic)
        _outcome.add_events(
            context, run.report, before=run.earlier, topic=run.stream.topic, fixed=fixed, bootstrap=run.bootstrap
        )
        return run.report.to_dict()

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Note first whether a template names the stream."""
        names = [name for name in self._spec().naming(self.topic).values() if name is not None]
        self.fixed_names = not any(map(holds_template, names))
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)

    def on_kill(self) -> None:
        """Request the run to stop at its next batch boundary; called in a signal handler."""
        if self._worker is not None:
            self._worker.stop()

    def _deliver(self, run: StreamRun, context: Context) -> Report:
        run.find_stream()
        self._check(context, run.stream.name)
        spec = self._spec()
        record = WindowRecord(
            context,
            stream=run.stream.name,
            repeats=self._repeats,
            columns=spec.watermark_names,
            begins_now=spec.begins_now,
            routed=not spec.fixed_topics(run.stream.topic),
            cleared=self.cleared,
        )
        report = run.deliver(self._mode(context, record), record)
        run.earlier = record.before
        return report
