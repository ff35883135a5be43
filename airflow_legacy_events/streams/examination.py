"""Examination of a task: what its next run would find wrong or report, without sending or changing anything."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from airflow_legacy_events.core.completeness import require
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import Horizon, RunMode, Watermark
from airflow_legacy_events.core.ports import BrokerClient
from airflow_legacy_events.hooks.broker import EventBrokerHook
from airflow_legacy_events.streams.options import StreamOptions
from airflow_legacy_events.streams.run import StreamRun
from airflow_legacy_events.streams.specs.base import SourceSpec

OK, WARNING, PROBLEM = "ok", "warning", "problem"
_CHECKS = {
    "limits": "budgets",
    "envelope": "envelope",
    "store": "watermark store",
    "stream": "messages",
    "spec": "arguments",
    "database": "connection",
    "broker": "broker",
}


@runtime_checkable
class Specified(Protocol):
    """An operator that moves a stream."""

    def _spec(self) -> SourceSpec:
        """Return the source, from the operator's arguments."""


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


class Examination(StreamRun):
    """Examines one task by the code of its run, up to where that would read the first row.

    Nothing is locked, created or moved. For the arguments see `StreamRun`.

    Attributes:
        findings: so far, in the order of the checks.
        completeness: that a run would report now; None if it can't be opened.
    """

    def __init__(
        self, spec: SourceSpec, options: StreamOptions, context: Mapping[str, Any], log: logging.Logger
    ) -> None:
        super().__init__(spec, options, context, log)
        self.findings: list[Finding] = []
        self.completeness: str | None = None
        self._named: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the next run would fail."""
        return any(one.result == PROBLEM for one in self.findings)

    def examine(self) -> None:
        """Run every check."""
        self.find_stream()
        parts: dict[str, Any] = {}
        with contextlib.ExitStack() as opened:
            for name, make in self._makers(opened, RunMode()).items():
                self._found(_CHECKS[name], make, parts, name)
            if {"limits", "spec", "database"} <= parts.keys():
                self._source(parts)
            if "broker" in parts:
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
        spec: SourceSpec = parts["spec"]
        with _warnings(self._log) as warned:
            source = spec.source(parts["database"], stream=self.stream, limits=parts["limits"], log=self._log)
            try:
                horizon = source.open(self._stored(parts)).horizon
            except LegacyEventsError as error:
                self.findings.append(Finding("source", PROBLEM, str(error)))
            else:
                self.findings.append(Finding("source", OK, ""))
                self._judge(horizon)
                self._encode(parts, horizon)
            finally:
                getattr(source, "close", _nothing)()
        self.findings += [Finding("source", WARNING, text) for text in warned]

    def _stored(self, parts: Mapping[str, Any]) -> Watermark | None:
        """Return the watermark; one that can't be read here counts as a problem, and as a first run."""
        if (store := parts.get("store")) is None:
            return None
        try:
            found: Watermark | None = store.load(self.stream.name)
        except LegacyEventsError as error:
            self.findings.append(Finding(_CHECKS["store"], PROBLEM, str(error)))
            return None
        return found

    def _encode(self, parts: Mapping[str, Any], horizon: Horizon) -> None:
        if horizon.shape is None or "envelope" not in parts:
            return
        try:
            parts["envelope"].compile(horizon.shape, self.stream)
        except LegacyEventsError as error:
            self.findings.append(Finding("messages", PROBLEM, str(error)))

    def _judge(self, horizon: Horizon) -> None:
        self.completeness = horizon.completeness
        try:
            require(self.stream.name, self._options.completeness, horizon.completeness, horizon.reason)
        except LegacyEventsError as error:
            self.findings.append(Finding("completeness", PROBLEM, str(error)))
        else:
            level = OK if horizon.completeness == "exact" else WARNING
            self.findings.append(Finding("completeness", level, f"{horizon.completeness}: {horizon.reason}"))
        self._named = horizon.topics

    def _topics(self, broker: BrokerClient) -> None:
        topics = [*self._spec.fixed_topics(self.stream.topic), *self._options.topics, *self._named]
        for topic in dict.fromkeys(topics):
            check = f"topic {topic}"
            try:
                there = broker.partitions(topic)
                if there or self._options.topic_partitions is None:
                    broker.require([topic])
            except LegacyEventsError as error:
                self.findings.append(Finding(check, PROBLEM, str(error)))
            else:
                many = self._options.topic_partitions
                text = "" if there else f"is missing; the first run creates it, with topic_partitions={many}"
                self.findings.append(Finding(check, OK, text))

    def _open_broker(self, opened: contextlib.ExitStack) -> BrokerClient:
        """Connect, without topics: one that is missing must not be made."""
        options = self._options
        broker = EventBrokerHook(options.broker_conn_id).get_broker(
            topics=[],
            topic_partitions=None,
            topic_config=None,
            delivery_timeout=options.delivery_timeout,
            stop=self.stop,
            log=self._log,
        )
        opened.callback(broker.close)
        broker.open()
        return broker


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


def _nothing() -> None:
    """Close nothing."""
