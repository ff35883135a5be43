"""Overlap: rows below the watermark are read again, and each version is sent once."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.sources.query.overlapping import seen
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.overlapping import MINUTE, Stream


@pytest.fixture(params=EACH)
def stream(request):
    with reused_database(request, request.param) as legacy:
        made = Stream(legacy)
        made.make()
        yield made


@pytest.fixture
def small(request):
    """A stream on the smallest engine, for rules that don't differ by engine."""
    with reused_database(request, "sqlite") as legacy:
        made = Stream(legacy)
        made.make()
        yield made


def test_late_rows_equal_ticks_and_changes_come_once_and_the_watermark_stays(stream):
    for number, ago in ((1, 9), (2, 5), (3, 0)):
        stream.insert(number, ago * MINUTE)
    assert stream.run().ids == [1, 2, 3]
    assert stream.run().batches == []
    values = stream.at.values
    stream.insert(4, 7 * MINUTE)
    stream.insert(0, 0 * MINUTE)  # below the last row of its tick
    stream.insert(9, 11 * MINUTE)  # older than the overlap
    stream.update(2, "b")
    assert stream.pending() == 3
    ran = stream.run()
    assert (ran.ids, ran.at.values, ran.batches[-1].final) == ([4, 2, 0], values, True)
    assert stream.pending() == 0
    assert stream.run().batches == []
    stream.insert(5, -MINUTE)
    stream.insert(6, 8 * MINUTE)
    assert stream.pending() == 2
    assert stream.run().ids == [6, 5]
    assert stream.run().batches == []


def test_a_value_that_returns_at_one_tick_is_another_version(stream):
    stream.insert(1)
    stream.run()
    sent = []
    for value in "baab":
        stream.update(1, value)
        sent += stream.run().sent
    assert sent == [(1, "b", 0), (1, "a", 1), (1, "b", 1)]


def test_what_was_not_saved_is_sent_again_with_the_same_counter(stream):
    for number in (1, 2, 3):
        stream.insert(number, number * MINUTE)
    assert stream.run(saves=0, batch_rows=1).ids == [3]
    assert stream.run(saves=1, batch_rows=1).ids == [3, 2]
    assert stream.run().ids == [2, 1]
    stream.update(1, "b")
    stream.run()
    stream.update(1, "a")
    assert stream.run(saves=0).sent == stream.run().sent == [(1, "a", 1)]
    for number in (4, 5, 6):
        stream.insert(number, number * MINUTE)
    assert stream.run(saves=1, batch_rows=1).ids == [6, 5]
    assert stream.run().ids == [5, 4]


def test_days_and_rows_of_a_second_column_are_read_again(request):
    with reused_database(request, "postgresql-18") as legacy:
        legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at date NOT NULL, v text)")
        stream = Stream(legacy, watermark_columns=("at", "id"), overlap=dt.timedelta(days=1))
        legacy.execute("INSERT INTO t VALUES (2, '2026-03-01'), (3, '2026-03-02')")
        assert stream.run().ids == [2, 3]
        legacy.execute("INSERT INTO t VALUES (1, '2026-03-01'), (0, '2026-02-28'), (4, '2026-03-02')")
        assert stream.run().ids == [1, 4]
        assert stream.run().batches == []


def test_an_open_tick_is_read_at_once(stream):
    now = {"sqlite": "datetime('now')", "firebird": "LOCALTIMESTAMP"}.get(stream.legacy.dialect, "now()")
    for number in (3, 2, 1):
        stream.legacy.execute(f"INSERT INTO t VALUES ({number}, {now}, 'a')")
        assert stream.run(overlap=dt.timedelta(seconds=2), source_timezone="database").ids == [number]


def test_budgets_end_a_run_among_late_rows(small):
    small.insert(1)
    small.run()
    for number in range(2, 7):
        small.insert(number, number * MINUTE / 2)
    small.insert(7, -MINUTE)
    sent = [small.run(max_rows=2).ids for _ in range(4)]
    assert sent == [[6, 5], [4, 3], [2, 7], []]
    assert small.run().batches == []


def test_a_first_run_that_begins_now_sends_what_appears_later(small):
    for number in range(3):
        small.insert(number, number * MINUTE)
    assert small.run(first_run="now").ids == []
    assert small.run(first_run="now").ids == []
    small.insert(4, 3 * MINUTE)
    assert small.run(first_run="now").ids == [4]


