"""Overlap under a relay: event ids, and what a run that dies at any step leaves to the next one."""

from __future__ import annotations

import itertools

import pytest

from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from tests.support.crashes import Crash, Process, World
from tests.support.keyless import ids_of
from tests.support.legacy import reused_database
from tests.support.overlapping import MINUTE, Stream

STEPS = ("read", "encode", "publish", "confirm", "save")


@pytest.fixture
def stream(request):
    with reused_database(request, "sqlite") as legacy:
        made = Stream(legacy)
        made.make()
        yield made


def run(stream, world, crash=None, **limits):
    with stream.legacy.source(**stream.options, batch_rows=2, **limits) as source:
        process = Process(world, source, crash, clock=itertools.count().__next__)
        process.envelope = CloudEventsEnvelope()
        process.run()
    return process.relay.report


def test_a_version_keeps_its_id_and_one_that_returns_gets_a_number(stream):
    world = World()
    stream.insert(1)
    for value in "aaba":
        stream.update(1, value)
        run(stream, world)
    first, other, again = ids_of(world)
    assert again == f"{first}:1"
    assert other.rsplit(":", 1)[0] == first.rsplit(":", 1)[0] != other


def test_a_report_of_late_rows_leaves_the_watermark_where_it_was(stream):
    world = World()
    stream.insert(1)
    before = run(stream, world).watermark_to
    for number in range(2, 6):
        stream.insert(number, number * MINUTE)
    report = run(stream, world, max_rows=3)
    assert (report.events, report.watermark_to, report.target_reached) == (3, before, False)
    report = run(stream, world)
    assert (report.events, report.watermark_to, report.target_reached) == (1, before, True)
    report = run(stream, world)
    assert (report.events, report.batches, report.target_reached) == (0, 0, True)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_dies_loses_nothing_and_repeats_only_equal_events(stream, step, when):
    world = World()
    for number in range(3):
        stream.insert(number, number * MINUTE)
    run(stream, world)
    for number in range(3, 8):
        stream.insert(number, number * MINUTE / 2)
    stream.insert(8, -MINUTE)
    stream.update(1, "b")
    for nth in (1, 2, 3):
        run(stream, world, Crash(step, nth, when))
    run(stream, world)
    assert len(set(ids_of(world))) == 3 + 6 + 1
    count = len(world.topic)
    run(stream, world)
    assert len(world.topic) == count
