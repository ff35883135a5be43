"""Runs that apply a topic to tables of a database."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Repeat, RunMode, Stream, Watermark
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports import BrokerClient, Database, Delivery, Lease, Observer, Reader, Source
from airflow_legacy_events.core.ports.target import Target
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.core.sink.delivery import AppliedDelivery
from airflow_legacy_events.core.sink.letters import BrokerLetters
from airflow_legacy_events.core.sink.tables import KnownTables
from airflow_legacy_events.core.switches import quick_switches
from airflow_legacy_events.envelopes.decoding.decoding import Decoding
from airflow_legacy_events.hooks.broker import EventBrokerHook
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.hooks.registry import DECODERS, resolve
from airflow_legacy_events.streams.new_stream import Beginner, NewStream
from airflow_legacy_events.streams.options import RunOptions
from airflow_legacy_events.streams.run import Parts, StreamRun, TaskRecord
from airflow_legacy_events.streams.sink_observers import GroupOffsets, Resumed
from airflow_legacy_events.streams.sink_replay import refuse_plain_replay, refuse_repeats
from airflow_legacy_events.streams.sink_source import SinkSource
from airflow_legacy_events.streams.specs.topic import TopicSpec
from airflow_legacy_events.streams.specs.topic_watermark import BROKER, PARTITIONS
from airflow_legacy_events.streams.stores import engine_of, open_store
from airflow_legacy_events.watermarks.in_target import TargetPositions
from airflow_legacy_events.watermarks.registration import StreamRegistration
from airflow_legacy_events.watermarks.table import TABLE


class TableRun(StreamRun[TopicSpec, RunOptions]):
    """One try of a task that applies a topic; the positions lie in the target, beside the rows."""

    checks: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "limits": "budgets",
            "spec": "arguments",
            "database": "connection",
            "store": "position table",
            "envelope": "tables",
            "reader": "broker",
            "broker": "dead letters",
            "positions": "writing positions",
        }
    )
    of_source: ClassVar[frozenset[str]] = frozenset({"limits", "spec", "reader"})
    compiles: ClassVar[str] = "tables"

    _target: Target | None = None
    _applied: AppliedDelivery | None = None
    _shapes: Mapping[str, TargetShape | None] = MappingProxyType({})
    _beside_live = False

    def __init__(
        self,
        spec: TopicSpec,
        options: RunOptions,
        context: Mapping[str, Any],
        log: logging.Logger,
        *,
        looks_only: bool = False,
    ) -> None:
        super().__init__(spec, options, context, log, looks_only=looks_only)
        self.report.tables = {}

    def makers(self, opened: contextlib.ExitStack, mode: RunMode) -> dict[str, Callable[[], Any]]:
        """See `StreamRun.makers`; `envelope` is the decoding step, behind which the tables were looked up."""
        return {
            "limits": lambda: self._limits(mode),
            "spec": self._spec.resolved,
            "database": lambda: self._open_database(opened),
            "store": lambda: open_store(f"table:{self._spec.conn_id}"),
            "envelope": lambda: self._open_tables(opened),
            "reader": lambda: self._open_reader(opened),
            "broker": lambda: self._open_broker(opened),
            **({"positions": self._try_positions} if self._looks_only else {}),
        }

    def source(self, parts: Parts) -> Source:
        """See `StreamRun.source`; where the tables are at fault, it is made for its own checks."""
        spec: TopicSpec = parts["spec"]
        decoding: Decoding | None = parts.get("envelope")
        return SinkSource(
            reader=parts["reader"],
            topics=spec.topics,
            stream=self.stream.name,
            partitions=spec.partitions,
            first_run=spec.first_run,
            on_gap=spec.on_gap,
            limits=parts["limits"],
            truncates=None if decoding is None else decoding.truncates,
            met=lambda: {} if self._applied is None else self._applied.met,
            decoding=decoding,
            log=self._log,
        )

    def topics(self) -> tuple[str, ...]:
        """See `StreamRun.topics`: those of dead letters."""
        return self.options.topics

    def deliver(self, mode: RunMode, record: TaskRecord) -> Report:
        """See `StreamRun.deliver`; one thread decodes while another applies."""
        with quick_switches():
            return super().deliver(mode, record)

    def interrupt(self) -> None:
        """See `StreamRun.interrupt`; a transaction that is open is rolled back."""
        super().interrupt()
        if self._target is not None:
            self._target.close()

    def _make_stream(self) -> Stream:
        return self._spec.stream("", self._task["dag"], self._task["task"])

    def _repeat(self, mode: RunMode) -> Repeat | None:
        if mode.what is None:
            return None
        refuse_plain_replay(self._spec, self.stream.name, mode)
        self._beside_live = self._spec.replay_table is None
        self._spec = self._spec.replaying()
        repeat = Repeat(mode.mode, mode.what, f"{self.stream.name}#{self._task['run']}")
        self._log.info("%s: %s, into table %s", self.stream.name, repeat.shown, self._spec.table)
        return repeat

    def _relay(self, parts: Parts, repeat: Repeat | None, record: TaskRecord) -> Relay:
        relay = Relay(
            stream=self.stream,
            source=parts["source"],
            envelope=parts["envelope"],
            delivery=lambda name, _, lease: self._delivery(parts, name, lease, repeat, record),
            lock=lambda: self._lock(parts, repeat),
            facts=self._facts(parts),
            remedies=self._spec.remedies,
            limits=parts["limits"],
            repeat=repeat,
            stop=self.stop,
            log=self._log,
        )
        relay.report.tables = {}
        return relay

    def _delivery(self, parts: Parts, name: str, lease: Lease, repeat: Repeat | None, record: TaskRecord) -> Delivery:
        target, decoding, broker = self._target, parts["envelope"], parts["broker"]
        assert target is not None, "the tables were looked up without a target"  # noqa: S101
        letters = None if broker is None else BrokerLetters(broker, self.options.topics[0], self.stream.name)
        known = None
        if repeat is None:
            known = KnownTables(target, name, self._shapes, emptied=self._spec.mode == "upsert")
        self._applied = AppliedDelivery(
            name,
            lease,
            target=target,
            positions=TargetPositions(engine_of(self._spec.conn_id), self._spec.conn_id),
            dead_letters=letters,
            known=known,
            observers=(Resumed(decoding), *(() if repeat is not None else self._observers(parts, record))),
            log=self._log,
        )
        return self._applied

    def _observers(self, parts: Parts, record: TaskRecord) -> tuple[Observer, ...]:
        name, store, options = self.stream.name, parts["store"], self.options
        dag, task = self._task["dag"], self._task["task"]
        registration = StreamRegistration(name, store, name=store.name, dag=dag, task=task)
        offsets = GroupOffsets(parts["reader"], name)
        if self._task["map_index"] >= 0 or not options.fixed_names:
            return registration, record, offsets
        new = Beginner(name, self.stream.topic, dag, task)
        rule = NewStream(new, self._spec, parts["source"], store, options.on_new_stream, self._log, verb="apply")
        return registration, rule, record, offsets

    def _open_database(self, opened: contextlib.ExitStack) -> Database:
        database = LegacyDatabaseHook(self._spec.conn_id).get_database(
            statement_timeout=self._spec.statement_timeout, log=self._log
        )
        opened.callback(database.close)
        return database

    def _open_tables(self, opened: contextlib.ExitStack) -> Decoding:
        """Return the decoding step, after looking up the tables that are known before any message."""
        spec = self._spec
        target = LegacyDatabaseHook(spec.conn_id).get_target(statement_timeout=spec.statement_timeout, log=self._log)
        opened.callback(target.close)
        self._target = target
        decoder = resolve(DECODERS[spec.envelope])() if isinstance(spec.envelope, str) else spec.envelope
        decoding = Decoding(decoder, target, spec.decoding(), log=self._log)
        shapes = decoding.open()
        self._shapes = {name: shapes.get(name) for name in decoding.tables}
        if self._beside_live:
            refuse_repeats(spec, shapes)
        return decoding

    def _try_positions(self) -> None:
        """Write a position and roll it back, to see whether a run may; the first run makes a table that is missing."""
        engine, stream = engine_of(self._spec.conn_id), self.stream.name
        if self._target is None or not self._shapes or not sa.inspect(engine).has_table(TABLE):
            return
        positions = TargetPositions(engine, self._spec.conn_id)
        stored = positions.load(stream)
        with self._target.transaction() as unit:
            positions.save(unit, stream, Watermark(None, None, {"tried": True}), expected=stored)
            unit.roll_back()

    def _open_reader(self, opened: contextlib.ExitStack) -> Reader:
        reader = EventBrokerHook(self._spec.broker_conn_id).get_reader(log=self._log)
        opened.callback(reader.close)
        self.bootstrap = reader.bootstrap
        return reader

    def _open_broker(self, opened: contextlib.ExitStack) -> BrokerClient | None:
        """Connect for dead letters, whose topic must exist; None without one."""
        if not self.options.topics:
            return None
        broker = EventBrokerHook(self._spec.broker_conn_id).get_broker(
            topics=(),
            delivery_timeout=self.options.delivery_timeout,
            stop=self.stop,
            log=self._log,
        )
        opened.callback(broker.close)
        broker.open()
        if not self._looks_only:
            for topic in self.options.topics:
                _require(broker, topic)
        return broker

    def _facts(self, parts: Parts) -> dict[str, Any]:
        partitions = self._spec.partitions
        return {
            "kind": self._spec.kind,
            "source": self._spec.conn_id,
            "server": parts["database"].identity(),
            "cluster": parts["reader"].cluster_id(),
            BROKER: self._spec.broker_conn_id,
            PARTITIONS: None if partitions is None else list(partitions),
            **self.facts(),
        }

    def _lock_database(self, parts: Parts) -> Database:
        database: Database = parts["database"]
        return database


def _require(broker: BrokerClient, topic: str) -> None:
    """Check that dead letters can be sent to a topic."""
    if not broker.partitions(topic):
        raise ConfigurationError(
            f"create dead_letter_topic={topic!r}, or correct its name: the cluster shows this user no such topic;"
            " nothing was read"
        )
    broker.require([topic])
