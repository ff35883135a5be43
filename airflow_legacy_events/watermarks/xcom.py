"""Watermarks in the XComs of the task's own successful runs, under the key `watermark`: texts by stream.

Airflow deletes a task instance's XComs at the start of every try, so the last run that succeeded counts. A first load
that failed begins anew, and a cleared run sends its part again. If no run holds a watermark any more, only the run that
ended the first load may load again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, Self

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.codec import DamagedWatermarkError, decode
from airflow_legacy_events.watermarks.first_load import loaded_by, note_load
from airflow_legacy_events.watermarks.opening import OpenableStore, OpenedBy
from airflow_legacy_events.watermarks.saving import VerifiedSaves

KEY = "watermark"
LONGEST_LOOK_BACK = 50
"""The number of successful runs that are searched, the newest first."""


class PastRun(NamedTuple):
    """A successful run of the task, and its XCom.

    Attributes:
        run_id: of the DAG run.
        logical_date: of the DAG run.
        content: of its XCom `watermark`, None where it has none.
    """

    run_id: str
    logical_date: dt.datetime
    content: Any


class Runs(Protocol):
    """The runs of one task, reached from the task or from a server."""

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


class XComWatermarkStore(OpenableStore):
    """Reads from the last successful run, writes to the run that works."""

    name = "xcom"
    scope = "task"
    task_reason = "an XCom belongs to the task that pushed it"
    keeps_progress = False  # a run's own XComs are deleted with every try

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._saves = VerifiedSaves(self.load, self._write)
        self._texts: dict[str, Any] = {}
        self._loading = False

    @classmethod
    def open(cls, by: OpenedBy) -> Self:
        """See `OpenableStore.open`."""
        if by.context is not None:
            return cls(TaskRuns(by.context))
        if by.owner is None:
            raise ConfigurationError(
                "watermarks in XComs belong to one task, and none was named: no registration tells whose the stream is"
            )
        from airflow_legacy_events.watermarks.xcom_server import ServerRuns  # noqa: PLC0415  imports this module

        return cls(ServerRuns(*by.owner))

    def load(self, stream: str) -> Watermark | None:
        """See `core.ports.WatermarkStore.load`."""
        self._texts = _texts(stream, self._runs.own(), "of its own")
        if stream in self._texts:
            return _decoded(stream, self._texts, "of its own")
        mark = self._last(stream)
        if mark is None:
            self.begins_again = self._loading = self.begins_again and self._runs.may_load(stream)
        return mark

    def _last(self, stream: str) -> Watermark | None:
        below: dt.datetime | None = None
        self.begins_again = True
        for _ in range(LONGEST_LOOK_BACK):
            past = self._runs.before(below)
            if past is None:
                return None
            texts = _texts(stream, past.content, past.run_id)
            if stream in texts:
                return _decoded(stream, texts, past.run_id)
            self.begins_again = self.begins_again and past.content is not None
            below = past.logical_date
        self.begins_again = False
        return None

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """See `core.ports.WatermarkStore.save`."""
        self._saves.save(stream, new, expected)

    def forget(self, stream: str) -> None:
        """Remove the watermarks of all runs."""
        self._saves.forget(stream)
        self._runs.replace_all({stream: None})

    def _write(self, stream: str, text: str) -> None:
        self._texts[stream] = text
        self._runs.push(self._texts)

    def succeeded(self, stream: str) -> str | None:
        """See `NamedStore.succeeded`."""
        if self._loading:
            self._runs.loaded(stream)
        return self._texts.get(stream)

    def pass_by(self, kept: Mapping[str, str]) -> None:
        """See `NamedStore.pass_by`; later runs look further back."""
        self._runs.push(dict(kept))


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
                "watermark_store='xcom' needs runs with a logical date, which tells the run before, and this run has"
                " none; nothing was read. Use 'variable' (default) or 'table'"
            )
        if self._ti.map_index is not None and self._ti.map_index >= 0:
            raise ConfigurationError(
                "watermark_store='xcom' can't serve a mapped task, whose map indexes change their meaning from run to"
                " run; nothing was read. Use 'variable' (default) or 'table'"
            )


def _texts(stream: str, content: Any, run: str) -> dict[str, Any]:
    """The watermarks that an XCom holds, by stream; None is one that was forgotten."""
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise _unreadable(stream, run, f"a {type(content).__name__}")
    return dict(content)


def _decoded(stream: str, texts: Mapping[str, Any], run: str) -> Watermark | None:
    text = texts[stream]
    if text is None:
        return None
    if not isinstance(text, str):
        raise _unreadable(stream, run, f"a {type(text).__name__} inside it")
    return decode(text, stream=stream, place=f"XCom {KEY!r} of run {run!r}")


def _unreadable(stream: str, run: str, found: str) -> DamagedWatermarkError:
    return DamagedWatermarkError(
        f"the watermark of stream {stream!r} in XCom {KEY!r} of run {run!r} can't be understood: found {found}. Write"
        f" it anew with {command('set', stream, 'VALUE...')}, or begin anew with {command('forget', stream)}"
    )


def _failed(error: Exception) -> WatermarkError:
    return WatermarkError(f"the XComs of this task could not be reached: {error}. A retry goes on", retry_helps=True)
