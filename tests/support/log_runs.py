"""Runs over a change log in memory: what they send, and what a consumer makes of it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.columns import ABSENT, Shape
from airflow_legacy_events.core.model import Batch, Messages, Stream
from airflow_legacy_events.core.ports import LogOptions
from airflow_legacy_events.sources.changelog import ChangeLogSource
from tests.support.crashes import STREAM, Crash, Process, World
from tests.support.memory_log import MemoryDatabase
from tests.support.memory_server import Server
from tests.support.slots import LoggedDatabase


class Event(NamedTuple):
    """A message, as far as tests compare it."""

    key: str | None
    table: str
    op: str
    row: dict[str, str]
    place: tuple[int, int] | None
    snapshot: int


class Recorder:
    """An envelope that keeps of each event what the test compares."""

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        names = shape.named(shape.data)

        def encode(batch: Batch) -> Messages:
            keys: list[str | None] = []
            values = []
            for at, row in enumerate(batch.rows):
                op = batch.op if isinstance(batch.op, str) else batch.op[at]
                data = [row[place] for place in shape.data]
                held = {
                    name: None if one is None else str(one)
                    for name, one in zip(names, data, strict=True)
                    if one is not ABSENT
                }
                place = [str(row[one]) for one in shape.watermark] or None
                event = {"table": shape.table, "op": op, "row": held, "place": place, "snapshot": batch.counter}
                keys.append(json.dumps([str(row[one]) for one in shape.key]) if shape.key else None)
                values.append(json.dumps(event))
            return Messages("t", keys, values)

        return encode


class LogProcess(Process):
    """A process that reads the log."""

    finished = False

    def __init__(self, world: World, source: Any, crash: Crash | None, clock: Callable[[], float]) -> None:
        super().__init__(world, source, crash, clock)
        self.envelope = Recorder()

    def acknowledge(self, receipt: Any, lease: Any, *, again: bool = False) -> None:
        saved = self.world.store.load(STREAM.name)
        assert saved is not None
        assert saved.receipt == receipt, "acknowledged what no saved watermark says"
        self.step("acknowledge", lambda: self.inner.acknowledge(receipt, lease))

    def report(self) -> Any:
        return self.inner.report()


class SteppedBroker:
    """A broker whose publishing and confirming are steps of a process; a process that is gone leaves nothing behind."""

    def __init__(self, process: Process, broker: MemoryBroker) -> None:
        self._process, self._broker = process, broker
        broker.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        self._process.step("publish", lambda: self._broker.publish(messages, left_out))

    def confirm(self) -> Any:
        return self._process.step("confirm", self._broker.confirm)


@dataclass
class Rebuilt:
    """What a consumer makes of a topic: each table's rows by key, from events in order."""

    tables: dict[str, dict[str | None, dict[str, str]]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        table = self.tables.setdefault(event.table, {})
        if event.op == "t":
            table.clear()
        elif event.op == "d":
            table.pop(event.key, None)
        else:
            table[event.key] = event.row


def events_of(world: World, first: int = 0) -> list[Event]:
    """Return the events of a topic from one on."""
    found = []
    for key, value in world.topic[first:]:
        event = json.loads(value)
        place = None if event["place"] is None else (_number(event["place"][0]), int(event["place"][1]))
        found.append(Event(key, event["table"], event["op"], event["row"], place, event["snapshot"]))
    return found


def rows_of(world: World, server: Server, name: str) -> tuple[set[Any], set[Any]]:
    """Return the rows of a table as its topic rebuilds them, and as they are."""
    names = [one.name for one in server.tables[name].form.columns]
    found = {tuple(row.get(one) for one in names) for row in rebuilt(world, f"main.{name}").values()}
    texts = (tuple(None if one is None else str(one) for one in row) for row in server.rows(name).values())
    return found, set(texts)


def _number(place: str) -> int:
    """The number of an LSN, or the last one of a GTID."""
    high, slash, low = place.partition("/")
    return int(high, 16) << 32 | int(low, 16) if slash else int(re.split("[:-]", place)[-1])


def rebuilt(world: World, name: str) -> dict[str | None, dict[str, str]]:
    """Return the rows of a table by key, as its topic rebuilds them."""
    found = Rebuilt()
    for event in events_of(world):
        found.take(event)
    return found.tables.get(name, {})


def nobody() -> None:
    """Nobody writes."""


def source_of(
    server: Server, between: Callable[[], None] = nobody, clock: Callable[[], float] = float, **options: Any
) -> ChangeLogSource:
    """Return a source of all tables of a server."""
    options = {"tables": ["main.*"], "stream": STREAM._replace(topic="cdc.{schema}.{table}"), **options}
    return ChangeLogSource(
        database=MemoryDatabase(server, between),
        options=LogOptions(STREAM.name, "dag", messages=tuple(options.get("message_topics", ()))),
        source="legacy",
        clock=clock,
        wait=lambda _: server.apply(1),
        **options,
    )


def logged_source(logged: LoggedDatabase, **options: Any) -> ChangeLogSource:
    """Return a source of all tables of schema `public` of a PostgreSQL database."""
    before, messages = options.get("images") == "both", tuple(options.get("message_topics", ()))
    return ChangeLogSource(
        database=logged.legacy.database(60.0),
        options=LogOptions(STREAM.name, "dag", logged.name, logged.name, before=before, messages=messages),
        stream=STREAM._replace(topic="cdc.{schema}.{table}"),
        source="legacy",
        **{"tables": ["public.*"], **options},
    )


def run(
    world: World,
    source: ChangeLogSource,
    crash: Crash | None = None,
    clock: Callable[[], float] = float,
) -> tuple[list[Event], LogProcess]:
    """Run a process to its end; return what it sent."""
    first, process = len(world.topic), LogProcess(world, source, crash, clock)
    with closing(source.database), closing(source):
        try:
            process.finished = process.run()
        finally:
            ended()
    return events_of(world, first), process


def ended() -> None:
    """Wait until no thread reads for a process that is gone."""
    for thread in threading.enumerate():
        if thread.name == "legacy-events-read-ahead":
            thread.join()
