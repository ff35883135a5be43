"""Tables without a key, on every database: every copy of a row arrives once, with an id of its own."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import Span, Window
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from tests.support.crashes import STREAM, Crash, Process, World
from tests.support.engines import EACH
from tests.support.keyless import ids_of, lines
from tests.support.legacy import reused_database

DAYS = 4
COPIES = 5


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        seconds = {"postgresql": "timestamp(0)", "mysql": "datetime"}.get(found.dialect, "timestamp")
        found.execute(f"CREATE TABLE t (moment {seconds} NOT NULL, line varchar(20))")
        for day in range(1, DAYS + 1):
            for _ in range(COPIES):
                found.execute(f"INSERT INTO t VALUES ('2026-01-0{day} 00:00:00', 'same')")
            found.execute(f"INSERT INTO t VALUES ('2026-01-0{day} 00:00:00', NULL)")
        yield found


WAYS = {"bulk": (), "by a time": ("moment",)}
EXPECTED = Counter({"same": DAYS * COPIES, None: DAYS})


def run(legacy, world, crash=None, **options):
    with legacy.source(**{"key_columns": (), "source_timezone": "UTC", "batch_rows": 2, **options}) as source:
        process = Process(world, source, crash)
        process.envelope = CloudEventsEnvelope()
        process.run()
    return process.relay.report


@pytest.mark.parametrize("batch_rows", [2, 6, 100])
@pytest.mark.parametrize("way", WAYS)
def test_every_copy_arrives_with_an_id_of_its_own_and_no_key(legacy, way, batch_rows):
    world = World()
    report = run(legacy, world, watermark_columns=WAYS[way], batch_rows=batch_rows)
    assert (lines(world), report.target_reached, report.events) == (EXPECTED, True, 24)
    assert len(set(ids_of(world))) == 24
    assert {key for key, _ in world.topic} == {None}
    again = run(legacy, world, watermark_columns=WAYS[way], batch_rows=batch_rows)
    assert again.events == (24 if way == "bulk" else 0)
    assert len(set(ids_of(world))) == (48 if way == "bulk" else 24), "each load has a number of its own"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("nth", [1, 3, 7])
@pytest.mark.parametrize("step", ["publish", "save"])
def test_a_crash_sends_rows_again_with_equal_ids_and_loses_none(legacy, way, step, nth):
    whole, world = World(), World()
    run(legacy, whole, watermark_columns=WAYS[way])
    if not run(legacy, world, Crash(step, nth, "after"), watermark_columns=WAYS[way]).target_reached:
        assert run(legacy, world, watermark_columns=WAYS[way]).target_reached
    sent, expected = set(ids_of(world)), set(ids_of(whole))
    assert expected <= sent
    assert sent == expected or (way == "bulk" and len(sent - expected) == 24)  # after a load saved whole: the next one


def test_the_watermark_moves_behind_whole_ticks_only(legacy):
    world = World()
    run(legacy, world, Crash("save", 3, "after"), watermark_columns=("moment",))
    saved = {mark.values for mark in world.saved if mark.values}
    assert all(len(values) == 1 for values in saved)
    sent = Counter(json.loads(value)["data"]["moment"][:10] for _, value in world.topic)
    reached = max(values[0][:10] for values in saved) if saved else ""
    assert all(count % (COPIES + 1) == 0 for day, count in sent.items() if day <= reached)


def test_rows_of_the_second_that_goes_on_wait_for_its_end(legacy):
    world = World()
    with legacy.source(key_columns=(), source_timezone="UTC") as source:
        second = source.database.now().replace(tzinfo=None, microsecond=0) + dt.timedelta(seconds=1)
    legacy.execute(f"INSERT INTO t VALUES ('{second}', 'now')")
    report = run(legacy, world, watermark_columns=("moment",))
    assert report.events == 24
    while "now" not in lines(world):
        run(legacy, world, watermark_columns=("moment",))
    with legacy.source(key_columns=(), source_timezone="UTC") as source:
        assert source.database.now().replace(tzinfo=None) >= second + dt.timedelta(seconds=1)
    assert "once it is over" in report.completeness_reason
    assert "not seen" in report.completeness_reason


def test_an_integer_watermark_says_what_it_does_not_see(legacy):
    legacy.execute("CREATE TABLE counted (n integer NOT NULL, line varchar(20))")
    for number in (1, 1, 2, 2, 2):
        legacy.execute(f"INSERT INTO counted VALUES ({number}, 'same')")
    world = World()
    report = run(legacy, world, table="counted", watermark_columns=("n",))
    assert (lines(world), report.watermark_to) == (Counter({"same": 5}), ["2"])
    assert "a row that arrives later with a watermark at or below the last one is not seen" in (
        report.completeness_reason
    )
    legacy.execute("INSERT INTO counted VALUES (3, 'same')")
    assert run(legacy, world, table="counted", watermark_columns=("n",)).events == 1


def test_several_watermark_columns_make_a_tick_together(legacy):
    legacy.execute("CREATE TABLE several (a integer NOT NULL, b integer NOT NULL, line varchar(20))")
    for a in (1, 2):
        for b in (1, 2):
            for _ in range(3):
                legacy.execute(f"INSERT INTO several VALUES ({a}, {b}, 'same')")
    world = World()
    report = run(legacy, world, table="several", watermark_columns=("a", "b"))
    assert (lines(world), report.watermark_to) == (Counter({"same": 12}), ["2", "2"])
    assert len(set(ids_of(world))) == 12


def test_a_view_and_a_query_have_no_key_either(legacy):
    legacy.execute("CREATE VIEW v AS SELECT moment, line FROM t")
    for options in ({"table": "v"}, {"sql": "SELECT moment, line FROM t", "table": None}):
        for way in WAYS.values():
            world = World()
            run(legacy, world, watermark_columns=way, **options)
            assert lines(world) == EXPECTED
            assert len(set(ids_of(world))) == 24


def test_max_rows_ends_a_run_behind_a_whole_tick(legacy):
    world, events = World(), []
    while len(events) < 2 or events[-1]:
        events.append(run(legacy, world, watermark_columns=("moment",), max_rows=4).events)
    assert events == [6, 6, 6, 6, 0]
    assert len(set(ids_of(world))) == 24


def test_a_replay_and_a_rerun_send_whole_ticks_with_the_ids_of_the_live_stream(legacy):
    world = World()
    run(legacy, world, watermark_columns=("moment",))
    live = set(ids_of(world))
    for window in (
        Window(None, "2026-01-02T00:00:00+00:00", "2026-01-04T00:00:00+00:00"),
        Span(("2026-01-01 00:00:00",), ("2026-01-03 00:00:00",), included=False),
    ):
        sent = World()
        with legacy.source(
            key_columns=(), source_timezone="UTC", batch_rows=4, watermark_columns=("moment",)
        ) as source:
            for batch in source.open(None, window).batches:
                if batch.count:
                    messages = CloudEventsEnvelope().compile(batch.shape, STREAM)(batch)
                    sent.topic += zip(messages.keys, messages.values, strict=True)
                    assert list(source.overtaken(batch)) == []
        assert len(set(ids_of(sent))) == 12
        assert set(ids_of(sent)) <= live


def test_what_needs_a_key_is_refused_before_reading(legacy):
    for options, words in (
        ({"watermark_columns": ("moment",), "null_watermark": "always"}, "null_watermark='always' needs a key"),
        ({"watermark_columns": (), "exclude_columns": ("moment", "line")}, "no column of table 't' is left"),
    ):
        with (
            legacy.source(key_columns=(), source_timezone="UTC", **options) as source,
            pytest.raises(ConfigurationError, match=words),
        ):
            source.open(None)
    with (
        legacy.source(watermark_columns=("moment",), source_timezone="UTC") as source,
        pytest.raises(ConfigurationError, match=r"\n.*key_columns=\[\]"),
    ):
        source.open(None)


def test_a_stream_with_a_key_and_one_without_are_not_the_same(legacy):
    world = World()
    run(legacy, world, watermark_columns=("moment",))
    with pytest.raises(WatermarkError, match="key_columns"):
        run(legacy, world, watermark_columns=("moment",), key_columns=("line",))


def test_pending_counts_the_ticks_that_are_over(legacy):
    with legacy.source(key_columns=(), source_timezone="UTC", watermark_columns=("moment",)) as source:
        assert source.pending(None).rows == 24
    with legacy.source(key_columns=(), watermark_columns=()) as source, pytest.raises(ConfigurationError):
        source.pending(None)
