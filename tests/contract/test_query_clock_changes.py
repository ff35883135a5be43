"""Naive local times while the clock is set back and forward: every row once, whenever the runs come."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import zoneinfo

import pytest
import sqlalchemy as sa
import time_machine

from airflow_legacy_events.databases.generic import dialects
from airflow_legacy_events.databases.generic.dialects import traits_of
from airflow_legacy_events.databases.postgres import PostgresDatabase
from tests.support.engines import EACH
from tests.support.legacy import reused_database

STEP = dt.timedelta(minutes=10)
CHANGES = {
    "autumn in Berlin": ("Europe/Berlin", "2025-10-25T23:00", "2025-10-26T03:00"),
    "autumn in Sao Paulo": ("America/Sao_Paulo", "2018-02-18T00:00", "2018-02-18T04:00"),
    "spring in Berlin": ("Europe/Berlin", "2025-03-30T00:00", "2025-03-30T02:30"),
    "spring in Sao Paulo": ("America/Sao_Paulo", "2017-10-15T02:00", "2017-10-15T04:30"),
}


@pytest.fixture(params=EACH)
def legacy(request, monkeypatch):
    with reused_database(request, request.param) as found:
        if found.dialect == "postgresql":  # a clock that the test sets instead of the server's own
            found.execute("CREATE SCHEMA clock")
            found.execute("CREATE TABLE clock.shown (at timestamptz)")
            found.execute("INSERT INTO clock.shown VALUES (NULL)")
            found.execute(
                "CREATE FUNCTION clock.now() RETURNS timestamptz STABLE LANGUAGE sql AS 'SELECT at FROM clock.shown'"
            )
            monkeypatch.setattr(PostgresDatabase, "clock", sa.func.clock.now)
        if found.dialect == "firebird":  # its clock is the machine's: what the dialect asks for is a table of the test
            found.execute("CREATE TABLE clock (shown timestamp)")
            found.execute("INSERT INTO clock VALUES (NULL)")
            shown = dataclasses.replace(traits_of("firebird"), utc_now="(SELECT shown FROM clock)")
            monkeypatch.setitem(dialects._KNOWN, "firebird", shown)
        yield found


def has_horizon(legacy):
    """Whether the rows are read below a horizon that ends at the clock which the test sets."""
    return legacy.dialect in ("mysql", "sqlite")


@contextlib.contextmanager
def at(legacy, moment):
    """Let the database's clock and the worker's show `moment`."""
    if legacy.dialect == "postgresql":
        legacy.execute(f"UPDATE clock.shown SET at = '{moment.isoformat()}'")
    if legacy.dialect == "firebird":
        legacy.execute(f"UPDATE clock SET shown = '{moment.replace(tzinfo=None).isoformat(sep=' ')}'")
    if has_horizon(legacy):  # no time is read before its tick is over
        moment += dt.timedelta(seconds=1)
    if legacy.dialect == "mysql":  # the connection's own setting, by which a session's clock stands still
        legacy.url = legacy.url.update_query_dict({"init_command": f"SET timestamp = {moment.timestamp()}"})
    with time_machine.travel(moment, tick=False):
        yield


def moments(begin, end):
    moment = dt.datetime.fromisoformat(begin).replace(tzinfo=dt.UTC)
    while moment <= dt.datetime.fromisoformat(end).replace(tzinfo=dt.UTC):
        yield moment
        moment += STEP


class Runs:
    """Consecutive runs of one stream."""

    def __init__(self, legacy, **options):
        self.legacy, self.options, self.after, self.ids = legacy, options, None, []

    def run(self):
        with self.legacy.source(**self.options) as source:
            horizon, reading = source.open(self.after)
            for batch in reading:
                self.ids += [int(row[0]) for row in batch.rows]
                self.after = batch.after._replace(facts={**horizon.facts, **batch.after.facts})


@pytest.mark.parametrize("every", [1, 3, 5])
@pytest.mark.parametrize("change", CHANGES)
def test_no_row_is_lost_and_none_comes_twice(legacy, change, every):
    name, begin, end = CHANGES[change]
    zone = zoneinfo.ZoneInfo(name)
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
    runs = Runs(legacy, watermark_columns=("at",), source_timezone=name, batch_rows=3)
    written = 0
    for number, moment in enumerate(moments(begin, end)):
        local = moment.astimezone(zone).replace(tzinfo=None)
        for offset in (0, 1):  # one on the minute, one right before the runs look
            written += 1
            legacy.execute(f"INSERT INTO t VALUES ({1000 - written}, '{local + offset * dt.timedelta(minutes=9)}')")
        with at(legacy, moment + dt.timedelta(minutes=9, seconds=30)):
            if number % every == 0:
                runs.run()
    with at(legacy, moment + dt.timedelta(hours=2)):
        runs.run()
    assert sorted(runs.ids) == sorted(1000 - number for number in range(1, written + 1))


def test_a_time_inside_the_spring_gap_is_delivered_once_the_clock_has_passed_it(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
    legacy.execute(
        "INSERT INTO t VALUES (1, '2025-03-30 01:59:00'), (2, '2025-03-30 02:30:00'), (3, '2025-03-30 03:30:00')"
    )
    runs = Runs(legacy, watermark_columns=("at",), source_timezone="Europe/Berlin")
    seen = []
    for hour, minute in ((0, 59), (1, 0), (1, 29), (1, 30)):
        with at(legacy, dt.datetime(2025, 3, 30, hour, minute, tzinfo=dt.UTC)):
            runs.run()
        seen.append(list(runs.ids))
    assert seen == [[1], [1, 2], [1, 2], [1, 2, 3]]


def test_while_the_clock_repeats_an_hour_rows_before_it_are_delivered_and_rows_in_it_wait_for_the_second_time(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
    legacy.execute(
        "INSERT INTO t VALUES (1, '2025-10-26 01:59:59'), (2, '2025-10-26 02:10:00'), (3, '2025-10-26 02:50:00')"
    )
    runs = Runs(legacy, watermark_columns=("at",), source_timezone="Europe/Berlin")
    seen = []
    for hour, minute in ((0, 0), (0, 59), (1, 5), (1, 10), (1, 50)):
        with at(legacy, dt.datetime(2025, 10, 26, hour, minute, tzinfo=dt.UTC)):
            runs.run()
        seen.append(list(runs.ids))
    assert seen == [[1], [1], [1], [1, 2], [1, 2, 3]]


def test_lag_moves_the_wait(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, '2025-10-26 01:59:59'), (2, '2025-10-26 02:10:00')")
    runs = Runs(legacy, watermark_columns=("at",), source_timezone="Europe/Berlin", lag=dt.timedelta(minutes=30))
    seen = []
    for hour, minute in ((0, 29), (0, 30), (1, 10), (1, 39), (1, 40)):
        with at(legacy, dt.datetime(2025, 10, 26, hour, minute, tzinfo=dt.UTC)):
            runs.run()
        seen.append(list(runs.ids))
    assert seen == [[], [1], [1], [1], [1, 2]]


def test_a_date_waits_only_where_midnight_occurs_twice(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, day date NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, '2025-10-25'), (2, '2025-10-26')")
    runs = Runs(legacy, watermark_columns=("day",), source_timezone="Europe/Berlin")
    with at(legacy, dt.datetime(2025, 10, 26, 0, 30, tzinfo=dt.UTC)):
        runs.run()
    assert runs.ids == ([1] if has_horizon(legacy) else [1, 2])  # there today is read once it is over
    legacy.execute("DELETE FROM t")
    # In Saint John's it was set back at 00:01, to 23:01 of the day before.
    legacy.execute("INSERT INTO t VALUES (3, '2010-11-05'), (4, '2010-11-06'), (5, '2010-11-07')")
    runs = Runs(legacy, watermark_columns=("day",), source_timezone="America/St_Johns")
    seen = []
    for hour, minute in ((1, 0), (2, 0), (2, 30), (3, 29), (3, 30)):
        with at(legacy, dt.datetime(2010, 11, 7, hour, minute, tzinfo=dt.UTC)):
            runs.run()
        seen.append(list(runs.ids))
    below = [[3], [3], [3], [3], [3, 4]]
    assert seen == (below if has_horizon(legacy) else [[3, 4], [3, 4], [3, 4], [3, 4], [3, 4, 5]])
