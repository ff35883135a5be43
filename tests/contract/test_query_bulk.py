"""Full loads, on every database: one snapshot, numbered, finished before the next one begins."""

from __future__ import annotations

import threading

import pytest

from airflow_legacy_events.core.model import Watermark
from tests.support.crashes import STREAM, Crash, Process, World
from tests.support.engines import EACH
from tests.support.legacy import reused_database


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute(f"CREATE TABLE t (id integer PRIMARY KEY, body {found.engine.long_text})")
        for number in range(1, 8):
            found.execute(f"INSERT INTO t VALUES ({number}, 'one')")
        yield found


def load(legacy, world, crash=None, batch_rows=2):
    with legacy.source(batch_rows=batch_rows) as source:
        process = Process(world, source, crash)
        process.run()
    return process.relay.report


def mark(world) -> Watermark:
    return world.store.load(STREAM.name)


@pytest.mark.parametrize("batch_rows", [1, 2, 7, 10_000])
def test_every_load_reads_all_rows_in_key_order_from_one_snapshot(legacy, batch_rows):
    world = World()
    for number in (1, 2):
        report = load(legacy, world, batch_rows=batch_rows)
        assert world.ids == list(range(1, 8)) * number
        assert (report.completeness, report.target_reached, report.watermark_to) == ("exact", True, [])
        assert mark(world).facts["load"] == {"number": number, "done": True}


def test_an_empty_table_is_a_load_too(legacy):
    legacy.execute("DELETE FROM t")
    world = World()
    load(legacy, world)
    assert (mark(world).values, mark(world).facts["load"]) == ((), {"number": 1, "done": True})


def test_the_rows_carry_the_number_of_their_load(legacy):
    numbers = []
    for at in (None, Watermark((), None, {"load": {"number": 1, "done": True}})):
        with legacy.source(batch_rows=3) as source:
            numbers.append([(batch.counter, batch.op, batch.count) for batch in source.open(at).batches])
    assert numbers[0] == [(1, "r", 3), (1, "r", 3), (1, "r", 1), (1, "r", 0)]
    assert {number for number, _, _ in numbers[1]} == {2}


def test_a_load_sees_the_table_as_it_was_when_its_first_page_was_read(legacy):
    world, other = World(), legacy.connect()
    with legacy.source(batch_rows=2) as source:
        reading = source.open(None).batches
        rows = [*next(reading).rows]
        other.execute("UPDATE t SET body = 'two'")
        other.execute("DELETE FROM t WHERE id = 5")
        other.execute("INSERT INTO t VALUES (8, 'two')")
        rows += [row for batch in reading for row in batch.rows]
    other.close()
    assert [(int(number), body) for number, body in rows] == [(number, "one") for number in range(1, 8)]
    assert world.ids == []


def test_a_load_that_did_not_finish_keeps_its_number_and_is_finished_first(legacy):
    world = World()
    load(legacy, world)
    load(legacy, world, Crash("save", 1, "after"))
    assert mark(world).values == ("2",)
    legacy.execute("UPDATE t SET body = 'two'")

    report = load(legacy, world)

    assert report.completeness == "bounded"
    assert "from a second snapshot" in report.completeness_reason
    assert mark(world).facts["load"] == {"number": 2, "done": True}
    assert set(world.ids[7:]) == set(range(1, 8))
    report = load(legacy, world)
    assert (report.completeness, mark(world).facts["load"]["number"]) == ("exact", 3)


def test_a_load_that_died_before_its_first_save_begins_again_under_its_number(legacy):
    world = World()
    load(legacy, world, Crash("publish", 1, "after"))
    report = load(legacy, world)
    assert (report.completeness, mark(world).facts["load"]["number"]) == ("exact", 1)
    assert set(world.ids) == set(range(1, 8))


def test_a_writer_works_on_while_a_load_reads(legacy):
    done = threading.Event()

    def write() -> None:
        other = legacy.connect()
        other.execute("INSERT INTO t VALUES (100, 'while it loads')")
        other.close()
        done.set()

    with legacy.source(batch_rows=1) as source:
        reading = source.open(None).batches
        next(reading)
        threading.Thread(target=write).start()
        assert done.wait(10)
        assert sum(batch.count for batch in reading) == 6


def test_a_load_of_wide_rows_is_cut_by_bytes_within_its_snapshot(legacy):
    legacy.execute(f"UPDATE t SET body = {legacy.engine.mark}", "x" * 3_000_000)
    with legacy.source(batch_rows=7) as source:
        counts = [batch.count for batch in source.open(None).batches]
    assert sum(counts) == 7
    assert len(counts) > 2
