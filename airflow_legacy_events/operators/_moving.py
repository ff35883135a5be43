"""Operators that move a stream: one run, its outcome, and how it is stopped."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowSkipException

from airflow_legacy_events.core.errors import BusyError, LegacyEventsError
from airflow_legacy_events.core.lines import in_lines
from airflow_legacy_events.core.model import RunMode
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.operators import _outcome
from airflow_legacy_events.operators._thread import Worker
from airflow_legacy_events.operators._window_record import CLEARED, WindowRecord
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.streams.rendering import RenderedFields

if TYPE_CHECKING:
    from airflow_legacy_events.streams.run import StreamRun


class MovingOperator(RenderedFields, BaseOperator):
    """Base of all operators that move a stream: whatever it is read from, and wherever it goes.

    Attributes:
        on_busy: what to do when another run works on the stream.
        fixed_names: whether the arguments that name the stream were written without a template.
    """

    log_name: ClassVar[str] = __name__
    """The logger of a run."""

    cleared: ClassVar[str] = CLEARED
    """What the log says when the task was cleared after a success."""

    on_busy: str

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fixed_names = True
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
    def _stream_run(self, context: Any, log: logging.Logger, *, looks_only: bool = False) -> StreamRun[Any, Any]:
        """Return a run of the task with the rendered arguments; see `StreamRun`."""

    @abstractmethod
    def _naming(self) -> Mapping[str, Any]:
        """Return the arguments that the stream's name is made of, by their names."""

    @abstractmethod
    def _record(self, context: Context, run: StreamRun[Any, Any]) -> WindowRecord:
        """Return the record that the task instance keeps of a run."""

    @abstractmethod
    def _report_events(self, context: Context, run: StreamRun[Any, Any]) -> None:
        """Emit the asset events of a run that succeeded."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Deliver what is new, and return the report."""
        log = logging.getLogger(self.log_name)
        run = self._stream_run(context, log)
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
        self._report_events(context, run)
        return run.report.to_dict()

    def on_kill(self) -> None:
        """Request the run to stop at its next batch boundary; called in a signal handler."""
        if self._worker is not None:
            self._worker.stop()

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Note first whether a template names the stream."""
        names = [name for name in self._naming().values() if name is not None]
        self.fixed_names = not any(map(holds_template, names))
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)

    def _deliver(self, run: StreamRun[Any, Any], context: Context) -> Report:
        run.find_stream()
        self._check(context, run.stream.name)
        record = self._record(context, run)
        report = run.deliver(self._mode(context, record), record)
        run.earlier = record.before
        return report
