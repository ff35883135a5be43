"""Runs of one task and their XComs, accessed from the running task."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.watermarks.first_load import loaded_by, note_load

KEY = "watermark"


class PastRun(NamedTuple):
    """A successful run of the task, and its XCom.

    Attributes:
        run_id: of the DAG run.
        logical_date: of the DAG run.
        content: of its XCom `watermark`, None if it has none.
    """

    run_id: str
    logical_date: dt.datetime
    content: Any


class Runs(Protocol):
    """Runs of one task, accessed from the task or from a server."""

    def own(self) -> Any:
        """Return what this very run has pushed."""

    def before(self, logical_date: dt.datetime | None) -> PastRun | None:
        """Return the last successful run before `logical_date`; None: before this run."""

    def push(self, content: Any) -> None:
        """Replace this run's XCom."""

    def replace_all(self, content: Any) -> None:
        """Remove the XComs of all runs, then push `content` for the last run."""

    def may_load(self, stream: str) -> bool:
        """Return whether no other run has ended a first load of the stream."""

    def loaded(self, stream: str) -> None:
        """Note that this run has ended the first load."""


class TaskRuns:
    """The runs of the running task, through the supervisor.

    Args:
        context: of the task.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._ti, self._run = context["ti"], context["dag_run"]

    def own(self) -> Any:
        """See `Runs.own`."""
        self._refuse()
        return self._pull(self._ti.run_id)

    def before(self, logical_date: dt.datetime | None) -> PastRun | None:
        """See `Runs.before`."""
        try:
            past = self._ti.get_previous_ti(state="success", logical_date=logical_date or self._run.logical_date)
        except Exception as error:
            raise _failed(error) from error
        if past is None or past.logical_date is None:
            return None
        return PastRun(past.run_id, past.logical_date, self._pull(past.run_id))

    def push(self, content: Any) -> None:
        """See `Runs.push`."""
        try:
            self._ti.xcom_push(key=KEY, value=content)
        except Exception as error:
            raise _failed(error) from error

    def replace_all(self, content: Any) -> None:  # noqa: ARG002
        """A task can't reach the XComs of other runs."""
        raise ConfigurationError("a watermark in XComs is forgotten with `airflow legacy-events watermark forget`")

    def may_load(self, stream: str) -> bool:
        """See `Runs.may_load`."""
        return loaded_by(stream) in (None, self._ti.run_id)

    def loaded(self, stream: str) -> None:
        """See `Runs.loaded`."""
        note_load(stream, self._ti.run_id)

    def _pull(self, run_id: str) -> Any:
        try:
            return self._ti.xcom_pull(task_ids=self._ti.task_id, key=KEY, run_id=run_id, map_indexes=-1)
        except Exception as error:
            raise _failed(error) from error

    def _refuse(self) -> None:
        if self._run.logical_date is None:
            raise ConfigurationError(
                "watermark_store='xcom' needs runs with a logical date, which determines the previous run, but this run"
                " has none; nothing was read. Use 'variable' (default) or 'table'"
            )
        if self._ti.map_index is not None and self._ti.map_index >= 0:
            raise ConfigurationError(
                "watermark_store='xcom' can't serve a mapped task, whose map indexes change their meaning from run to"
                " run; nothing was read. Use 'variable' (default) or 'table'"
            )


def _failed(error: Exception) -> WatermarkError:
    return WatermarkError(f"the XComs of this task could not be reached: {error}. A retry continues", retry_helps=True)
