"""What a replay and a rerun read, on every database: bounds, order, resumption, and what they refuse."""

from __future__ import annotations

import itertools
import logging

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Span, Watermark, Window
from tests.support.engines import EACH
from tests.support.legacy import reused_database, unquoted

DAY = "2026-01-0{}T00:00:00+00:00"


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def days(legacy):
    """Two rows a day, at midnight and at noon, of 1 to 4 January; the ids go the other way."""
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp, day date, body text)")
    for number in range(8):
        day = 1 + number // 2
        at = f"2026-01-0{day} {'12' if number % 2 else '00'}:00:00"
        legacy.execute(f"INSERT INTO t VALUES ({8 - number}, '{at}', '2026-01-0{day}', 'b')")
    return legacy


def window(low, high, column=None):
    return Window(column, DAY.format(low), DAY.format(high))


def read(legacy, what, at=None, *, stop_after=None, **options):
    """The ids, in batches, and the watermark that the next try of the same window gets."""
    options.setdefault("watermark_columns", ("at",))
    with legacy.source(**options) as source:
        horizon, reading = source.open(at, what)
        batches = list(reading)[:stop_after]
    ids = [[int(row[batch.shape.named(range(len(row))).index("id")]) for row in batch.rows] for batch in batches]
    last = batches[-1].after
    return [one for one in ids if one], last._replace(facts={**horizon.facts, **last.facts}), batches


def ids(legacy, what, **options):
    return [one for batch in read(legacy, what, **options)[0] for one in batch]


def test_a_window_holds_its_beginning_and_not_its_end(days):
    assert ids(days, window(2, 3)) == [6, 5]


def test_windows_side_by_side_hold_every_row_once(days):
    assert [ids(days, window(day, day + 1)) for day in (0 + 1, 2, 3, 4)] == [[8, 7], [6, 5], [4, 3], [2, 1]]


def test_rows_come_in_the_order_of_the_window_column_then_the_key_whatever_the_batches(days):
    days.execute("INSERT INTO t VALUES (20, '2026-01-02 12:00:00', NULL, 'b'), (10, '2026-01-02 12:00:00', NULL, 'b')")
    assert read(days, window(2, 4), batch_rows=2)[0] == [[6, 5], [10, 20], [4, 3]]
    assert ids(days, window(2, 4), batch_rows=1) == [6, 5, 10, 20, 4, 3]


def test_a_replay_is_of_op_r_with_counter_0_and_its_last_batch_is_final(days):
    batches = read(days, window(2, 3), batch_rows=1)[2]
    assert [(batch.op, batch.counter, batch.count, batch.final) for batch in batches] == [
        ("r", 0, 1, False),
        ("r", 0, 1, False),
        ("r", 0, 0, True),
    ]


def test_an_empty_window_is_one_empty_final_batch(days):
    assert [(batch.count, batch.final) for batch in read(days, window(6, 7))[2]] == [(0, True)]


def test_another_try_goes_on_where_the_last_one_was_saved(days):
    first, after, _ = read(days, window(1, 4), batch_rows=2, stop_after=2)
    second, _, _ = read(days, window(1, 4), after)
    assert (first, second) == ([[8, 7], [6, 5]], [[4, 3]])


def test_an_empty_progress_begins_at_the_beginning(days):
    _, after, _ = read(days, window(1, 4), batch_rows=2, stop_after=1)
    assert read(days, window(1, 4), after._replace(values=None))[0] == [[8, 7, 6, 5, 4, 3]]


def test_the_progress_of_another_window_counts_for_nothing(days):
    _, after, _ = read(days, window(1, 4), stop_after=1)
    assert read(days, window(1, 3), after)[0] == [[8, 7, 6, 5]]


def test_a_budget_of_rows_does_not_cut_a_window(days):
    assert ids(days, window(1, 4), max_rows=1) == [8, 7, 6, 5, 4, 3]


def test_rows_are_sent_as_they_are_now(days):
    days.execute("UPDATE t SET at = '2026-01-04 01:00:00' WHERE id = 6")
    days.execute("DELETE FROM t WHERE id = 5")
    assert ids(days, window(2, 3)) == []
    assert ids(days, window(4, 5)) == [2, 6, 1]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ("2026-01-02T00:00:00Z", "2026-01-02T12:00:00Z", [6]),
        ("2026-01-02T01:00:00+01:00", "2026-01-02T13:00:00+01:00", [6]),
        ("2026-01-02T00:00:00.000001Z", "2026-01-02T12:00:00.000001Z", [5]),
    ],
)
def test_moments_may_be_of_any_zone_and_digits(days, low, high, expected):
    if days.dialect == "firebird":  # its times have four digits
        low, high = low.replace(".000001", ".0001"), high.replace(".000001", ".0001")
    assert ids(days, Window(None, low, high)) == expected


