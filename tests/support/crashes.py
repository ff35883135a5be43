"""A relay between ports that die at a chosen step, and the world that outlives it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.delivery import AtLeastOnce
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Messages, Opened, Rejection, Span, Stream, Watermark, Window
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore

STREAM = Stream("crm.outbox@t", "t", "/crm/outbox", "crm.outbox.changed")


class Killed(BaseException):
    """The process ends here, or its thread is interrupted here."""


@dataclass
class World:
    """What is left when a process is gone."""

    topic: list[tuple[str, str]] = field(default_factory=list)
    store: MemoryWatermarkStore = field(default_factory=MemoryWatermarkStore)
    saved: list[Watermark] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        return [int(json.loads(value)["id"]) for _, value in self.topic]


@dataclass(frozen=True)
class Crash:
    """Where a process dies: before, inside or after the nth call of a step.

    `sudden`: like SIGKILL, nothing of it works afterwards. Otherwise an exception that clean-up code survives.
    """

    step: str
    nth: int
    when: str = "before"
    sudden: bool = True


class Process:
    """All ports of one relay, each call of which is a step that may be the last."""

    def __init__(
        self, world: World, source: Any, crash: Crash | None = None, clock: Callable[[], float] = float
    ) -> None:
        self.world, self.inner, self.crash = world, source, crash
        self.steps: list[str] = []
        self.dead = False
        self.unconfirmed: list[tuple[str, str]] = []
        self.broker: Any = self
        self.store: Any = _Store(self)
        self.dead_letter_topic: str | None = None
        self.envelope: Any = PlainEnvelope()
        self.relay = Relay(
            stream=STREAM,
            source=self,
            envelope=self,
            delivery=self.delivery,
            lock=self.lock,
            facts={"topic": "t"},
            limits=Limits(batch_rows=3),
            clock=clock,
        )

    def delivery(self, name: str, source: Any, lease: Any) -> AtLeastOnce:
        return AtLeastOnce(
            name,
            source,
            lease,
            stream=STREAM.name,
            broker=self.broker,
            store=self.store,
            dead_letter_topic=self.dead_letter_topic,
            clock=self.relay.clock,
        )

    def run(self) -> bool:
        """Return whether the process came to its end."""
        try:
            self.relay.run()
        except Killed:
            return False
        return True

    def step(self, name: str, whole: Callable[[], Any], half: Callable[[], Any] = lambda: None) -> Any:
        if self.dead:
            raise Killed(name)
        self.steps.append(name)
        crash = self.crash
        if crash is None or (crash.step, crash.nth) != (name, self.steps.count(name)):
            return whole()
        if crash.when != "before":
            (half if crash.when == "inside" else whole)()
        self.dead = crash.sudden
        raise Killed(name)

    @contextmanager
    def lock(self) -> Iterator[Any]:
        self.step("lock", lambda: None)
        yield self

    def check(self) -> None:
        self.step("check", lambda: None)

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Any:
        horizon, found = self.step("open", lambda: self.inner.open(at, window))
        return Opened(horizon, self._read(found))

    def _read(self, found: Iterator[Batch]) -> Iterator[Batch]:
        while (batch := self.step("read", lambda: next(found, None))) is not None:
            yield batch

    def without(self, batch: Batch, rows: AbstractSet[int]) -> Watermark | None:
        return self.inner.without(batch, rows)

    def overtaken(self, batch: Batch) -> Iterator[Batch]:
        found = self.inner.overtaken(batch)
        while (more := self.step("look", lambda: next(found, None))) is not None:
            yield more

    def finish(self, lease: Any, over: Any) -> Any:
        return self.step("finish", lambda: self.inner.finish(lease, over))

    def acknowledge(self, receipt: Any, lease: Any, *, again: bool = False) -> None:
        saved = self.world.store.load(STREAM.name)
        assert saved is not None
        assert saved.receipt == receipt, "acknowledged what no saved watermark says"
        half = receipt[: len(receipt) // 2] or ([receipt[0][0], receipt[0][0]],)
        self.step(
            "acknowledge", lambda: self.inner.acknowledge(receipt, lease), lambda: self.inner.acknowledge(half, lease)
        )

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        encode = self.envelope.compile(shape, stream)
        return lambda batch: self.step("encode", lambda: encode(batch))

    def require(self, topics: Sequence[str]) -> None:
        self.step("require", lambda: None)

    def compacted(self, topics: Sequence[str]) -> Sequence[str]:
        return []

    def topic_id(self, topic: str) -> str | None:
        return f"{topic}.0"  # as a broker in memory

    def partitions(self, topic: str) -> int:
        return 1

    def refused(self, messages: Messages) -> Sequence[Rejection]:
        return []

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        sent = list(zip(messages.keys, messages.values, strict=True))
        pairs = [pair for at, pair in enumerate(sent) if at not in left_out]
        self.step("publish", lambda: self._send(pairs), lambda: self._send(pairs[: len(pairs) // 2 + 1]))

    def _send(self, pairs: Sequence[Any]) -> None:
        self.world.topic += pairs
        self.unconfirmed += pairs

    def confirm(self) -> Sequence[Rejection]:
        return self.step("confirm", self._confirm) or []

    def _confirm(self) -> None:
        self.unconfirmed.clear()

    def remade(self) -> Sequence[str]:
        return []


class _Store:
    """The world's store, seen by one process."""

    def __init__(self, process: Process) -> None:
        self.process, self.world = process, process.world

    def load(self, stream: str) -> Watermark | None:
        return self.process.step("load", lambda: self.world.store.load(stream))

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        assert not self.process.unconfirmed, "saved before everything was confirmed"
        self.process.step("save", lambda: self._save(stream, new, expected))

    def forget(self, stream: str) -> None:
        self.process.step("forget", lambda: self.world.store.forget(stream))

    def _save(self, stream: str, new: Watermark, expected: Watermark | None) -> None:
        self.world.store.save(stream, new, expected=expected)
        self.world.saved.append(new)


def numbered(steps: Sequence[str]) -> list[tuple[str, int]]:
    """Return each step with how often one of its name has come, as `Crash` names it."""
    seen: Counter[str] = Counter()
    found = []
    for name in steps:
        seen[name] += 1
        found.append((name, seen[name]))
    return found
