"""Examination of a task: what its next run would find wrong or report, without sending or changing anything."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from airflow_legacy_events.core.completeness import require
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import Horizon, RunMode, Stream, Watermark
from airflow_legacy_events.core.ports import BrokerClient
from airflow_legacy_events.streams.run import StreamRun

OK, WARNING, PROBLEM = "ok", "warning", "problem"


@runtime_checkable
class Runs(Protocol):
    """An operator that moves a stream."""

    def _stream_run(self, context: Any, log: logging.Logger, *, looks_only: bool = False) -> StreamRun[Any, Any]:
        """Return a run of the task with the operator's arguments."""


class Finding(NamedTuple):
    """Result of one check.

    Attributes:
        check: what was looked at.
        result: `ok`, `warning` or `problem`.
        text: in words, with the SQL or argument that fixes it.
    """

    check: str
    result: str
    text: str


class Examination:
    """Examines one task by the code of its run, up to where that would read the first row.

    Nothing is locked, created or moved.

    Args:
        run: of the task, made to look only.
        log: that the run logs to.

    Attributes:
        findings: so far, in the order of the checks.
        completeness: that a run would report now; None if it can't be opened.
    """

    def __init__(self, run: StreamRun[Any, Any], log: logging.Logger) -> None:
        self._run, self._log = run, log
        self.findings: list[Finding] = []
        self.completeness: str | None = None
        self._named: tuple[str, ...] = ()

    @property
    def stream(self) -> Stream:
        """The stream of the task."""
        return self._run.stream

    @property
    def failed(self) -> bool:
        """Whether the next run would fail."""
        return any(one.result == PROBLEM for one in self.findings)

    def examine(self) -> None:
        """Run every check."""
        self._run.find_stream()
        parts: dict[str, Any] = {}
        with contextlib.ExitStack() as opened:
            for name, make in self._run.makers(opened, RunMode()).items():
                self._found(self._run.checks[name], make, parts, name)
            if self._run.of_source <= parts.keys():
                self._source(parts)
            if parts.get("broker") is not None:
                self._topics(parts["broker"])

    def _found(self, check: str, make: Callable[[], Any], parts: dict[str, Any], name: str) -> None:
        try:
            parts[name] = make()
        except LegacyEventsError as error:
            self.findings.append(Finding(check, PROBLEM, str(error)))
        else:
            self.findings.append(Finding(check, OK, ""))

    def _source(self, parts: Mapping[str, Any]) -> None:
        """Open the source as a run does; it takes its first row only when batches are taken."""
        with _warnings(self._log) as warned:
            try:
                horizon = self._run.open_source(parts).open(self._stored(parts)).horizon
            except LegacyEventsError as error:
                self.findings.append(Finding("source", PROBLEM, str(error)))
            else:
                self.findings.append(Finding("source", OK, ""))
                self._judge(horizon)
                self._encode(parts, horizon)
            finally:
                self._run.close_source()
        self.findings += [Finding("source", WARNING, text) for text in warned]

    def _stored(self, parts: Mapping[str, Any]) -> Watermark | None:
        """Return the watermark; one that can't be read here counts as a problem, and as a first run."""
        if (store := parts.get("store")) is None:
            return None
        try:
            found: Watermark | None = store.load(self.stream.name)
        except LegacyEventsError as error:
            self.findings.append(Finding(self._run.checks["store"], PROBLEM, str(error)))
            return None
        return found

    def _encode(self, parts: Mapping[str, Any], horizon: Horizon) -> None:
        if horizon.shape is None or "envelope" not in parts:
            return
        try:
            parts["envelope"].compile(horizon.shape, self.stream)
        except LegacyEventsError as error:
            self.findings.append(Finding(self._run.compiles, PROBLEM, str(error)))

    def _judge(self, horizon: Horizon) -> None:
        self.completeness = horizon.completeness
        try:
            require(self.stream.name, self._run.options.completeness, horizon.completeness, horizon.reason)
        except LegacyEventsError as error:
            self.findings.append(Finding("completeness", PROBLEM, str(error)))
        else:
            level = OK if horizon.completeness == "exact" else WARNING
            self.findings.append(Finding("completeness", level, f"{horizon.completeness}: {horizon.reason}"))
        self._named = horizon.topics

    def _topics(self, broker: BrokerClient) -> None:
        many = self._run.options.topic_partitions
        for topic in dict.fromkeys((*self._run.topics(), *self._named)):
            check = f"topic {topic}"
            try:
                there = broker.partitions(topic)
                if there or many is None:
                    broker.require([topic])
            except LegacyEventsError as error:
                self.findings.append(Finding(check, PROBLEM, str(error)))
            else:
                text = "" if there else f"is missing; the first run creates it, with topic_partitions={many}"
                self.findings.append(Finding(check, OK, text))


@contextlib.contextmanager
def _warnings(log: logging.Logger) -> Iterator[list[str]]:
    """Collect the warnings that are logged meanwhile."""
    found: list[str] = []
    handler = _Collecting(found)
    log.addHandler(handler)
    try:
        yield found
    finally:
        log.removeHandler(handler)


class _Collecting(logging.Handler):
    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        self._found.append(record.getMessage())
