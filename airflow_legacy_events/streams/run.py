"""One run of a stream: builds the parts from a spec and its options, and runs the relay."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core import topic_identity
from airflow_legacy_events.core.delivery import AtLeastOnce
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.locking import wait_for_lock
from airflow_legacy_events.core.model import Delivered, Repeat, RunMode
from airflow_legacy_events.core.ports import BrokerClient, Database, Envelope, Lease, MakeDelivery, Observer, Source
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.hooks.broker import EventBrokerHook
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.streams import messages
from airflow_legacy_events.streams.keyless import check_topic_config, check_topics
from airflow_legacy_events.streams.new_stream import Beginner, NewStream
from airflow_legacy_events.streams.options import StreamOptions
from airflow_legacy_events.streams.specs.base import NamedByServer, ReadsAnew, SourceSpec
from airflow_legacy_events.streams.stores import open_store, progress_store
from airflow_legacy_events.watermarks.opening import NamedStore
from airflow_legacy_events.watermarks.registration import StreamRegistration


class TaskRecord(Observer, Protocol):
    """Record that the running task keeps of the run."""

    def kept(self) -> Mapping[str, str]:
        """Return watermark texts by stream, left by a live run that this run replaces."""

    def failed(self, report: Report) -> None:
        """Called after a failed run, with what it delivered."""

    def end(self, values: Sequence[str] | None, kept: str | None) -> None:
        """Called after a successful run: where it ended, and its watermark's text if a clear would delete that."""


class Parts(NamedTuple):
    """Parts of a relay."""

    limits: Limits
    envelope: Envelope
    store: NamedStore
    database: Database
    broker: BrokerClient
    source: Source


