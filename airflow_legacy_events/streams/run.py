"""One run of a stream: builds the parts from a spec and its options, and runs the relay."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.locking import wait_for_lock
from airflow_legacy_events.core.model import Delivered, Repeat, RunMode, Stream
from airflow_legacy_events.core.ports import Database, Lease, Observer, Source
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.streams.options import RunOptions

Parts: TypeAlias = Mapping[str, Any]
"""Parts of a run, by the names of their makers, and its `source`."""

SpecT = TypeVar("SpecT")
OptionsT = TypeVar("OptionsT", bound=RunOptions)


class TaskRecord(Observer, Protocol):
    """Record that the running task keeps of the run."""

    def kept(self) -> Mapping[str, str]:
        """Return watermark texts by stream, left by a live run that this run replaces."""

    def failed(self, report: Report) -> None:
        """Called after a failed run, with what it delivered."""

    def end(self, values: Sequence[str] | None, kept: str | None) -> None:
        """Called after a successful run: where it ended, and its watermark's text if a clear would delete that."""


class StreamRun(ABC, Generic[SpecT, OptionsT]):
    """State of one try of a task; a subclass makes the parts between a source and where its rows go.

    Args:
        spec: the source, its arguments rendered.
        options: everything else, rendered.
        context: of the task.
        log: of the task.
        looks_only: whether parts are made for an examination, so that nothing may be created.

    Attributes:
        checks: what each maker checks, for a person; without `source`.
        of_source: names of the parts that the source is made of.
        compiles: what compiling the envelope checks.
        stream: the stream that is moved.
        stop: ends the run early.
        report: accurate at any time, also after a failure.
        bootstrap: of the broker, once it is open.
        earlier: what the tries before this one delivered, for the code that reports the run.
    """

    checks: ClassVar[Mapping[str, str]]
    of_source: ClassVar[frozenset[str]]
    compiles: ClassVar[str] = "messages"

    def __init__(
        self,
        spec: SpecT,
        options: OptionsT,
        context: Mapping[str, Any],
        log: logging.Logger,
        *,
        looks_only: bool = False,
    ) -> None:
        self._spec, self.options, self._context, self._log = spec, options, context, log
        self._looks_only = looks_only
        self._task = _task(context)
        self.stream = self._make_stream()
        self.stop = Stop()
        self.report = Report(self.stream.name)
        self.bootstrap = ""
        self.earlier = Delivered()
        self._close_source: Callable[[], None] = _nothing

    @abstractmethod
    def _make_stream(self) -> Stream:
        """Return the stream of the arguments."""

    @abstractmethod
    def makers(self, opened: contextlib.ExitStack, mode: RunMode) -> dict[str, Callable[[], Any]]:
        """Return what makes each part, by its name; some only check theirs.

        Args:
            opened: closes what they open.
            mode: live, or the window that is sent again.
        """

    @abstractmethod
    def source(self, parts: Parts) -> Source:
        """Return the source; it reads nothing before it is used.

        Raises:
            ConfigurationError: an argument is of the wrong form.
        """

    @abstractmethod
    def topics(self) -> tuple[str, ...]:
        """Return the topics that are written to, as far as known before a row is read."""

    @abstractmethod
    def _relay(self, parts: Parts, repeat: Repeat | None, record: TaskRecord) -> Relay:
        """Return the relay of the run."""

    @abstractmethod
    def _repeat(self, mode: RunMode) -> Repeat | None:
        """Return what the run sends again, None if it is live."""

    @abstractmethod
    def _lock_database(self, parts: Parts) -> Database:
        """Return the database whose session holds the lock of the run."""

    def _lock_table(self, parts: Parts) -> str | None:  # noqa: ARG002
        """Return the table whose lock a live run holds, as `TableWrites.name`; None: the lock is the stream's own."""
        return None

    def find_stream(self) -> None:
        """Let the connection name the stream, where the arguments alone don't; it is not connected yet."""

    def deliver(self, mode: RunMode, record: TaskRecord) -> Report:
        """Build the parts, run the relay, and close what was opened.

        Args:
            mode: live, or the window that is sent again.
            record: what the task keeps of the run.

        Raises:
            LegacyEventsError: the run failed; see `Relay.run`.
        """
        repeat = self._announced(self._repeat(mode))
        with contextlib.ExitStack() as opened:
            parts = self._parts(opened, mode, repeat)
            relay = self._relay(parts, repeat, record)
            self.report = relay.report
            try:
                relay.run()
            except BaseException:
                record.failed(self.report)
                raise
        record.end(self.report.watermark_to, None if repeat is not None else parts["store"].succeeded(self.stream.name))
        return self.report

    def interrupt(self) -> None:
        """Cancel a statement that still runs, and the wait of the source."""
        self._close_source()

    def facts(self) -> dict[str, Any]:
        """Return the facts of the task that moves the stream, as its watermark keeps them."""
        mapped = {"map_index": self._task["map_index"]} if self._task["map_index"] >= 0 else {}
        return {**{part: self._task[part] for part in ("dag", "task", "run")}, **mapped}

    def open_source(self, parts: Parts) -> Source:
        """Return the source, which `interrupt` closes."""
        source = self.source(parts)
        self._close_source = getattr(source, "close", self._close_source)
        return source

    def close_source(self) -> None:
        """End what the source has open."""
        self._close_source()

    def _announced(self, repeat: Repeat | None) -> Repeat | None:
        if repeat is not None:
            self.report.mode, self.report.window = repeat.mode, repeat.window
        return repeat

    def _limits(self, mode: RunMode) -> Limits:
        options = self.options
        return options.live_limits() if mode.what is None else options.repeat_limits(mode.rows_per_second)

    def _parts(self, opened: contextlib.ExitStack, mode: RunMode, repeat: Repeat | None) -> Parts:
        """Build all parts first, then report every failure in one error."""
        problems, parts = Problems(), dict[str, Any]()
        for name, part in self.makers(opened, mode).items():
            with problems.collect():
                parts[name] = part()
        if self.of_source <= parts.keys():
            parts["source"] = self.open_source(parts)
            opened.callback(self.close_source)
            if problems.found:
                with problems.collect():
                    parts["source"].check(None if repeat is None else repeat.what)
        problems.raise_found()
        return parts

    def _lock(self, parts: Parts, repeat: Repeat | None) -> AbstractContextManager[Lease]:
        database, name, table = self._lock_database(parts), self.stream.name, None
        if repeat is None:
            table = self._lock_table(parts)
        else:
            name = repeat.progress

        def take() -> AbstractContextManager[Lease]:
            return database.lock(name, self._task, table=table)

        return take() if self.options.on_busy != "wait" else wait_for_lock(take, self.stop, self._log)


def _nothing() -> None:
    """Close nothing: most sources have no session beside their database's."""


def _task(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the holder of the stream's lock: this try of the task, as shown to others."""
    ti = context["ti"]
    return {
        "dag": ti.dag_id,
        "task": ti.task_id,
        "run": ti.run_id,
        "map_index": -1 if ti.map_index is None else ti.map_index,
        "try": ti.try_number,
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