def test_a_naive_column_is_read_in_the_source_timezone(days):
    low, high = "2026-01-01T23:00:00Z", "2026-01-02T11:00:00Z"
    assert ids(days, Window(None, low, high), source_timezone="Europe/Berlin") == [6]


INSIDE = [
    ("00:30", "03:00", {2, 3, 4, 5, 6}),  # begins in the first showing of 02:00 to 03:00
    ("01:30", "03:00", {4, 5, 6}),  # begins in the second one
    ("00:00", "01:30", {1, 2, 3, 4}),  # ends there
    ("00:10", "00:40", {1, 2}),
    ("01:10", "01:40", {3, 4}),
    ("02:00", "03:00", {5, 6}),  # lies behind it
]


def test_a_bound_inside_the_hour_that_the_clock_shows_twice_leaves_out_none_of_its_rows(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp)")
    for number, at in enumerate(["02:15", "02:35", "02:12", "02:20", "03:05", "03:59"], 1):
        legacy.execute(f"INSERT INTO t VALUES ({number}, '2025-10-26 {at}:00')")
    for low, high, rows in INSIDE:
        window = Window(None, f"2025-10-26T{low}Z", f"2025-10-26T{high}Z")
        found = set(ids(legacy, window, source_timezone="Europe/Berlin"))
        assert rows <= found <= ({5, 6} if low == "02:00" else {1, 2, 3, 4, *rows})
        first, until = f"2025-10-26T{low}+00:00", ("2025-10-26 03:59:00", "6")
        assert rows <= set(ids(legacy, Span(None, until), source_timezone="Europe/Berlin", first_run=first))


def test_a_column_of_dates_holds_each_day_in_the_window_of_its_midnight(days):
    hours = [f"2026-01-02T{hour:02}:00:00Z" for hour in (0, 6, 12, 18)] + ["2026-01-03T00:00:00Z"]
    found = [ids(days, Window("day", low, high), watermark_columns=("id",)) for low, high in itertools.pairwise(hours)]
    assert found == [[5, 6], [], [], []]
    assert ids(days, window(2, 4, "day"), watermark_columns=("id",)) == [5, 6, 3, 4]


def test_the_time_column_may_be_none_of_the_watermark_columns_and_is_not_sent_unless_asked(days):
    batches = read(days, window(2, 3, "at"), watermark_columns=("id",), columns=("id", "body"))[2]
    shape = batches[0].shape
    assert [row[0] for row in batches[0].rows] in ([6, 5], ["6", "5"])
    assert shape.named(shape.data) == ("id", "body")
    assert shape.named(shape.watermark) == ("id",)


def test_a_table_without_a_watermark_is_cut_by_its_time_column(days):
    assert ids(days, window(3, 4, "at"), watermark_columns=()) == [4, 3]


def test_a_window_may_be_of_values_of_the_first_watermark_column(days):
    assert ids(days, Window(None, "2", "5"), watermark_columns=("id",)) == [2, 3, 4]
    assert ids(days, Window("at", "2", "5"), watermark_columns=("id",)) == [2, 3, 4]
    assert ids(days, Window(None, "a", "c"), watermark_columns=("body",)) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_rows_without_a_time_lie_in_no_window(days):
    days.execute("UPDATE t SET at = NULL WHERE id = 6")
    assert ids(days, window(2, 3)) == [5]


def test_a_null_in_the_key_is_refused_where_it_lies_in_the_window(legacy):
    legacy.execute("CREATE TABLE t (id integer, at timestamp)")
    legacy.execute("INSERT INTO t VALUES (1, '2026-01-01 10:00:00'), (NULL, '2026-01-02 10:00:00')")
    assert ids(legacy, window(1, 2), key_columns=("id",)) == [1]
    with pytest.raises(ConfigurationError, match=r"column 'id' of table 't' .* is NULL in at least one row"):
        ids(legacy, window(2, 3), key_columns=("id",))


