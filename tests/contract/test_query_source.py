"""What the user asks a query source for, on every database: where a run begins, what it reads, what it refuses."""

from __future__ import annotations

import datetime as dt
import logging

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, SourceError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from tests.support.engines import EACH
from tests.support.legacy import reused_database, unquoted

DAYS = [f"2026-01-0{day} 10:00:00" for day in range(1, 6)]


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def days(legacy):
    """Five rows of five days; the ids go the other way."""
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL, body text)")
    for number, day in enumerate(DAYS):
        legacy.execute(f"INSERT INTO t VALUES ({5 - number}, '{day}', 'b')")
    return legacy


def run(legacy, at=None, **options):
    """The ids of one run, and the watermark that the next run gets."""
    with legacy.source(**options) as source:
        horizon, reading = source.open(at)
        batches = list(reading)
    rows = [row for batch in batches for row in batch.rows]
    last = batches[-1].after if batches else at
    named = [int(row[batches[0].shape.named(range(len(row))).index("id")]) for row in rows]
    return named, last and last._replace(facts={**horizon.facts, **last.facts})


def test_a_run_goes_on_above_the_last_one(days):
    ids, after = run(days, watermark_columns=("at",))
    assert ids == [5, 4, 3, 2, 1]
    days.execute(
        f"INSERT INTO t VALUES (9, '{DAYS[-1]}', 'the same moment, a higher id'), (7, '2026-01-06 10:00', 'b')"
    )
    assert run(days, after, watermark_columns=("at",))[0] == [9, 7]


def test_first_run_now_delivers_only_what_comes_later(days):
    ids, after = run(days, watermark_columns=("at",), first_run="now")
    assert (ids, after.values) == ([], (DAYS[-1], "1"))
    days.execute("INSERT INTO t VALUES (9, '2026-01-06 10:00:00', 'b')")
    assert run(days, after, watermark_columns=("at",), first_run="now")[0] == [9]


def test_first_run_now_over_an_empty_table_delivers_all_that_comes_later(days):
    days.execute("DELETE FROM t")
    ids, after = run(days, watermark_columns=("at",), first_run="now")
    assert (ids, after.values) == ([], ())
    days.execute("INSERT INTO t VALUES (9, '2026-01-06 10:00:00', 'b')")
    assert run(days, after, watermark_columns=("at",), first_run="now")[0] == [9]


def test_a_first_run_over_an_empty_table_leaves_a_watermark(days):
    days.execute("DELETE FROM t")
    ids, after = run(days, watermark_columns=("at",))
    assert (ids, after.values) == ([], ())
    days.execute("INSERT INTO t VALUES (9, '2026-01-06 10:00:00', 'b')")
    assert run(days, after, watermark_columns=("at",))[0] == [9]


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-03 10:00:00",
        dt.datetime(2026, 1, 3, 10),  # noqa: DTZ001
        dt.datetime(2026, 1, 3, 10, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 3, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        "2026-01-03T12:00:00+02:00",
        "2026-01-03T10:00:00Z",
    ],
)
def test_first_run_with_a_value_begins_with_it(days, value):
    assert run(days, watermark_columns=("at",), first_run=value)[0] == [3, 2, 1]


def test_first_run_with_a_moment_is_read_in_the_zone_of_the_naive_column(days):
    moment = dt.datetime(2026, 1, 3, 9, tzinfo=dt.UTC)
    options = {"watermark_columns": ("at",), "source_timezone": "Europe/Berlin"}
    assert run(days, first_run=moment, **options)[0] == [3, 2, 1]
    assert run(days, first_run=moment + dt.timedelta(seconds=1), **options)[0] == [2, 1]


def test_first_run_with_a_value_above_all_rows_waits_for_the_first(days):
    ids, after = run(days, watermark_columns=("at",), first_run="2026-01-06 10:00:00")
    assert ids == []
    days.execute("INSERT INTO t VALUES (8, '2026-01-05 23:00:00', 'b'), (9, '2026-01-06 10:00:00', 'b')")
    assert run(days, after, watermark_columns=("at",), first_run="2026-01-06 10:00:00")[0] == [9]


