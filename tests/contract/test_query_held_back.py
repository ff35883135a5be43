"""Rows above a run's bound: the report says how many wait, how old they are, and why."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from airflow_legacy_events.core.model import HeldBack
from tests.support.engines import EACH
from tests.support.legacy import reused_database

HOUR = dt.timedelta(hours=1)


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
        yield found


def write(legacy, number, ahead, zone="UTC"):
    """Write a row whose time lies so far ahead of now."""
    at = (dt.datetime.now(dt.UTC) + ahead).astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)
    legacy.execute(f"INSERT INTO t VALUES ({number}, '{at.isoformat(sep=' ', timespec='seconds')}')")


def run(legacy, at=None, **options):
    """The ids of one run, what it held back, and the watermark that the next run gets."""
    with legacy.source(**{"watermark_columns": ("at",), **options}) as source:
        horizon, reading = source.open(at)
        batches = list(reading)
    last = batches[-1].after if batches else at
    ids = [int(row[0]) for batch in batches for row in batch.rows]
    return ids, horizon.held_back, last and last._replace(facts={**horizon.facts, **last.facts})


def test_rows_above_the_database_s_now_are_counted_and_come_once_they_are_reached(legacy):
    write(legacy, 1, -HOUR)
    assert run(legacy)[:2] == ([1], None)
    for number in (2, 3):
        write(legacy, number, number * HOUR)
    ids, held, after = run(legacy)
    assert (ids, held.rows, held.reason, held.blocker) == ([1], 2, "future", None)
    assert held.oldest_seconds == pytest.approx(-2 * HOUR.total_seconds(), abs=30)
    ids, held, after = run(legacy, after)
    assert (ids, held.rows) == ([], 2)
    legacy.execute("UPDATE t SET at = '2026-01-01 10:00:00' WHERE id > 1")
    assert run(legacy, after)[:2] == ([], None)
    assert sorted(run(legacy)[0]) == [1, 2, 3]


def test_rows_younger_than_the_lag_are_told_from_those_of_the_future(legacy):
    lag = {"lag": 2 * HOUR}
    for number, ahead in ((1, -3 * HOUR), (2, -HOUR), (3, -HOUR / 2)):
        write(legacy, number, ahead)
    ids, held, after = run(legacy, **lag)
    assert (ids, held.rows, held.reason) == ([1], 2, "lag")
    assert held.oldest_seconds == pytest.approx(HOUR.total_seconds(), abs=30)
    write(legacy, 4, HOUR)
    ids, held, _ = run(legacy, after, **lag)
    assert (ids, held.rows, held.reason) == ([], 1, "future")


def test_times_in_a_zone_are_compared_in_it(legacy):
    sydney = {"source_timezone": "Australia/Sydney"}
    write(legacy, 1, -HOUR, "Australia/Sydney")
    assert run(legacy, **sydney)[:2] == ([1], None)
    ids, held, _ = run(legacy, source_timezone="UTC")
    assert (ids, held.rows, held.reason) == ([], 1, "future")
    ids, held, _ = run(legacy, source_timezone="-11:00")
    assert (ids, held.rows) == ([], 1)


def test_a_row_of_the_last_day_of_all_holds_nothing_up(legacy):
    write(legacy, 1, -HOUR, "America/New_York")
    legacy.execute("INSERT INTO t VALUES (9, '9999-12-31 23:59:59')")
    for lag in (dt.timedelta(0), HOUR / 2):
        ids, held, _ = run(legacy, lag=lag, source_timezone="America/New_York")
        assert (ids, held) == ([1], HeldBack(1, None, "future"))


def test_a_day_that_has_not_begun_waits_for_it(request):
    with reused_database(request, "postgresql-18") as legacy:
        legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at date NOT NULL)")
        legacy.execute("INSERT INTO t VALUES (1, '2026-01-01'), (2, current_date + 3)")
        for lag in (dt.timedelta(0), HOUR):
            ids, held, _ = run(legacy, lag=lag)
            assert (ids, held.rows, held.reason) == ([1], 1, "future")
            assert -3 * 86_400 <= held.oldest_seconds <= -2 * 86_400


def test_no_more_than_a_thousand_are_counted(request):
    with reused_database(request, "sqlite") as legacy:
        legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
        values = ", ".join(f"({number}, '2999-01-01 10:00:00')" for number in range(1_100))
        legacy.execute(f"INSERT INTO t VALUES {values}, (9999, '2026-01-01 10:00:00')")
        ids, held, _ = run(legacy)
        assert (ids, held.rows) == ([9999], 1_000)


@pytest.mark.parametrize("columns", [("id",), ()])
def test_without_a_time_nothing_is_held_back(request, columns):
    with reused_database(request, "sqlite") as legacy:
        legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
        legacy.execute("INSERT INTO t VALUES (1, '2999-01-01 10:00:00')")
        assert run(legacy, watermark_columns=columns)[:2] == ([1], None)


def test_an_infinite_time_waits_for_ever_and_holds_no_run_up(request):
    with reused_database(request, "postgresql-18") as legacy:
        legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
        write(legacy, 1, -HOUR)
        legacy.execute("INSERT INTO t VALUES (2, 'infinity')")
        for lag in (dt.timedelta(0), HOUR / 2):
            assert run(legacy, lag=lag)[:2] == ([1], HeldBack(1, None, "future"))