class StreamRun:
    """State of one try of a task.

    Args:
        spec: the source, its arguments rendered.
        options: everything else, rendered.
        context: of the task.
        log: of the task.

    Attributes:
        stream: the stream that is moved.
        stop: ends the run early.
        report: accurate at any time, also after a failure.
        bootstrap: of the broker, once it is open.
        earlier: what the tries before this one delivered, for the code that reports the run.
    """

    def __init__(
        self, spec: SourceSpec, options: StreamOptions, context: Mapping[str, Any], log: logging.Logger
    ) -> None:
        self._spec, self._options, self._context, self._log = spec, options, context, log
        self._task = _task(context)
        self.stream = spec.stream(options.topic, self._task["dag"], self._task["task"])
        self.stop = Stop()
        self.report = Report(self.stream.name)
        self.bootstrap = ""
        self.earlier = Delivered()
        self._database: Database | None = None
        self._close_log: Callable[[], None] = _nothing

    def find_stream(self) -> None:
        """Let the connection name the stream, where the arguments alone don't; it is not connected yet.

        A faulty connection is left to `deliver`, which reports it beside the other faults.
        """
        if not isinstance(self._spec, NamedByServer):
            return
        with contextlib.suppress(LegacyEventsError):
            self._database = self._make_database()
            self._spec = self._spec.behind(self._database)
        self.stream = self._spec.stream(self._options.topic, self._task["dag"], self._task["task"])
        self.report = Report(self.stream.name)

    def deliver(self, mode: RunMode, record: TaskRecord) -> Report:
        """Build the parts, run the relay, and close what was opened.

        Args:
            mode: live, or the window that is sent again.
            record: what the task keeps of the run.

        Raises:
            LegacyEventsError: the run failed; see `Relay.run`.
        """
        if mode.snapshot and isinstance(self._spec, ReadsAnew):
            self._spec = self._spec.reading_anew(mode.snapshot, self._task["run"])
        repeat = self._repeat(mode)
        with contextlib.ExitStack() as opened:
            parts = self._parts(opened, mode, repeat)
            relay = self._relay(parts, repeat, record)
            self.report = relay.report
            try:
                relay.run()
            except BaseException:
                record.failed(self.report)
                raise
        record.end(self.report.watermark_to, None if repeat is not None else parts.store.succeeded(self.stream.name))
        return self.report

    def interrupt(self) -> None:
        """Cancel a statement that still runs at the source, and the wait for its log."""
        self._close_log()
        if self._database is not None:
            self._database.close()

    def _relay(self, parts: Parts, repeat: Repeat | None, record: TaskRecord) -> Relay:
        return Relay(
            stream=self.stream,
            source=parts.source,
            envelope=parts.envelope,
            delivery=self._delivery(parts, repeat, record),
            lock=lambda: self._lock(parts.database, repeat),
            facts=self._facts(parts.broker),
            remedies=self._spec.remedies,
            limits=parts.limits,
            repeat=repeat,
            completeness=self._options.completeness,
            max_horizon_age=self._options.max_horizon_age,
            stop=self.stop,
            log=self._log,
        )

    def _delivery(self, parts: Parts, repeat: Repeat | None, record: TaskRecord) -> MakeDelivery:
        store, observers = parts.store, self._observers(parts, record)
        if repeat is not None:
            store, observers = progress_store(parts.store, self._context, record.kept), ()
        return partial(
            AtLeastOnce,
            stream=self.stream.name,
            broker=parts.broker,
            store=store,
            observers=observers,
            dead_letter_topic=self._options.dead_letter_topic,
            log=self._log,
        )

    def _observers(self, parts: Parts, record: TaskRecord) -> tuple[Observer, ...]:
        name, store, options = self.stream.name, parts.store, self._options
        dag, task = self._task["dag"], self._task["task"]
        registration = StreamRegistration(name, store, name=store.name, dag=dag, task=task)
        if self._task["map_index"] >= 0 or not options.fixed_names:
            return registration, record
        new = Beginner(name, options.topic, dag, task)
        rule = NewStream(new, self._spec, parts.source, store, options.on_new_stream, self._log)
        return registration, rule, record

    def _repeat(self, mode: RunMode) -> Repeat | None:
        if mode.what is None:
            return None
        self.stream = self.stream._replace(topic=self._options.repeat_topic(mode.topic))
        beside_live = self.stream.topic == self._options.topic
        repeat = Repeat(mode.mode, mode.what, f"{self.stream.name}#{self._task['run']}", beside_live)
        self.report.mode, self.report.window = repeat.mode, repeat.window
        self._log.info("%s: %s, to topic %s", self.stream.name, repeat.shown, self.stream.topic)
        return repeat

    def _limits(self, mode: RunMode) -> Limits:
        options = self._options
        return options.live_limits() if mode.what is None else options.repeat_limits(mode.rows_per_second)

    def _parts(self, opened: contextlib.ExitStack, mode: RunMode, repeat: Repeat | None) -> Parts:
        """Build all parts first, then report every failure in one error."""
        problems, parts = Problems(), dict[str, Any]()
        for name, part in self._makers(opened, mode).items():
            with problems.collect():
                parts[name] = part()
        if {"limits", "spec", "database"} <= parts.keys():
            parts["source"] = parts["spec"].source(
                parts["database"], stream=self.stream, limits=parts["limits"], log=self._log
            )
            self._close_log = getattr(parts["source"], "close", self._close_log)
            opened.callback(self._close_log)
            if problems.found:
                with problems.collect():
                    parts["source"].check(None if repeat is None else repeat.what)
        problems.raise_found()
        return Parts(**{name: parts[name] for name in Parts._fields})

    def _makers(self, opened: contextlib.ExitStack, mode: RunMode) -> dict[str, Callable[[], Any]]:
        """Return what makes each part, by its name; `stream` and `spec` only check theirs."""
        return {
            "limits": lambda: self._limits(mode),
            "envelope": lambda: self._spec.envelope(self._options.envelope),
            "store": lambda: open_store(self._options.watermark_store, context=self._context),
            "stream": self._shape_messages,
            "spec": self._spec.resolved,
            "database": lambda: self._open_database(opened),
            "broker": lambda: self._open_broker(opened),
        }

    def _shape_messages(self) -> None:
        self.stream = messages.applied(self.stream, self._options)

    def _open_database(self, opened: contextlib.ExitStack) -> Database:
        if self._database is None:
            self._database = self._make_database()
        opened.callback(self._database.close)
        return self._database

    def _make_database(self) -> Database:
        return LegacyDatabaseHook(self._spec.conn_id).get_database(
            statement_timeout=self._spec.statement_timeout,
            log=self._log,
            max_row_bytes=self._spec.max_row_bytes,
            row_security=self._spec.row_security,
        )

    def _open_broker(self, opened: contextlib.ExitStack) -> BrokerClient:
        options, keyless = self._options, self._spec.without_key
        if keyless:
            check_topic_config(options.topic_config)
        broker = EventBrokerHook(options.broker_conn_id).get_broker(
            topics=[*self._spec.fixed_topics(self.stream.topic), *options.topics],
            topic_partitions=options.topic_partitions,
            topic_config=options.topic_config,
            delivery_timeout=options.delivery_timeout,
            stop=self.stop,
            log=self._log,
        )
        opened.callback(broker.close)
        broker.open()
        self.bootstrap = broker.bootstrap
        if keyless:
            check_topics(broker, (self.stream.topic, options.dead_letter_topic))
        return broker

    def _facts(self, broker: BrokerClient) -> dict[str, Any]:
        return {
            "topic": self.stream.topic,
            topic_identity.FACT: broker.topic_id(self.stream.topic),
            "cluster": broker.cluster_id,
            **{part: self._task[part] for part in ("dag", "task", "run")},
            **({"map_index": self._task["map_index"]} if self._task["map_index"] >= 0 else {}),
        }

    def _lock(self, database: Database, repeat: Repeat | None) -> AbstractContextManager[Lease]:
        name, table = self.stream.name, None
        if repeat is None:
            table = self._spec.lock_of(database)
        else:
            name = repeat.progress

        def take() -> AbstractContextManager[Lease]:
            return database.lock(name, self._task, table=table)

        return take() if self._options.on_busy != "wait" else wait_for_lock(take, self.stop, self._log)


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
