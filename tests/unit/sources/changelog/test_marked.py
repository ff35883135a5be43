"""Snapshots that are marked, and rows that share a message."""

from __future__ import annotations

import dataclasses
import itertools
import json
from contextlib import closing

import pytest

from airflow_legacy_events.core.errors import EnvelopeError, SourceError
from airflow_legacy_events.core.limits import Limits
from tests.support.crashes import Crash
from tests.support.log_runs import LogProcess, Recorder, ended


@pytest.fixture
def full(shop):
    shop.server.create("empty", {"id": "INTEGER", "v": "TEXT"}, ["id"])
    shop.put(*((number, "x") for number in range(10, 17)))
    return shop


def ops(events, table):
    return "".join(one.op for one in events if one.table == f"main.{table}")


def test_the_snapshot_of_each_table_stands_between_its_marks(full):
    events = full.run(marks_snapshots=True)
    assert {ops(events, "empty"), ops(events, "orders").replace("r", "")} == {"be"}
    assert ops(events, "orders").strip("r") == ops(events, "orders")
    again = full.run(marks_snapshots=True, snapshot=["main.orders"])
    assert ops(again, "orders").strip("r") == ops(again, "orders")
    assert {one.snapshot for one in again} == {2}


def test_without_a_wish_nothing_is_marked(full):
    assert {one.op for one in full.run()} == {"r"}


def test_a_snapshot_of_several_runs_has_one_beginning_and_one_end(full):
    found = ""
    for _ in range(12):
        found += ops(full.run(marks_snapshots=True, limits=Limits(batch_rows=3, max_rows=2)), "orders")
    assert (found[0], found[-1], {*found[1:-1]}) == ("b", "e", {"r"})


@pytest.mark.parametrize("step", ["publish", "confirm", "save"])
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_the_marks_of_a_run_that_was_killed_come_again(full, step, nth):
    source = full.source(marks_snapshots=True)
    process = LogProcess(full.world, source, Crash(step, nth, "after"), itertools.count().__next__)
    with closing(source.database), closing(source):
        try:
            process.run()
        finally:
            ended()
    full.run(marks_snapshots=True)
    assert {one["state"] for one in full.saved.facts["tables"].values()} == {"read"}


def test_a_truncation_has_no_event_where_the_mark_of_a_snapshot_must_do(full, caplog):
    full.run(marks_snapshots=True)
    full.happen("truncate")
    with pytest.raises(SourceError, match="on_truncate='fail'"):
        full.run(marks_snapshots=True)
    events = full.run(marks_snapshots=True, snapshot=["main.orders"])
    assert ops(events, "orders").strip("r") == ops(events, "orders")
    assert ops(events, "orders")[0] == "b"
    assert "may stay with consumers" in caplog.text


class Merging(Recorder):
    """Gives one message for each batch of changes, which stands for all its rows."""

    def __init__(self, merged):
        self.merged = merged

    def compile(self, shape, stream):
        encode = super().compile(shape, stream)

        def merge(batch):
            found = encode(batch)
            kept = [at for at in range(batch.count) if at not in self.merged]
            return dataclasses.replace(
                found,
                keys=[found.keys[at] for at in kept],
                values=[found.values[at] for at in kept],
                rows=kept,
                merged=self.merged & {*range(batch.count)},
            )

        return merge


def merged(shop, places):
    source = shop.source()
    process = LogProcess(shop.world, source, None, itertools.count().__next__)
    process.envelope = process.relay.envelope = Merging(frozenset(places))
    with closing(source.database), closing(source):
        try:
            process.run()
        finally:
            ended()
    return process


def test_rows_that_share_a_message_count_as_events(shop):
    shop.run()
    shop.put((30, "a"), (31, "b"), (32, "c"))
    process = merged(shop, {1})
    report = process.relay.report
    assert (report.rows, report.events, report.topics) == (3, 3, {"t": 3})
    assert [json.loads(value)["row"]["id"] for _, value in shop.world.topic][-2:] == ["30", "32"]


def test_a_batch_has_at_least_one_message(shop):
    shop.run()
    shop.put((30, "a"), (31, "b"))
    with pytest.raises(EnvelopeError, match="must give one message for each row"):
        merged(shop, {0, 1})