def test_a_first_run_from_a_value_reads_nothing_below_it(small):
    begin = small.text(2 * MINUTE)
    assert small.run(first_run=begin).ids == []
    for number in range(5):
        small.insert(number, number * MINUTE)
    assert small.run(first_run=begin).ids == [2, 1, 0]
    assert small.run(first_run=begin).batches == []
    small.insert(5, 2 * MINUTE)
    assert small.run(first_run=begin).ids == [5]


def test_a_watermark_without_a_seen_set_sends_its_overlap_once(small):
    for number in range(3):
        small.insert(number, 8 * number * MINUTE)
    small.run(overlap=dt.timedelta(0))
    assert "seen" not in small.at.facts
    assert small.run().ids == [1, 0]
    assert small.run().batches == []
    assert small.run(overlap=20 * MINUTE).ids == [2]
    small.insert(3, -MINUTE)
    small.run(overlap=dt.timedelta(0))
    assert "seen" not in small.at.facts


def test_a_row_that_left_and_came_back_is_sent_again_with_another_id(small):
    small.insert(1, 5 * MINUTE)
    small.insert(2)
    small.run()
    small.legacy.execute("DELETE FROM t WHERE id = 1")
    small.insert(3, MINUTE)
    assert small.run().ids == [3]
    small.insert(1, 5 * MINUTE)
    assert small.run().sent == [(1, "a", 1)]
    assert small.run().batches == []


def test_a_new_column_is_no_new_version_and_a_column_that_is_gone_is(small):
    for number in range(3):
        small.insert(number, number * MINUTE)
    small.run()
    small.legacy.execute("ALTER TABLE t ADD COLUMN w text")
    assert small.pending() == 0
    assert small.run().ids == []
    assert small.run().batches == []
    small.legacy.execute("UPDATE t SET w = 'x' WHERE id = 1")
    assert (small.pending(), small.run().ids) == (1, [1])
    small.legacy.execute("ALTER TABLE t DROP COLUMN w")
    assert (small.pending(), small.run().ids) == (3, [2, 1, 0])
    assert small.run().batches == []


def test_more_rows_than_are_remembered_are_sent_again_only_if_one_of_them_changed(small, monkeypatch, caplog):
    monkeypatch.setattr(seen, "MOST_VERSIONS", 4)
    for number in range(8):
        small.insert(number, number * MINUTE)
    assert small.run().ids == [7, 6, 5, 4, 3, 2, 1, 0]
    assert "Give a shorter overlap=" in caplog.text
    assert small.run().batches == []
    small.insert(8, 1.5 * MINUTE)
    assert small.run().ids == [8]
    assert small.run().batches == []
    small.update(6, "b")
    small.insert(9, -MINUTE)
    ran = small.run()
    assert (ran.ids, [one.final for one in ran.batches]) == ([9, 7, 6, 5, 4, 3], [False, False, True])
    assert small.run().batches == []
    small.insert(10, -4 * MINUTE)
    assert small.run().ids == [10]
    assert small.run().batches == []


def test_a_first_run_that_begins_now_remembers_more_rows_than_it_can_name(small, monkeypatch):
    monkeypatch.setattr(seen, "MOST_VERSIONS", 4)
    for number in range(8):
        small.insert(number, number * MINUTE)
    small.run(first_run="now")
    assert small.run(first_run="now").batches == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"watermark_columns": ("id",)}, "'id' is .*not a time"),
        ({"watermark_columns": ()}, "overlap= was given with watermark_columns=\\[\\]"),
        ({"key_columns": ()}, "needs a key"),
        ({"overlap": -MINUTE}, "is negative"),
    ],
)
def test_what_has_no_overlap_is_refused(small, options, said):
    with pytest.raises(ConfigurationError, match=said):
        small.run(**options)


def test_row_versions_of_postgresql_have_no_overlap(request):
    with reused_database(request, "postgresql-18") as legacy:
        stream = Stream(legacy, watermark_columns=("xmin",))
        stream.make()
        with pytest.raises(ConfigurationError, match="overlap=0:10:00"):
            stream.run()


def test_completeness_is_bounded_by_the_overlap(small):
    horizon = small.run(lag=MINUTE).horizon
    assert horizon.completeness == "bounded"
    assert "more than 0:11:00 after its time in 'at'" in horizon.reason
