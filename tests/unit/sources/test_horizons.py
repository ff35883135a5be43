"""A run below a horizon: what is asked, what is kept with the watermark, and what is read."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.core.errors import HorizonError
from airflow_legacy_events.core.ports import Blocker
from airflow_legacy_events.sources.query.horizons import drain
from tests.support import horizons
from tests.support.crashes import Crash
from tests.support.horizons import SECOND, START, Below, SimulatedWriters

TIMES = {"watermark_columns": ("at",), "null_watermark": "skip"}


def test_nobody_is_looked_for_while_nothing_is_new(shop, stream):
    assert stream.run() == []
    shop.sell(2)
    assert stream.run() == [1, 2]
    shop.write_rows()
    looks, saved = shop.looks, len(stream.world.saved)
    assert stream.run() == []
    assert (shop.looks, len(stream.world.saved)) == (looks, saved)


def test_a_run_without_rows_keeps_its_mark_and_later_ones_wait_for_just_these_transactions(shop, stream):
    shop.sell()
    stream.run()
    slow = shop.write_rows()
    shop.sell()
    assert stream.run() == []
    kept = stream.horizon
    assert kept == {"mark": ["3"], "open": ["t2"], "server": {"id": "one"}, "since": START.isoformat()}
    later = shop.write_rows()
    shop.sell()
    saved = len(stream.world.saved)
    assert stream.run() == []
    assert (stream.horizon, len(stream.world.saved)) == (kept, saved)
    shop.commit(slow)
    assert stream.run() == [2, 3]
    assert stream.horizon == {**kept, "mark": ["5"], "open": ["t4"], "drained": ["3"]}
    shop.commit(later)
    assert stream.run() == [4, 5]
    assert stream.horizon is None


@pytest.mark.parametrize("begun_empty", [False, True])
def test_a_stream_without_a_row_so_far_keeps_its_mark_too(shop, stream, begun_empty):
    if begun_empty:
        stream.run()
    slow = shop.write_rows()
    shop.sell()
    assert stream.run() == []
    assert stream.horizon["mark"] == ["2"]
    shop.write_rows()
    shop.sell()
    shop.commit(slow)
    assert stream.run() == [1, 2]


def test_a_first_run_that_is_not_drained_sends_no_row_without_a_time_either(shop):
    stream = Below(shop, {"watermark_columns": ("at",), "null_watermark": "first_run_only"})
    slow = shop.begin()
    shop.insert(slow)
    shop.timed_set = True
    one = shop.begin()
    shop.insert(one, null=True)
    shop.insert(one)
    shop.commit(one)
    shop.now += SECOND
    assert stream.run() == []
    assert stream.mark.values is None
    shop.commit(slow)
    assert stream.run() == [1, 3, 2]


@pytest.mark.parametrize(
    ("options", "timed_set"), [({"watermark_columns": ("id",)}, False), (TIMES, True), (TIMES, False)]
)
def test_now_is_when_the_first_try_took_its_mark(shop, options, timed_set):
    stream = Below(shop, {**options, "first_run": "now"})
    shop.timed_set = timed_set
    slow = shop.write_rows()
    shop.sell()
    shop.now += SECOND
    assert stream.run() == []
    assert stream.mark.values is None
    shop.sell()
    assert stream.run() == []
    shop.commit(slow)
    shop.now += SECOND
    assert stream.run() == []
    assert stream.mark.values is not None
    assert stream.horizon is None
    assert stream.report.held_back is None
    assert stream.run() == [3]


def test_a_value_to_begin_with_holds_until_the_first_run_reads(shop):
    stream = Below(shop, {"watermark_columns": ("id",), "first_run": 3})
    slow = shop.write_rows()
    shop.sell(3)
    assert stream.run() == []
    shop.commit(slow)
    assert stream.run() == [3, 4]


@pytest.mark.parametrize(("rows", "hole"), [(4, 3), (2_700, 2), (2_700, 1_001), (2_700, 2_600)])
def test_ids_are_read_up_to_the_first_hole(shop, stream, rows, hole):
    shop.sell()
    stream.run()
    ready = shop.begin()
    shop.write_rows(hole - 2, ready)
    slow = shop.write_rows()
    shop.write_rows(rows - hole, ready)
    shop.commit(ready)
    assert stream.run(batch_rows=1_000) == [*range(2, hole)]
    assert stream.report.held_back["rows"] == min(rows - hole, 1_000)
    shop.commit(slow)
    assert stream.run(batch_rows=1_000) == [*range(hole, rows + 1)]


def test_a_hole_says_nothing_of_ids_that_are_not_unique(shop):
    stream = Below(shop, {"watermark_columns": ("v",)})
    shop.sell()
    stream.run()
    slow = shop.write_rows()
    shop.sell(2)
    assert stream.run() == []
    shop.commit(slow)
    assert stream.run() == [2, 3, 4]


def test_a_run_cut_short_tells_the_next_one_how_far_the_rows_are_final(shop, stream):
    shop.sell(4)
    assert stream.run(max_rows=2) == [1, 2]
    assert stream.horizon == {"drained": ["4"]}
    shop.write_rows()
    shop.sell()
    assert stream.run() == [3, 4]
    assert stream.horizon["mark"] == ["6"]


@pytest.mark.parametrize("step", ["publish", "confirm", "save"])
def test_a_kill_between_delivery_and_save_repeats_and_loses_nothing(shop, stream, step):
    shop.sell()
    stream.run()
    slow = shop.write_rows()
    shop.sell()
    stream.run()
    shop.commit(slow)
    shop.write_rows()
    stream.run(crash=Crash(step, 1, "after" if step != "save" else "before"))
    assert stream.dead == 1
    assert stream.run() == [2, 3]


def test_a_run_waits_until_the_last_of_them_has_ended(shop, stream, monkeypatch):
    shop.sell()
    stream.run()
    slow = shop.write_rows()
    shop.sell()
    looked = []

    def remaining(self, ids, server):
        looked.append(ids)
        if len(looked) == 3:
            shop.commit(slow)
            shop.write_rows()
            shop.sell()
        return {} if len(looked) == 3 else {"t2": Blocker(2)}

    monkeypatch.setattr(SimulatedWriters, "remaining", remaining)
    monkeypatch.setattr(drain, "DRAIN_SECONDS", 60.0)
    assert stream.run() == [2, 3]
    assert looked == [("t2",)] * 3


def test_no_row_of_an_open_tick_is_read_so_an_update_within_it_comes(shop):
    stream = Below(shop, TIMES)
    shop.sell()
    shop.now += SECOND / 2
    assert stream.run() == []
    assert stream.report.held_back == {"rows": 1, "oldest_seconds": 0.5, "reason": "lag", "blocker": None}
    one = shop.begin()
    shop.update(one, 1)
    shop.commit(one)
    shop.now += SECOND / 2
    assert stream.run() == [1]
    assert [*shop.table.values()] == [2]


def test_the_oldest_begin_holds_back_times_and_is_named(shop):
    stream = Below(shop, TIMES)
    shop.write_rows()
    shop.now += 5 * SECOND
    shop.sell(2)
    shop.now += 5 * SECOND
    assert stream.run() == []
    blocker = {"pid": 1, "user": "app", "database": None, "query_start": None, "gid": None}
    held = {"rows": 2, "oldest_seconds": 10.0, "reason": "open_transaction", "blocker": blocker}
    assert stream.report.held_back == held


def test_the_one_of_a_set_whose_statement_is_the_oldest_is_named(shop, stream):
    shop.sell()
    stream.run()
    for _ in range(2):
        shop.write_rows()
        shop.now += SECOND
    shop.sell()
    assert stream.run() == []
    shop.now += SECOND
    assert stream.run() == []
    held = stream.report.held_back
    assert (held["rows"], held["oldest_seconds"], held["reason"], held["blocker"]["pid"]) == (
        1,
        1.0,
        "open_transaction",
        2,
    )


def test_who_can_not_be_seen_is_null(shop, stream, monkeypatch):
    shop.sell()
    stream.run()
    shop.write_rows()
    shop.sell()
    monkeypatch.setattr(SimulatedWriters, "_named", lambda *_: {"t2": Blocker()})
    stream.run()
    assert stream.report.held_back["blocker"] is None


def test_a_day_waits_until_it_is_over(shop, monkeypatch):
    monkeypatch.setattr(horizons, "CREATE", "")
    shop.connection.executescript("DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, at date NOT NULL, v integer)")
    shop.connection.execute("INSERT INTO t VALUES (1, '2025-12-31', 1), (2, '2026-01-01', 1)")
    shop.tick = dt.timedelta(days=1)
    stream = Below(shop, {"watermark_columns": ("at",)})
    assert stream.run() == [1]
    assert stream.report.held_back == {"rows": 1, "oldest_seconds": 43_200.0, "reason": "lag", "blocker": None}


def test_a_run_whose_rows_wait_for_too_long_fails_with_everything_else_delivered_and_saved(shop, stream):
    stream.settings = {"max_horizon_age": 30 * SECOND}
    shop.sell()
    stream.run()
    shop.sell()
    slow = shop.write_rows()
    shop.sell()
    assert stream.run() == [2]
    shop.sell()
    shop.now += 31 * SECOND
    with pytest.raises(HorizonError, match=r"2 rows .* have waited 31 s .*: session 3 of user 'app'.*\nKILL 3\n"):
        stream.run()
    assert stream.report.target_reached
    assert stream.horizon["open"] == ["t3"]
    shop.commit(slow)
    assert stream.run() == [3, 4, 5]


def test_a_first_run_that_waits_for_too_long_fails_too(shop, stream):
    stream.settings = {"max_horizon_age": 30 * SECOND}
    shop.write_rows()
    shop.sell()
    assert stream.run() == []
    shop.now += 31 * SECOND
    with pytest.raises(HorizonError):
        stream.run()
