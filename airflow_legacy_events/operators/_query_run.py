"""One run of a query operator: its rendered arguments made into parts, and the relay between them."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_legacy_events.core.delivery import AtLeastOnce, MakeDelivery
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.locking import patiently
from airflow_legacy_events.core.model import Repeat
from airflow_legacy_events.core.ports import BrokerClient, Database, Lease, Observer, WatermarkStore
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.hooks import arguments as _arguments
from airflow_legacy_events.hooks import naming as _naming
from airflow_legacy_events.hooks.broker import EventBrokerHook
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.hooks.registry import make_envelope
from airflow_legacy_events.operators import _messages
from airflow_legacy_events.operators._mode import Case, decide
from airflow_legacy_events.operators._window_record import WindowRecord
from airflow_legacy_events.sources.query import QuerySource
from airflow_legacy_events.streams.stores import open_store, progress_store
from airflow_legacy_events.watermarks.registration import StreamRegistration

if TYPE_CHECKING:
    from airflow_legacy_events.operators.query import IncrementalQueryOperator

_log = logging.getLogger("airflow_legacy_events.operators.query")


class QueryRun:
    """What lives as long as one try of a task.

    Attributes:
        stream: that is moved.
        stop: ends the run early.
        report: true at any time, also after a failure.
        bootstrap: of the broker, once it is open.
        before: rows and events of the tries before this one, once it has ended well.
    """

    def __init__(self, asked: IncrementalQueryOperator, context: Mapping[str, Any]) -> None:
        self._asked = asked
        self._context = context
        self._task = _identity(context)
        self.stream = _naming.make_stream(
            conn_id=asked.source_conn_id,
            table=asked.table,
            topic=asked.topic,
            dag_id=self._task["dag"],
            task_id=self._task["task"],
            name=asked.stream,
            source_timezone=asked.source_timezone,
        )
        self.stop = Stop()
        self.report = Report(self.stream.name)
        self.bootstrap = ""
        self.before = (0, 0)
        self._database: Database | None = None
        self._left_behind: Callable[[], str | None] = lambda: None

    def deliver(self) -> Report:
        """Build the parts, run the relay, and close what was opened."""
        record = self._make_record()
        case = decide(self._context, time_column=self._asked.time_column, done=record.done())
        repeat = self._make_repeat(case)
        with contextlib.ExitStack() as opened:
            parts = self._parts(opened, case, repeat, record)
            relay = self._make_relay(parts, repeat)
            self.report = relay.report
            try:
                relay.run()
            except BaseException:
                record.failed(self.report)
                raise
        record.end(self.report.watermark_to, self._left_behind())
        self.before = (record.rows, record.events)
        return self.report

    def _make_relay(self, parts: Mapping[str, Any], repeat: Repeat | None) -> Relay:
        return Relay(
            stream=self.stream,
            source=parts["source"],
            envelope=parts["envelope"],
            delivery=self._delivery(parts),
            lock=lambda: self._lock(parts["database"], self.stream.name if repeat is None else repeat.progress),
            facts=self._facts(parts["broker"]),
            limits=parts["limits"],
            repeat=repeat,
            stop=self.stop,
            log=_log,
        )

    def _delivery(self, parts: Mapping[str, Any]) -> MakeDelivery:
        store, observers = parts["store"]
        return partial(
            AtLeastOnce,
            stream=self.stream.name,
            broker=parts["broker"],
            store=store,
            observers=observers,
            dead_letter_topic=self._asked.dead_letter_topic,
            log=_log,
        )

    def _make_record(self) -> WindowRecord:
        asked = self._asked
        return WindowRecord(
            self._context,
            stream=self.stream.name,
            repeats=asked.on_clear == "repeat",
            columns=_arguments.names("watermark_columns", asked.watermark_columns),
            first_run=asked.first_run,
        )

    def _make_repeat(self, case: Case) -> Repeat | None:
        if case.what is None:
            return None
        self.stream = self.stream._replace(topic=case.topic or self._asked.replay_topic or self.stream.topic)
        repeat = Repeat(case.mode, case.what, f"{self.stream.name}#{self._task['run']}")
        self.report.mode, self.report.window = repeat.mode, repeat.window
        return repeat

    def _limits(self, case: Case) -> Limits:
        asked = self._asked
        if case.what is None:
            return _arguments.limits(asked.batch_rows, asked.max_rows, asked.max_seconds, asked.rows_per_second)
        # No later run goes on with the rest of a window, so nothing but its rate is limited.
        return _arguments.limits(asked.batch_rows, None, None, case.rows_per_second or asked.rows_per_second)

    def _make_store(self, repeat: Repeat | None, record: WindowRecord) -> tuple[WatermarkStore, Sequence[Observer]]:
        store = open_store(self._asked.watermark_store, context=self._context)
        if repeat is not None:
            return progress_store(store, self._context, record.kept), ()
        stream, dag, task = self.stream.name, self._task["dag"], self._task["task"]
        self._left_behind = lambda: store.succeeded(stream)
        return store, (StreamRegistration(stream, store, name=store.name, dag=dag, task=task), record)

    def _parts(
        self, opened: contextlib.ExitStack, case: Case, repeat: Repeat | None, record: WindowRecord
    ) -> dict[str, Any]:
        """Make every part before one that can't be made is told, so that all that is wrong is told at once."""
        asked, problems, parts = self._asked, Problems(), dict[str, Any]()
        make: dict[str, Callable[[], Any]] = {
            "limits": lambda: self._limits(case),
            "envelope": lambda: make_envelope(asked.envelope),
            "store": lambda: self._make_store(repeat, record),
            "stream": self._shape_messages,
            "arguments": self._source_arguments,
            "database": lambda: self._open_database(opened),
            "broker": lambda: self._open_broker(opened),
        }
        for name, part in make.items():
            with problems.noted():
                parts[name] = part()
        if {"limits", "arguments", "database"} <= parts.keys():
            parts["source"] = QuerySource(
                **parts["arguments"], database=parts["database"], limits=parts["limits"], log=_log
            )
            if problems.found:
                with problems.noted():
                    parts["source"].check(None if repeat is None else repeat.what)
        problems.settle()
        return parts

    def _shape_messages(self) -> None:
        self.stream = _messages.applied(self.stream, self._asked)

    def interrupt(self) -> None:
        """End a statement that still runs at the source."""
        if self._database is not None:
            self._database.close()

    def _open_database(self, opened: contextlib.ExitStack) -> Database:
        hook = LegacyDatabaseHook(self._asked.source_conn_id)
        self._database = hook.get_database(statement_timeout=self._asked.statement_timeout, log=_log)
        opened.callback(self._database.close)
        return self._database

    def _open_broker(self, opened: contextlib.ExitStack) -> BrokerClient:
        asked = self._asked
        dead_letters = [] if asked.dead_letter_topic is None else [asked.dead_letter_topic]
        broker = EventBrokerHook(asked.broker_conn_id).get_broker(
            topics=[self.stream.topic, *dead_letters],
            topic_partitions=asked.topic_partitions,
            topic_config=asked.topic_config,
            delivery_timeout=asked.delivery_timeout,
            stop=self.stop,
            log=_log,
        )
        opened.callback(broker.close)
        broker.open()
        self.bootstrap = broker.bootstrap
        return broker

    def _source_arguments(self) -> dict[str, Any]:
        asked = self._asked
        optional = {"key_columns": asked.key_columns, "columns": asked.columns}
        return {
            "stream": self.stream.name,
            "source": asked.source_conn_id,
            "table": asked.table,
            "sql": asked.sql,
            "sql_as_written": asked.sql_as_written,
            "watermark_columns": _arguments.names("watermark_columns", asked.watermark_columns),
            **{name: None if value is None else _arguments.names(name, value) for name, value in optional.items()},
            "message_columns": _messages.columns(self.stream),
            "exclude_columns": _arguments.names("exclude_columns", asked.exclude_columns or ()),
            "first_run": asked.first_run,
            "lag": asked.lag,
            "source_timezone": asked.source_timezone,
            "null_watermark": asked.null_watermark,
            "on_query_change": asked.on_query_change,
            "on_schema_change": asked.on_schema_change,
        }

    def _facts(self, broker: BrokerClient) -> dict[str, Any]:
        return {
            "topic": self.stream.topic,
            "cluster": broker.cluster_id,
            **{part: self._task[part] for part in ("dag", "task", "run")},
        }

    def _lock(self, database: Database, name: str) -> AbstractContextManager[Lease]:
        if self._asked.on_busy != "wait":
            return database.lock(name, self._task)
        return patiently(lambda: database.lock(name, self._task), self.stop, _log)


def _identity(context: Mapping[str, Any]) -> dict[str, Any]:
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