@pytest.mark.parametrize(("column", "value"), [("id", "yesterday"), ("at", "soon"), ("at", "12"), ("id", "")])
def test_first_run_with_what_is_no_value_of_the_column_is_refused(days, column, value):
    with pytest.raises(ConfigurationError, match=f"first_run={value!r} .* watermark column {column!r}"):
        run(days, watermark_columns=(column,), first_run=value)


def test_first_run_with_an_id_begins_with_it(days):
    assert run(days, watermark_columns=("id",), first_run=3)[0] == [3, 4, 5]
    assert run(days, watermark_columns=("id",), first_run="4")[0] == [4, 5]


def test_rows_of_the_future_wait_for_their_time(days):
    days.execute("INSERT INTO t VALUES (9, '2999-01-01 00:00:00', 'b')")
    ids, after = run(days, watermark_columns=("at",))
    assert ids == [5, 4, 3, 2, 1]
    assert run(days, after, watermark_columns=("at",))[0] == []


def test_lag_holds_back_what_is_younger(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    for number, hours in enumerate((5, 3, 1), 1):
        legacy.execute(f"INSERT INTO t VALUES ({number}, '{now - dt.timedelta(hours=hours)}')")
    ids, after = run(legacy, watermark_columns=("at",), lag=dt.timedelta(hours=2))
    assert ids == [1, 2]
    assert run(legacy, after, watermark_columns=("at",), lag=dt.timedelta(minutes=30))[0] == [3]


@pytest.mark.parametrize(("zone", "expected"), [("Pacific/Kiritimati", [1, 2]), ("UTC", [1]), ("Pacific/Niue", [])])
def test_naive_times_are_read_in_the_source_timezone(legacy, zone, expected):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    for number, hours in enumerate((-6, 6), 1):
        legacy.execute(f"INSERT INTO t VALUES ({number}, '{now + dt.timedelta(hours=hours)}')")
    assert run(legacy, watermark_columns=("at",), source_timezone=zone)[0] == expected


def test_a_date_column_waits_for_its_day(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, day date NOT NULL)")
    today = dt.datetime.now(dt.UTC).date()
    for number, days in enumerate((-2, -1, 0, 2), 1):
        legacy.execute(f"INSERT INTO t VALUES ({number}, '{today + dt.timedelta(days=days)}')")
    horizon = legacy.dialect != "firebird"  # there, further rows of today may be open
    assert run(legacy, watermark_columns=("day",))[0] == ([1, 2] if horizon else [1, 2, 3])
    assert run(legacy, watermark_columns=("day",), lag=dt.timedelta(days=2))[0] == [1]
    ids, _ = run(legacy, watermark_columns=("day",), first_run=dt.datetime.combine(today, dt.time(8)))
    assert ids == ([] if horizon else [3])


def test_lag_on_what_is_no_time_is_refused(days):
    with pytest.raises(ConfigurationError, match=r"lag=1:00:00 was given, .* 'id' is (?i:int).*, not a time"):
        run(days, watermark_columns=("id",), lag=dt.timedelta(hours=1))


def test_a_negative_lag_is_refused(days):
    with pytest.raises(ConfigurationError, match=r"lag=.* is negative"):
        run(days, watermark_columns=("at",), lag=dt.timedelta(hours=-1))


def test_a_zone_that_is_unknown_is_refused(days):
    with pytest.raises(ConfigurationError, match="source_timezone='Europe/Lummerland'"):
        run(days, watermark_columns=("at",), source_timezone="Europe/Lummerland")


@pytest.mark.parametrize("column", ["at", "k"])
def test_a_null_in_watermark_or_key_fails_before_reading(legacy, column):
    legacy.execute("CREATE TABLE t (id integer, at integer, k integer)")
    legacy.execute("INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)")
    _, after = run(legacy, watermark_columns=("at",), key_columns=("k",))
    legacy.execute("INSERT INTO t VALUES (3, 3, 3)")
    legacy.execute(f"UPDATE t SET {column} = NULL WHERE id = 3")
    for at in (None, after):
        with pytest.raises(ConfigurationError, match=f"column {column!r} of table 't' .* is NULL in at least one row"):
            run(legacy, at, watermark_columns=("at",), key_columns=("k",))


def test_a_null_in_the_key_fails_a_full_load_before_reading(legacy):
    legacy.execute("CREATE TABLE t (id integer)")
    legacy.execute("INSERT INTO t VALUES (1), (NULL)")
    with pytest.raises(ConfigurationError, match="column 'id' of table 't'"):
        run(legacy, key_columns=("id",))


def test_another_server_is_refused_before_reading(days):
    _, after = run(days, watermark_columns=("at",))
    foreign = after._replace(facts={**after.facts, "server": {"system_identifier": "1"}})
    with pytest.raises(WatermarkError, match=r"--accept-server"):
        run(days, foreign, watermark_columns=("at",))


def test_other_columns_are_refused_before_reading(days):
    _, after = run(days, watermark_columns=("at",))
    with pytest.raises(WatermarkError, match=r"watermark_columns \['at'\], this run has \['id'\]"):
        run(days, after, watermark_columns=("id",))
    with pytest.raises(WatermarkError, match=r"key_columns \['id'\], this run has \['body', 'id'\]"):
        run(days, after, watermark_columns=("at",), key_columns=("body", "id"))


@pytest.mark.parametrize(
    "wrong", [{"lag": dt.timedelta(1)}, {"max_rows": 5}, {"first_run": "now"}], ids=["lag", "max_rows", "first_run"]
)
def test_what_only_a_watermark_can_do_is_refused_in_bulk(days, wrong):
    with pytest.raises(ConfigurationError, match=r"= was given with watermark_columns=\[\]"):
        run(days, **wrong)


def test_a_missing_index_is_advised_once_with_its_statement(days, caplog):
    with caplog.at_level(logging.WARNING):
        run(days, watermark_columns=("at",))
    assert "no index of table 't' begins with 'at'" in caplog.text
    assert "create index t_at on t (at, id)" in unquoted(caplog.text)


@pytest.mark.parametrize("indexed", ["at", "at, id", "at, body"])
def test_an_index_on_the_watermark_is_found(days, caplog, indexed):
    if days.dialect == "mysql":
        indexed = indexed.replace("body", "body(9)")
    days.execute(f"CREATE INDEX i ON t ({indexed})")
    with caplog.at_level(logging.WARNING):
        run(days, watermark_columns=("at",))
        run(days, watermark_columns=("id",))
    assert "no index" not in caplog.text


def test_a_table_without_any_index_is_advised_one_and_a_view_is_not(legacy, caplog):
    legacy.execute("CREATE TABLE t (id integer NOT NULL, at integer NOT NULL)")
    legacy.execute("CREATE VIEW v AS SELECT * FROM t")
    with caplog.at_level(logging.WARNING):
        run(legacy, table="v", watermark_columns=("at",), key_columns=("id",))
        assert caplog.text == ""
        run(legacy, watermark_columns=("at",), key_columns=("id",))
    assert "create index t_at on t (at, id)" in unquoted(caplog.text)


def test_a_connection_that_is_closed_reads_no_more(days):
    with days.source(watermark_columns=("at",), batch_rows=1) as source:
        reading = source.open(None).batches
        next(reading)
        source.database.close()
        with pytest.raises(SourceError, match="was closed by its run while reading"):
            next(reading)


def test_an_unfinished_watermark_without_values_begins_at_the_beginning(days):
    _, after = run(days, watermark_columns=("at",))
    ids, _ = run(days, Watermark(None, None, after.facts), watermark_columns=("at",))
    assert ids == [5, 4, 3, 2, 1]


def test_what_lag_holds_back_is_not_pending(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
    young = f"'{dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5):%Y-%m-%d %H:%M:%S}'"
    legacy.execute(f"INSERT INTO t VALUES (1, '2026-01-01 10:00:00'), (2, {young})")

    with legacy.source(watermark_columns=("at",), lag=dt.timedelta(hours=1)) as source:
        assert source.pending(None) == (1, ("2026-01-01 10:00:00", "1"))
    with legacy.source(watermark_columns=("at",)) as source:
        assert source.pending(None).rows == 2


def test_a_foreign_watermark_is_refused_when_asked_for_what_is_pending(days):
    _, after = run(days, watermark_columns=("at",))
    foreign = after._replace(facts={**after.facts, "server": {"system_identifier": "another"}})

    with days.source(watermark_columns=("at",)) as source, pytest.raises(WatermarkError, match="server"):
        source.pending(foreign)


def test_a_full_load_has_nothing_to_look_for(days):
    with days.source() as source, pytest.raises(ConfigurationError, match=r"watermark_columns=\[\] .*always pending"):
        source.pending(None)
