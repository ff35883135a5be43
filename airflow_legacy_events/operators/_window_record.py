"""Window record: the window of a live run, kept with its task instance, which shows later that the run succeeded."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import Delivered, Span, Watermark
from airflow_legacy_events.core.report import Report

KEY = "window"
CLEARED = (
    "this task was cleared after it had delivered; nothing that it sent is sent again, and it continues with new rows."
    ' To send a window again, start a run with the configuration {"replay": {"from": T, "to": T}}, or give'
    ' on_clear="repeat"'
)

Place: TypeAlias = tuple[list[str] | None, bool]
"""Start of a try: its position, and whether rows at that position belong to it."""

_log = logging.getLogger(__name__)


class WindowRecord:
    """`task_state_store["window"]`: stream, from and to positions, what was delivered, and whether the run is done.

    Airflow 3.3 keeps the record through retries and clears, and for as long as the run. Before 3.3 there is no record.
    A watermark written by this very run then shows that an earlier try delivered something, but not how much. A cleared
    success looks the same, so DAGs waiting for the topic may be triggered once more.

    Attributes:
        before: what earlier tries of the run delivered; before Airflow 3.3 at most 1 event.

    Args:
        context: of the task.
        stream: the stream that is moved.
        repeats: whether a cleared run that was done sends its window again, which requires the record.
        columns: the watermark columns.
        begins_now: whether a first run only marks where the source ends.
        routed: whether each row names its topic, so that events are counted by topic.
        cleared: what the log says when the task was cleared after a success.
    """

    def __init__(
        self,
        context: Mapping[str, Any],
        *,
        stream: str,
        repeats: bool,
        columns: Sequence[str],
        begins_now: bool,
        routed: bool = False,
        cleared: str = CLEARED,
    ) -> None:
        self._state, self._stream, self._repeats = context.get("task_state_store"), stream, repeats
        self._columns, self._now = list(columns), begins_now
        self._context, self._routed, self._cleared = context, routed, cleared
        self._said = self._anew = False
        self._record: dict[str, Any] | None = None
        self.before = Delivered()

    def done(self) -> Span | None:
        """Return the window of this task instance if it once succeeded and is to be sent again.

        Raises:
            ConfigurationError: it is to be sent again, and this Airflow version keeps no record.
            WatermarkError: the record can't be read, or belongs to other columns.
        """
        if not self._repeats:
            return None
        self._refuse()
        found = self._read()
        if found.get("state") != "done" or found.get("stream") != self._stream:
            return None
        if found.get("columns") != self._columns:
            raise WatermarkError(
                f"on_clear='repeat' sends again what this run sent, by the watermark columns {found['columns']}, but"
                f" they are {self._columns} now; nothing was read. Restore them, or replay a window of time"
            )
        (after, included), *also = [(None if one is None else tuple(one), at) for one, at in _places(found)]
        return Span(after, tuple(found["to"] or ()), included, tuple(also))

    def loaded(self, at: Watermark | None) -> None:
        """See `core.ports.Observer.loaded`: note where the run begins; a retry keeps what an earlier try noted."""
        if self._state is None:
            self.before = Delivered(events=int(self._wrote(at)))
            if self.before.events and self._columns and self._was_cleared():
                _log.warning("%s: %s", self._stream, self._cleared)
            return
        found = self._earlier()
        self._tell_cleared(at, found)
        mine = (found.get("state"), found.get("stream")) == ("open", self._stream)
        if mine:
            self.before = Delivered(
                rows=found.get("rows", 0), events=found.get("events", 0), topics=found.get("topics", {})
            )
        places = self._begun_at(at, _places(found) if mine and found.get("columns") == self._columns else [])
        known = {"stream": self._stream, "columns": self._columns, **self._counted(self.before)}
        self._write({"state": "open", **known, **_noted(places), "to": None})

    def _tell_cleared(self, at: Watermark | None, found: Mapping[str, Any]) -> None:
        """Log that a cleared success sends nothing again, unless its watermark was removed by the clear."""
        if self._columns and found.get("state") == "done" and found.get("stream") == self._stream:
            values = None if at is None or at.values is None else list(at.values)
            if values != found.get("from") or values == found.get("to"):
                _log.warning("%s: %s", self._stream, self._cleared)

    def _begun_at(self, at: Watermark | None, earlier: list[Place]) -> list[Place]:
        """Return where tries of this run began: the first position, and any that a person moved the watermark to."""
        if self._now:  # such a try only marked the end of the table and left later rows to this one
            earlier = [place for place in earlier if place[0] is not None]
        values = None if at is None or at.values is None else list(at.values)
        mine = (values, bool(at and at.facts.get("included")))
        moved = values is None or (at is not None and "person" in at.facts)
        if earlier and (mine in earlier or not moved or (values is None and self._now)):
            return earlier
        return [*earlier, mine]

    def saving(self, new: Watermark, delivered: Delivered) -> None:
        """See `core.ports.Observer.saving`: note once that events lie below it, and once that the run started over."""
        if "reset" in new.facts and not self._anew and self._record is not None:
            self._anew = True
            self._write({**self._record, **_noted([(None, False)])})
        if delivered.events and not self._said:
            self._said = True
            self._count(delivered)

    def saved(self, new: Watermark) -> None:
        """See `core.ports.Observer.saved`; everything was already noted before the save."""

    def failed(self, report: Report) -> None:
        """Note what was delivered, for the later try that succeeds."""
        try:
            self._count(Delivered(report.rows, report.events, topics=report.topics))
        except WatermarkError as error:
            _log.warning("%s", error)

    def end(self, values: Sequence[str] | None, kept: str | None = None) -> None:
        """Note that the run has succeeded and where it ended, and its watermark if a clear would delete that."""
        if self._record is not None:
            kept_too = {} if kept is None else {"watermark": kept}
            to = None if values is None else list(values)
            self._write({**self._record, "state": "done", "to": to, **kept_too})

    def kept(self) -> Mapping[str, str]:
        """Return the watermark that this task instance left when it succeeded, by stream."""
        found = self._read()
        mine = found.get("state") == "done" and "watermark" in found
        return {found["stream"]: found["watermark"]} if mine else {}

    def _count(self, delivered: Delivered) -> None:
        if self._record is not None and delivered.rows:
            self._write({**self._record, **self._counted(self.before.plus(delivered))})

    def _counted(self, delivered: Delivered) -> dict[str, Any]:
        topics = {"topics": dict(delivered.topics)} if self._routed else {}
        return {"rows": delivered.rows, "events": delivered.events, **topics}

    def _was_cleared(self) -> bool:
        """Return whether the task instance was cleared, in which case Airflow grants its retries once more."""
        tries = getattr(self._context["ti"], "max_tries", None) or 0
        return bool(tries > getattr(self._context.get("task"), "retries", tries))

    def _wrote(self, at: Watermark | None) -> bool:
        """Return whether an earlier try of this run has moved the watermark."""
        ti = self._context["ti"]
        writer = {"dag": ti.dag_id, "task": ti.task_id, "run": ti.run_id}
        return at is not None and bool(at.values) and writer.items() <= at.facts.items()

    def _refuse(self) -> None:
        from airflow.sdk.configuration import conf  # noqa: PLC0415

        if self._state is None:
            raise ConfigurationError(
                "on_clear='repeat' needs Airflow 3.3, which keeps what a task instance moved through; nothing was read."
                ' Leave it out, and replay a window with the run\'s configuration {"replay": {"from": T, "to": T}}'
            )
        if conf.getboolean("state_store", "clear_on_success", fallback=False):
            raise ConfigurationError(
                "on_clear='repeat' needs the state of a task instance to outlive its success, but Airflow's"
                " configuration says [state_store] clear_on_success; nothing was read. Unset one of them"
            )

    def _earlier(self) -> Mapping[str, Any]:
        """Return what an earlier try noted."""
        try:
            return self._read()
        except WatermarkError as error:
            if self._repeats:
                raise
            _log.warning("%s", error)
            return {}

    def _read(self) -> Mapping[str, Any]:
        try:
            found = self._state.get(KEY) if self._state is not None else None
        except Exception as error:
            raise _failed(error) from error
        return found if isinstance(found, Mapping) else {}

    def _write(self, record: dict[str, Any]) -> None:
        from airflow.sdk.execution_time.context import NEVER_EXPIRE  # noqa: PLC0415  Airflow 3.3

        try:
            self._state.set(KEY, record, retention=NEVER_EXPIRE)  # type: ignore[union-attr]
        except Exception as error:
            if self._repeats:
                raise _failed(error) from error
            _log.warning("the range of this run could not be stored in the task's state: %s", error)
        self._record = record


def _places(record: Mapping[str, Any]) -> list[Place]:
    return [(record["from"], record["included"]), *((values, included) for values, included in record.get("also", []))]


def _noted(places: Sequence[Place]) -> dict[str, Any]:
    (first, included), *also = places
    return {"from": first, "included": included, "also": [list(place) for place in also]}


def _failed(error: Exception) -> WatermarkError:
    return WatermarkError(f"the task's state could not be reached: {error}. A retry continues", retry_helps=True)
