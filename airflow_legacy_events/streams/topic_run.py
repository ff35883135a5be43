"""Runs that send rows of a database to topics of a broker."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

from airflow_legacy_events.core import topic_identity
from airflow_legacy_events.core.delivery import AtLeastOnce
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import Repeat, RunMode, Stream
from airflow_legacy_events.core.ports import BrokerClient, Database, MakeDelivery, Observer, Source
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.hooks.broker import EventBrokerHook
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.streams import messages
from airflow_legacy_events.streams.keyless import check_topic_config, check_topics
from airflow_legacy_events.streams.new_stream import Beginner, NewStream
from airflow_legacy_events.streams.options import StreamOptions
from airflow_legacy_events.streams.run import Parts, StreamRun, TaskRecord
from airflow_legacy_events.streams.specs.base import NamedByServer, ReadsAnew, SourceSpec
from airflow_legacy_events.streams.stores import open_store, progress_store
from airflow_legacy_events.watermarks.registration import StreamRegistration


class TopicRun(StreamRun[SourceSpec, StreamOptions]):
    """One try of a task that sends rows to topics."""

    checks: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "limits": "budgets",
            "envelope": "envelope",
            "store": "watermark store",
            "stream": "messages",
            "spec": "arguments",
            "database": "connection",
            "broker": "broker",
        }
    )
    of_source: ClassVar[frozenset[str]] = frozenset({"limits", "spec", "database"})

    def __init__(
        self,
        spec: SourceSpec,
        options: StreamOptions,
        context: Mapping[str, Any],
        log: logging.Logger,
        *,
        looks_only: bool = False,
    ) -> None:
        super().__init__(spec, options, context, log, looks_only=looks_only)
        self._database: Database | None = None

    def find_stream(self) -> None:
        """See `StreamRun.find_stream`; a faulty connection is left to `deliver`, which reports it beside the rest."""
        if not isinstance(self._spec, NamedByServer):
            return
        with contextlib.suppress(LegacyEventsError):
            self._database = self._make_database()
            self._spec = self._spec.behind(self._database)
        self.stream = self._make_stream()
        self.report = Report(self.stream.name)

    def deliver(self, mode: RunMode, record: TaskRecord) -> Report:
        """See `StreamRun.deliver`."""
        if mode.snapshot and isinstance(self._spec, ReadsAnew):
            self._spec = self._spec.reading_anew(mode.snapshot, self._task["run"])
        return super().deliver(mode, record)

    def interrupt(self) -> None:
        """See `StreamRun.interrupt`."""
        super().interrupt()
        if self._database is not None:
            self._database.close()

    def makers(self, opened: contextlib.ExitStack, mode: RunMode) -> dict[str, Callable[[], Any]]:
        """See `StreamRun.makers`; `stream` and `spec` only check theirs."""
        return {
            "limits": lambda: self._limits(mode),
            "envelope": lambda: self._spec.envelope(self.options.envelope),
            "store": lambda: open_store(self.options.watermark_store, context=self._context),
            "stream": self._shape_messages,
            "spec": self._spec.resolved,
            "database": lambda: self._open_database(opened),
            "broker": lambda: self._open_broker(opened),
        }

    def source(self, parts: Parts) -> Source:
        """See `StreamRun.source`."""
        spec: SourceSpec = parts["spec"]
        return spec.source(parts["database"], stream=self.stream, limits=parts["limits"], log=self._log)

    def topics(self) -> tuple[str, ...]:
        """See `StreamRun.topics`."""
        return (*self._spec.fixed_topics(self.stream.topic), *self.options.topics)

    def _make_stream(self) -> Stream:
        return self._spec.stream(self.options.topic, self._task["dag"], self._task["task"])

    def _relay(self, parts: Parts, repeat: Repeat | None, record: TaskRecord) -> Relay:
        return Relay(
            stream=self.stream,
            source=parts["source"],
            envelope=parts["envelope"],
            delivery=self._delivery(parts, repeat, record),
            lock=lambda: self._lock(parts, repeat),
            facts=self._facts(parts["broker"]),
            remedies=self._spec.remedies,
            limits=parts["limits"],
            repeat=repeat,
            completeness=self.options.completeness,
            max_horizon_age=self.options.max_horizon_age,
            stop=self.stop,
            log=self._log,
        )

    def _delivery(self, parts: Parts, repeat: Repeat | None, record: TaskRecord) -> MakeDelivery:
        store, observers = parts["store"], self._observers(parts, record)
        if repeat is not None:
            store, observers = progress_store(store, self._context, record.kept), ()
        return partial(
            AtLeastOnce,
            stream=self.stream.name,
            broker=parts["broker"],
            store=store,
            observers=observers,
            dead_letter_topic=self.options.dead_letter_topic,
            log=self._log,
        )

    def _observers(self, parts: Parts, record: TaskRecord) -> tuple[Observer, ...]:
        name, store, options = self.stream.name, parts["store"], self.options
        dag, task = self._task["dag"], self._task["task"]
        registration = StreamRegistration(name, store, name=store.name, dag=dag, task=task)
        if self._task["map_index"] >= 0 or not options.fixed_names:
            return registration, record
        new = Beginner(name, options.topic, dag, task)
        rule = NewStream(new, self._spec, parts["source"], store, options.on_new_stream, self._log)
        return registration, rule, record

    def _repeat(self, mode: RunMode) -> Repeat | None:
        if mode.what is None:
            return None
        self.stream = self.stream._replace(topic=self.options.repeat_topic(mode.topic))
        beside_live = self.stream.topic == self.options.topic
        repeat = Repeat(mode.mode, mode.what, f"{self.stream.name}#{self._task['run']}", beside_live)
        self._log.info("%s: %s, to topic %s", self.stream.name, repeat.shown, self.stream.topic)
        return repeat

    def _shape_messages(self) -> None:
        self.stream = messages.applied(self.stream, self.options)

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
        """Connect, and find or create the topics; for an examination without topics, since none may be made."""
        options, keyless = self.options, self._spec.without_key and not self._looks_only
        if keyless:
            check_topic_config(options.topic_config)
        broker = EventBrokerHook(options.broker_conn_id).get_broker(
            topics=() if self._looks_only else self.topics(),
            topic_partitions=None if self._looks_only else options.topic_partitions,
            topic_config=None if self._looks_only else options.topic_config,
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
            **self.facts(),
        }

    def _lock_database(self, parts: Parts) -> Database:
        database: Database = parts["database"]
        return database

    def _lock_table(self, parts: Parts) -> str | None:
        return self._spec.lock_of(parts["database"])
