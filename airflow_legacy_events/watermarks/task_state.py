"""Task state: progress of a replay in Airflow 3.3's state of a task instance; it survives retries and clears."""

from __future__ import annotations

from typing import Any, Self

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.codec import decode
from airflow_legacy_events.watermarks.opening import OpenableStore, OpenedBy
from airflow_legacy_events.watermarks.refusals import why
from airflow_legacy_events.watermarks.saving import VerifiedSaves

KEY = "progress"


class TaskStateWatermarkStore(OpenableStore):
    """The store of one task instance.

    Args:
        state: `context["task_state_store"]`.
    """

    scope = "task"
    reads_others = False
    task_reason = "a task's state is open to that task"

    def __init__(self, state: Any) -> None:
        self._state = state
        self._saves = VerifiedSaves(self.load, self._write)

    @classmethod
    def open(cls, by: OpenedBy) -> Self:
        """See `OpenableStore.open`; requires a task and Airflow 3.3."""
        state = None if by.context is None else by.context.get("task_state_store")
        if state is None:
            raise ConfigurationError("the state of a task is open to that task only, from Airflow 3.3 on")
        return cls(state)

    def load(self, stream: str) -> Watermark | None:
        """See `core.ports.WatermarkStore.load`."""
        try:
            text = self._state.get(_key(stream))
        except Exception as error:
            raise _failed(stream, "read", error) from error
        return None if text is None else decode(str(text), stream=stream, place="the task's state")

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """See `core.ports.WatermarkStore.save`."""
        self._saves.save(stream, new, expected)

    def forget(self, stream: str) -> None:
        """Remove the progress; one that is absent stays absent."""
        try:
            self._state.delete(_key(stream))
        except Exception as error:
            raise _failed(stream, "removed", error) from error

    def _write(self, stream: str, text: str) -> None:
        from airflow.sdk.execution_time.context import NEVER_EXPIRE  # noqa: PLC0415  Airflow 3.3

        try:
            self._state.set(_key(stream), text, retention=NEVER_EXPIRE)
        except Exception as error:
            raise _failed(stream, "written", error) from error


def _key(stream: str) -> str:
    return f"{KEY}:{stream}"


def _failed(stream: str, doing: str, error: Exception) -> WatermarkError:
    return WatermarkError(
        f"the progress of {stream!r} in the task's state could not be {doing}: {why(error)}. A retry continues",
        retry_helps=True,
    )
