"""A topic through relay and delivery into a table without a key: whatever dies, each message is in it once."""

from __future__ import annotations

import contextlib
from collections import Counter
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.brokers.memory import Kept, MemoryBroker, MemoryReader
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.model.changes import UPSERT, Changes, TableChanges
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.sink.delivery import AppliedDelivery
from airflow_legacy_events.sources.topic.positions import places_of
from airflow_legacy_events.sources.topic.source import TopicSource
from tests.support.fake_target import FakePositions, FakeTarget, shape

TABLE = shape("topic", "partition", "offset", key=())
LEASE = SimpleNamespace(check=lambda: None)
TOPICS = ["a", "b"]
ENDS = [None, None, None, "lost", "unknown", "cut", "before", "after"]


class DiedError(LegacyEventsError):
    """Stands for a kill: the delivery neither catches it nor saves anything behind it."""


class Append:
    """Makes each message a row."""

    def compile(self, shape, stream):
        def decode(batch):
            received = batch.rows
            found = TableChanges(TABLE)
            for at in range(len(received)):
                found.ops.append(UPSERT)
                found.rows.append((received.topics[at], received.partitions[at], received.offsets[at]))
                found.places.append(at)
            return Changes(received, {"t": found})

        return decode


class Plan:
    """How the commits of a run end; also an observer, which dies behind a commit."""

    def __init__(self, ends):
        self.ends, self.dies = iter(ends), False

    def __call__(self):
        end = next(self.ends, None)
        if end == "before":
            raise DiedError
        self.dies = end == "after"
        return None if self.dies else end

    def saved(self, new):
        if self.dies:
            raise DiedError

    def loaded(self, at):
        """Nothing to do."""

    def saving(self, new, delivered):
        """Nothing to do."""


writes = st.lists(
    st.tuples(st.sampled_from(TOPICS), st.integers(0, 1), st.sampled_from(["write", "gap"]), st.integers(1, 4)),
    max_size=4,
)
turns = st.tuples(writes, st.integers(1, 4), st.none() | st.integers(1, 5), st.lists(st.sampled_from(ENDS), max_size=8))


@given(first_run=st.sampled_from(["all", "now"]), turns=st.lists(turns, min_size=1, max_size=5))
def test_each_message_below_the_positions_is_a_row_once_and_no_other_one_is(first_run, turns):
    broker, target = MemoryBroker(topics=TOPICS, partitions=dict.fromkeys(TOPICS, 2)), FakeTarget()
    begins = dict.fromkeys(((topic, number) for topic in TOPICS for number in range(2)), 0)
    for some, batch_rows, max_rows, ends in [*turns, ((), 3, None, ())]:
        for topic, number, what, count in some:
            broker.log(topic, number).append(*[Kept("k", "v", (), 0) if what == "write" else None] * count)
        if first_run == "now" and "s" not in target.marks:
            begins = {one: broker.log(*one).end for one in begins}
        target.end = plan = Plan(ends)
        with contextlib.suppress(LegacyEventsError):
            relay(broker, target, plan, first_run, Limits(batch_rows=batch_rows, max_rows=max_rows)).run()
        assert rows(target) == expected(broker, target, begins)
    assert all(broker.log(*one).end == place.at.offset for one, place in positions(target).items())


def relay(broker, target, plan, first_run, limits):
    reader = MemoryReader(broker)
    source = TopicSource(
        reader=reader, topics=TOPICS, stream="s", first_run=first_run, limits=limits, clock=lambda: 1.0
    )

    def delivery(name, _, lease):
        return AppliedDelivery(name, lease, target=target, positions=FakePositions(target), observers=[plan])

    return Relay(
        stream=Stream("s", "a+b", "", ""),
        source=source,
        envelope=Append(),
        delivery=delivery,
        lock=lambda: contextlib.nullcontext(LEASE),
        limits=limits,
    )


def rows(target):
    return Counter(target.tables.get("t", {}).values())


def positions(target):
    mark = target.marks.get("s")
    return places_of("s", (mark and mark.values) or ())


def expected(broker, target, begins):
    at = positions(target)
    return Counter(
        (*one, offset)
        for one, begin in begins.items()
        if one in at
        for offset in range(begin, at[one].at.offset)
        if broker.log(*one).records[offset] is not None
    )
