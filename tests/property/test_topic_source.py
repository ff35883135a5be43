"""Any topics, gaps, transactions, budgets and kills: each message once, in its order, and late partitions behind."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.brokers.memory import Kept, MemoryBroker, MemoryReader
from airflow_legacy_events.core.ports import Partition
from tests.support.topic_sources import Sink

TOPICS = ["a", "b[0]=1"]


class Op(NamedTuple):
    """What happens: to a log, or a run of the sink with its batch size, budget, and batches until it is killed."""

    what: str
    topic: int = 0
    partition: int = 0
    number: int = 1
    run: tuple[int, int | None, int | None] | None = None


writes = st.builds(
    Op,
    st.sampled_from(["write", "write", "write", "write", "gap", "begin", "commit", "abort", "grow", "trim"]),
    st.sampled_from([0, 0, 1]),
    st.integers(0, 3),
    st.integers(1, 5),
    st.none(),
)
runs = st.builds(
    Op,
    st.just("run"),
    st.just(0),
    st.just(0),
    st.just(0),
    st.tuples(st.integers(1, 4), st.none() | st.integers(1, 5), st.none() | st.integers(0, 4)),
)


def truncates(received):
    return [(at, one.decode()) for at, one in enumerate(received.values) if one.startswith(b"T")]


class Model:
    """The broker, the sink, and when each message was written and each partition found."""

    def __init__(self, first_run: str) -> None:
        self.partitions = {"a": 2, "b[0]=1": 1}
        self.broker = MemoryBroker(topics=TOPICS, partitions=self.partitions)
        arguments = {"first_run": first_run, "clock": lambda: 1.0, "on_gap": "skip", "truncates": truncates}
        self.sink = Sink(MemoryReader(self.broker), TOPICS, arguments)
        self.first_run = first_run
        self.written = 0
        self.found: dict[Partition, int] = {}
        self.begins: dict[Partition, int] = {}
        self.open: set[Partition] = set()
        self.turn = 0

    def do(self, op: Op) -> None:
        topic = TOPICS[op.topic]
        if op.run is not None:
            self.run(*op.run)
        elif op.what == "grow":
            self.partitions[topic] += 1
        elif op.what == "truncate":
            self.written += 1
            for number in range(self.partitions[topic]):
                self.broker.log(topic, number).append(Kept(None, f"T{self.written}", (), self.written))
        else:
            self.write(op.what, Partition(topic, op.partition % self.partitions[topic]), op.number)

    def write(self, what: str, one: Partition, number: int) -> None:
        log = self.broker.log(*one)
        if what == "write":
            self.written += number
            log.append(*(Kept("k", str(self.written - at), (), 0) for at in reversed(range(number))))
        elif what == "gap":
            log.append(*[None] * number)
        elif what == "trim":
            log.trim(max(log.start, min(log.end, log.start + number)))
        elif what == "begin" and one not in self.open:
            self.open.add(one)
            log.begin()
        elif what in ("commit", "abort") and one in self.open:
            self.open.discard(one)
            log.decide(commit=what == "commit")

    def run(self, batch_rows: int, max_rows: int | None, batches: int | None) -> None:
        unmarked = self.sink.mark is None or (self.first_run == "all" and self.sink.mark.values is None)
        if unmarked:
            self.found.clear()
        self.turn += 1
        for one in self.logs():
            if self.found.setdefault(one, self.turn) == self.turn and unmarked:
                self.begins[one] = self.broker.log(*one).end if self.first_run == "now" else 0
        self.sink.run(batch_rows=batch_rows, max_rows=max_rows, batches=batches)
        counts = [batch.count for batch in self.sink.batches if not truncates(batch.rows)]
        assert max_rows is None or sum(counts) <= max_rows
        assert all(one <= batch_rows for one in counts)

    def logs(self) -> list[Partition]:
        return [Partition(topic, number) for topic in TOPICS for number in self.broker.logs(topic)]

    def expected(self, *, deleted: bool) -> set[tuple[Any, ...]]:
        return {
            (*one, offset, kept.value.encode())
            for one in self.logs()
            for offset, kept in enumerate(self.broker.log(*one).records)
            if kept is not None
            and offset >= self.begins.get(one, 0)
            and (deleted or offset >= self.broker.log(*one).start)
        }


def read_the_rest(model: Model) -> list[tuple[str, int, int, bytes | None]]:
    for _ in range(3):
        model.run(3, None, None)
    got = model.sink.got
    assert len(got) == len(set(got))
    assert model.expected(deleted=False) <= set(got) <= model.expected(deleted=True)
    assert model.sink.batches == []
    assert model.sink.pending() == 0
    for one in model.logs():
        offsets = [offset for topic, number, offset, _ in got if (topic, number) == one]
        assert offsets == sorted(offsets)
    return got


@given(
    first_run=st.sampled_from(["all", "now"]),
    rounds=st.lists(st.tuples(st.lists(writes, min_size=1, max_size=6), runs), max_size=7),
)
def test_each_message_is_read_once_in_its_order_and_late_partitions_behind_the_older_ones(first_run, rounds):
    model = Model(first_run)
    for op in itertools.chain.from_iterable((*some, one) for some, one in rounds):
        model.do(op)
    for one in sorted(model.open):
        model.do(Op("commit", TOPICS.index(one.topic), one.number))
    got = read_the_rest(model)
    for at, (topic, number, _, value) in enumerate(got):
        found = model.found[Partition(topic, number)]
        for other, of, _, before in got[at:]:
            if other == topic and model.found[Partition(other, of)] < found:
                assert int(before) > int(value), "written to an older partition before, and read behind it"


changes = st.builds(
    Op,
    st.sampled_from(["write", "write", "gap", "truncate"]),
    st.sampled_from([0, 0, 1]),
    st.integers(0, 3),
    st.integers(1, 3),
    st.none(),
)


@given(
    first_run=st.sampled_from(["all", "now"]),
    rounds=st.lists(st.tuples(st.lists(changes, min_size=1, max_size=6), runs), max_size=7),
)
def test_a_truncate_lies_between_what_was_written_before_and_behind_it_on_every_partition(first_run, rounds):
    model = Model(first_run)
    for op in itertools.chain.from_iterable((*some, one) for some, one in rounds):
        model.do(op)
    got = read_the_rest(model)
    for topic in TOPICS:
        values = [value.decode() for name, _, _, value in got if name == topic]
        numbers = [int(one.removeprefix("T")) for one in values]
        for at, value in enumerate(values):
            if value.startswith("T"):
                assert all(one <= numbers[at] for one in numbers[:at])
                assert all(one >= numbers[at] for one in numbers[at:])
