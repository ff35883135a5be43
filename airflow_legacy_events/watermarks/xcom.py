"""XCom watermarks: kept by the task's own successful runs, under the key `watermark`, as texts by stream.

Airflow deletes a task instance's XComs at the start of every try, so the last successful run counts. A first load that
failed starts over, and a cleared run sends its window again. If no run holds a watermark any more, only the run that
ended the first load may load again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Self

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.codec import DamagedWatermarkError, decode
from airflow_legacy_events.watermarks.opening import OpenableStore, OpenedBy
from airflow_legacy_events.watermarks.saving import VerifiedSaves
from airflow_legacy_events.watermarks.xcom_runs import KEY, Runs, TaskRuns

LONGEST_LOOK_BACK = 50
"""Maximum number of successful runs searched, the newest first."""


class XComWatermarkStore(OpenableStore):
    """Reads from the last successful run, writes to the current run."""

    name = "xcom"
    scope = "task"
    task_reason = "an XCom belongs to the task that pushed it"
    keeps_progress = False  # a run's own XComs are deleted with every try
    reads_others = False

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
                "watermarks in XComs belong to one task, but none was named: no registration shows whose stream it is"
            )
        from airflow_legacy_events.watermarks.xcom_server import ServerRuns  # noqa: PLC0415  only on a server

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
        """See `NamedStore.pass_by`; later runs search further back."""
        self._runs.push(dict(kept))


def _texts(stream: str, content: Any, run: str) -> dict[str, Any]:
    """Return the watermarks in an XCom, by stream; None is a forgotten one."""
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
        f" it again with {command('set', stream, 'VALUE...')}, or start over with {command('forget', stream)}"
    )