@pytest.mark.parametrize(
    ("asked", "columns", "message"),
    [
        (("2026-01-01", "2026-01-02"), ("at",), "is in the time column 'at' but has no offset"),
        (("2026-01-01T00:00:00Z", "2026-01-02"), ("at",), "mixes a moment with something else"),
        (("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"), ("at",), "is empty"),
        (("2026-01-02T00:00:00Z", "2026-01-02T00:00:00+01:00"), ("at",), "is empty"),
        (("5", "5"), ("id",), "is empty"),
        (("five", "9"), ("id",), "replay='five' was given, but the first watermark column 'id'"),
        (("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), ("id",), "no watermark column is a time.*time_column="),
        (("1", "2"), (), "there is none"),
    ],
)
def test_a_window_that_cannot_be_cut_is_refused_before_reading(days, asked, columns, message):
    with pytest.raises(ConfigurationError, match=message) as refused:
        ids(days, Window(None, *asked), watermark_columns=columns)
    assert "nothing was read" in str(refused.value)


def test_a_time_column_that_is_none_or_missing_is_refused(days):
    with pytest.raises(ConfigurationError, match=r"time_column='body' is .*, not a time"):
        ids(days, window(1, 2, "body"), watermark_columns=("id",))
    with pytest.raises(ConfigurationError, match=r"no column 'nope'.* time_column,"):
        ids(days, window(1, 2, "nope"), watermark_columns=("id",))


@pytest.mark.parametrize("indexed", [True, False])
def test_a_missing_index_for_the_window_is_advised(days, caplog, indexed):
    if indexed:
        days.execute("CREATE INDEX i ON t (at, id)")
    with caplog.at_level(logging.WARNING):
        ids(days, window(1, 2, "at"), watermark_columns=())
    assert ("create index t_at on t (at, id)" in unquoted(caplog.text)) is not indexed


FIRST_TWO = Span(("2026-01-01 00:00:00", "8"), ("2026-01-02 00:00:00", "6"))


def test_a_rerun_reads_what_the_live_run_moved_through_with_its_op(days):
    batches = read(days, FIRST_TWO)[2]
    assert ids(days, FIRST_TWO) == [7, 6]
    assert {batch.op for batch in batches} == {"u"}
    assert {batch.op for batch in read(days, Span(("2",), ("5",)), watermark_columns=("id",))[2]} == {"c"}


def test_a_rerun_of_a_first_run_begins_where_that_one_began(days):
    until = ("2026-01-02 00:00:00", "6")
    assert ids(days, Span(None, until)) == [8, 7, 6]
    assert ids(days, Span(None, until), first_run="2026-01-01 12:00:00") == [7, 6]
    assert ids(days, Span(None, until), first_run="now") == []
    assert ids(days, FIRST_TWO._replace(included=True)) == [8, 7, 6]


def test_a_rerun_of_a_run_that_found_nothing_sends_nothing(days):
    assert ids(days, Span((), ())) == []
    assert ids(days, Span(FIRST_TWO.until, FIRST_TWO.until)) == []


def test_a_rerun_goes_on_where_an_earlier_try_of_it_was_saved(days):
    what = Span(None, ("2026-01-02 12:00:00", "5"))
    first, after, _ = read(days, what, batch_rows=1, stop_after=2)
    assert first == [[8], [7]]
    assert read(days, what, after)[0] == [[6, 5]]
    assert isinstance(after, Watermark)


@pytest.mark.parametrize(
    ("also", "first_run", "sent"),
    [
        (("2026-01-01 00:00:00", "8"), "all", [7, 6, 5, 4]),
        (("2026-01-02 12:00:00", "5"), "all", [6, 5, 4]),
        (("2026-01-01 12:00:00",), "all", [7, 6, 5, 4]),
        ((), "all", [8, 7, 6, 5, 4]),
        (None, "all", [8, 7, 6, 5, 4]),
        (None, "2026-01-01 12:00:00", [7, 6, 5, 4]),
        (None, "2026-01-03 00:00:00", [6, 5, 4]),
    ],
)
def test_a_rerun_of_a_run_whose_tries_began_at_several_places_begins_at_the_lowest(days, also, first_run, sent):
    what = Span(("2026-01-01 12:00:00", "7"), ("2026-01-03 00:00:00", "4"), also=((also, False),))
    assert ids(days, what, first_run=first_run) == sent
    swapped = Span(also, what.until, also=((what.after, False),))
    assert ids(days, swapped, first_run=first_run) == sent


@pytest.mark.parametrize(
    "change", [{"server": "another"}, {"key_columns": ["at"]}, {"columns": [["id", "uuid"]]}], ids=str
)
def test_a_progress_on_another_server_or_in_other_columns_counts_for_nothing(days, change):
    _, after, _ = read(days, window(1, 4), batch_rows=2, stop_after=1)
    assert read(days, window(1, 4), after)[0] == [[6, 5, 4, 3]]

    foreign = after._replace(facts={**after.facts, **change})
    assert read(days, window(1, 4), foreign)[0] == [[8, 7, 6, 5, 4, 3]]
