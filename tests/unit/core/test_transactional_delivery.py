"""A delivery that keeps events and watermark in one transaction fits behind the relay's seam: no step of it loses or
repeats anything, a first run's included. The transactions are fakes; what a broker really does is not shown here.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Batch, Delivered, Messages, Watermark
from airflow_legacy_events.core.ports import Delivery, Observer
from tests.support.crashes import STREAM, Crash, Process, World, numbered
from tests.support.fakes import Entry, Outbox, OutboxSource

ENTRIES = [Entry(number, f"k{number % 3}", f"body {number}") for number in range(1, 15)]


class Transactions:
    """Messages and the watermark of one producer; a commit is the only moment at which others see them."""

    def __init__(self, process: Process) -> None:
        self._process, self._world = process, process.world
        self._messages: list[tuple[str, str]] = []
        self._mark: tuple[Watermark, Watermark | None] | None = None

    def fence(self) -> None:
        """What another producer of the name left open is aborted."""
        self._process.step("fence", lambda: None)

    def begin(self) -> None:
        self._process.step("begin", self._clear)

    def publish(self, messages: Messages) -> None:
        pairs = list(zip(messages.keys, messages.values, strict=True))
        self._process.step("publish", lambda: self._stage(pairs), lambda: self._stage(pairs[:1]))

    def load(self, stream: str) -> Watermark | None:
        return self._process.step("load", lambda: self._world.store.load(stream))

    def save(self, new: Watermark, *, expected: Watermark | None) -> None:
        self._process.step("save", lambda: self._hold(new, expected))

    def commit(self) -> None:
        """A crash inside is a commit whose answer was lost."""
        self._process.step("commit", self._commit, self._commit)

    def abort(self) -> None:
        self._process.step("abort", self._clear)

    def _clear(self) -> None:
        self._messages, self._mark = [], None

    def _stage(self, pairs: Sequence[Any]) -> None:
        self._messages += pairs

    def _hold(self, new: Watermark, expected: Watermark | None) -> None:
        self._mark = (new, expected)

    def _commit(self) -> None:
        assert self._mark is not None, "events without their watermark"
        new, expected = self._mark
        self._world.store.save(STREAM.name, new, expected=expected)
        self._world.saved.append(new)
        self._world.topic += self._messages
        self._clear()


class ExactlyOnce:
    """Each batch with its watermark in a transaction of its own; acknowledged once that is committed."""

    def __init__(self, name: str, source: Any, lease: Any, transactions: Transactions, observer: Observer) -> None:
        self._name, self._source, self._lease = name, source, lease
        self._transactions, self._observer = transactions, observer
        self._facts: dict[str, Any] = {}
        self._saved: Watermark | None = None
        self._open = self._acknowledged = False
        self.delivered = Delivered()

    @property
    def values(self) -> tuple[str, ...] | None:
        return None if self._saved is None else self._saved.values

    def load(self) -> Watermark | None:
        self._transactions.fence()
        self._saved = self._transactions.load(self._name)
        self._observer.loaded(self._saved)
        return self._saved

    def require(self, topics: Sequence[str]) -> None:
        raise NotImplementedError

    def begin(self, facts: Mapping[str, Any]) -> None:
        self._facts = dict(facts)
        if self._saved is None:
            self._commit(Watermark(None, None, self._facts), None, Delivered())

    def acknowledge(self, mark: Watermark) -> None:
        if mark.receipt is not None:
            self._lease.check()
            self._source.acknowledge(mark.receipt, self._lease)
            self._acknowledged = True

    def deliver(self, batch: Batch, messages: Messages | None) -> None:
        after = batch.after._replace(facts={**self._facts, **batch.after.facts})
        topics = {} if messages is None else {messages.topic: batch.count}
        self._commit(after, messages, Delivered(batch.count, batch.count, batches=1, topics=topics))
        self.acknowledge(after)

    def close(self) -> None:
        self._drop_receipt()

    def rescue(self) -> None:
        if self._open:
            self._transactions.abort()
        self._drop_receipt()

    def check(self) -> None:
        """Nothing is left behind."""

    def forget(self) -> None:
        raise NotImplementedError

    def _commit(self, new: Watermark, messages: Messages | None, more: Delivered) -> None:
        self._lease.check()
        self._open = True
        self._transactions.begin()
        if messages is not None:
            self._transactions.publish(messages)
        self._observer.saving(new, self.delivered.plus(more))
        self._transactions.save(new, expected=self._saved)
        self._transactions.commit()
        self._open, self._acknowledged = False, False
        self._saved, self.delivered = new, self.delivered.plus(more)
        self._observer.saved(new)

    def _drop_receipt(self) -> None:
        if self._acknowledged and self._saved is not None and self._saved.receipt is not None:
            self._commit(self._saved._replace(receipt=None), None, Delivered())


class Registration:
    """Registers a stream behind its first watermark; one that is registered without a watermark counts as lost."""

    def __init__(self, process: Process, registered: set[str]) -> None:
        self._process, self._registered = process, registered

    def loaded(self, at: Watermark | None) -> None:
        if at is None and STREAM.name in self._registered:
            raise WatermarkError("it is lost")

    def saving(self, new: Watermark, delivered: Delivered) -> None:
        assert delivered.events <= len(ENTRIES)

    def saved(self, new: Watermark) -> None:
        if STREAM.name not in self._registered:
            self._process.step("register", lambda: self._registered.add(STREAM.name))


class Transactional(Process):
    """A process whose relay delivers in transactions."""

    def __init__(self, world: World, table: Outbox, registered: set[str], crash: Crash | None = None) -> None:
        super().__init__(world, OutboxSource(table), crash, clock=itertools.count().__next__)
        self._registration = Registration(self, registered)

    def delivery(self, name: str, source: Any, lease: Any) -> Any:
        return ExactlyOnce(name, source, lease, Transactions(self), self._registration)


class Scene:
    """What outlives a process: the topic and the watermark, the table, the registrations."""

    def __init__(self) -> None:
        self.world, self.table, self.registered = World(), Outbox(), set[str]()
        self.table.commit(*ENTRIES)

    def process(self, crash: Crash | None = None) -> Transactional:
        return Transactional(self.world, self.table, self.registered, crash)


def steps(*, resumed: bool) -> list[tuple[str, int]]:
    scene = Scene()
    if resumed:
        scene.process(Crash("acknowledge", 2)).run()
    healthy = scene.process()
    assert healthy.run()
    return numbered(healthy.steps)


@pytest.mark.parametrize("sudden", [True, False], ids=["killed", "interrupted"])
@pytest.mark.parametrize("when", ["before", "inside", "after"])
@pytest.mark.parametrize("resumed", [False, True], ids=["first run", "resumed run"])
def test_nothing_is_lost_or_repeated_wherever_a_run_ends(resumed, when, sudden):
    for step, nth in steps(resumed=resumed):
        scene = Scene()
        if resumed:
            scene.process(Crash("acknowledge", 2)).run()
        assert not scene.process(Crash(step, nth, when, sudden)).run(), (step, nth)

        assert scene.process().run(), (step, nth)

        assert scene.world.ids == [entry.id for entry in ENTRIES], (step, nth)
        assert sorted(scene.table.acknowledged) == [entry.id for entry in ENTRIES]
        left = scene.world.store.load(STREAM.name)
        assert (left.values, left.receipt) == (("14",), None)


def test_a_run_goes_through_all_steps_in_their_order():
    scene = Scene()
    scene.table.delete(range(7, 15))
    healthy = scene.process()

    assert healthy.run()

    begun = ["check", "begin", "save", "commit"]
    batch = ["check", "begin", "publish", "save", "commit", "check", "acknowledge"]
    here = [step for step in healthy.steps if step not in ("read", "encode")]
    assert here == ["lock", "fence", "load", "open", *begun, "register", *batch, *batch, *begun, "finish"]
    assert healthy.relay.report.events == 6


def test_it_is_a_delivery():
    made: Delivery = Scene().process().delivery("s", None, None)
    assert made.delivered == Delivered()
