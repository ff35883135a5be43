"""Times that SQLite keeps as text: one spelling a column, every bound in it, and what is refused."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model import Window
from airflow_legacy_events.databases.sqlite.spelling import respelled, shortest, spelling_of
from tests.support.legacy import legacy_database

UTC = dt.UTC
SPELLED = {
    "blank": ("TIMESTAMP", "%Y-%m-%d %H:%M:%S"),
    "T": ("DATETIME", "%Y-%m-%dT%H:%M:%S"),
    "minutes": ("TIMESTAMP", "%Y-%m-%d %H:%M"),
    "microseconds": ("TIMESTAMP", "%Y-%m-%dT%H:%M:%S.%f"),
    "Z": ("TIMESTAMP WITH TIME ZONE", "%Y-%m-%dT%H:%M:%SZ"),
    "milliseconds Z": ("TIMESTAMPTZ", "%Y-%m-%dT%H:%M:%S.000Z"),
    "offset": ("TIMESTAMPTZ", "%Y-%m-%d %H:%M:%S+00:00"),
    "offset behind a blank": ("TIMESTAMPTZ", "%Y-%m-%dT%H:%M:%S +00:00"),
    "without an offset, as UTC": ("TIMESTAMPTZ", "%Y-%m-%d %H:%M:%S"),
    "text": ("TEXT", "%Y-%m-%dT%H:%M:%S"),
    "no type": ("", "%Y-%m-%dT%H:%M:%S"),
}
BERLIN = dt.timezone(dt.timedelta(hours=2))


@pytest.fixture
def legacy(request):
    with legacy_database(request, "sqlite") as found:
        yield found


def table(legacy, declared="TIMESTAMP", *, index=True):
    legacy.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, at {declared} NOT NULL)")
    if index:
        legacy.execute("CREATE INDEX by_at ON t (at)")


def add(legacy, *times):
    for time in times:
        legacy.execute("INSERT INTO t (at) VALUES (?)", time)


def run(legacy, at=None, window=None, **options):
    """The ids, and the watermark after them."""
    options.setdefault("watermark_columns", ("at",))
    options.setdefault("key_columns", ("id",))
    with legacy.source(**options) as source:
        horizon, reading = source.open(at, window)
        batches = list(reading)
    ids = [row[batch.shape.named(range(len(row))).index("id")] for batch in batches for row in batch.rows]
    if not batches:
        return ids, at
    return ids, batches[-1].after._replace(facts={**horizon.facts, **batches[-1].after.facts})


def hours(form, day=1):
    """Every hour of a day; the ids are the hours and one."""
    return [dt.datetime(2026, 1, day, hour).strftime(form) for hour in range(24)]  # noqa: DTZ001


@pytest.mark.parametrize("spelled", SPELLED)
@pytest.mark.parametrize("index", [True, False])
def test_a_first_run_begins_at_its_moment_however_times_are_written(legacy, spelled, index):
    declared, form = SPELLED[spelled]
    table(legacy, declared, index=index)
    add(legacy, *hours(form))
    for first in ("2026-01-01T08:00:00", "2026-01-01 08:00:00", dt.datetime(2026, 1, 1, 8)):  # noqa: DTZ001
        for batch_rows in (3, 100):
            assert run(legacy, first_run=first, batch_rows=batch_rows)[0] == list(range(9, 25)), first


@pytest.mark.parametrize("spelled", [name for name in SPELLED if name not in ("text", "no type")])
def test_a_replay_holds_its_window_however_times_are_written(legacy, spelled):
    declared, form = SPELLED[spelled]
    table(legacy, declared)
    add(legacy, *hours(form))
    window = Window(None, "2026-01-01T08:00:00+00:00", "2026-01-01T10:00:00+00:00")
    for batch_rows in (1, 100):
        assert run(legacy, window=window, batch_rows=batch_rows)[0] == [9, 10]
    whole = Window(None, "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00")
    assert run(legacy, window=whole)[0] == list(range(1, 25))


@pytest.mark.parametrize("spelled", SPELLED)
def test_runs_go_on_where_the_last_one_ended_and_pages_may_be_small(legacy, spelled):
    declared, form = SPELLED[spelled]
    table(legacy, declared)
    add(legacy, *hours(form))
    sent, at = run(legacy, batch_rows=5)
    assert run(legacy, at)[0] == []
    legacy.execute("DELETE FROM t WHERE id = 24")
    add(legacy, *hours(form, 2))
    more, at = run(legacy, at, batch_rows=5)
    assert (sent, more) == (list(range(1, 25)), list(range(24, 48)))
    assert run(legacy, at)[0] == []


def test_any_length_of_a_fraction_is_one_spelling(legacy):
    table(legacy)
    times = ["2026-01-01", "2026-01-01 08:00", "2026-01-01 08:00:00", "2026-01-01 08:00:00.5", "2026-01-01 08:00:00.51"]
    add(legacy, *times, "2026-01-01 08:00:01")
    for batch_rows in (1, 100):
        sent, at = run(legacy, batch_rows=batch_rows)
        assert sent == [1, 2, 3, 4, 5, 6]
    assert run(legacy, first_run="2026-01-01 08:00:00.500000")[0] == [4, 5, 6]
    add(legacy, "2026-01-01 08:00:01.000001")
    assert run(legacy, at)[0] == [7]


def test_lengths_of_a_fraction_before_an_equal_offset_are_one_spelling(legacy):
    table(legacy, "TIMESTAMPTZ")
    add(legacy, "2026-01-01 08:00:00+02:00", "2026-01-01 08:00:00.5+02:00", "2026-01-01 08:00:01+02:00")
    assert run(legacy, first_run=dt.datetime(2026, 1, 1, 8, 0, 0, 500000, BERLIN))[0] == [2, 3]


REFUSED = {
    "T and blank": ("TIMESTAMP", "2026-01-01T10:00:00", "2026-01-01 11:00:00"),
    "T and blank in a text": ("TEXT", "2026-01-01T10:00:00", "2026-01-01 11:00:00"),
    "T and blank without a type": ("", "2026-01-01T10:00:00", "2026-01-01 11:00:00"),
    "two blanks": ("TIMESTAMP", "2026-01-01 10:00:00", "2026-01-01  11:00:00"),
    "unlike offsets": ("TIMESTAMPTZ", "2026-01-01 12:00:00+02:00", "2026-01-01 10:30:00+00:00"),
    "unlike offsets as the clock goes back": (
        "TIMESTAMPTZ",
        "2025-10-26T02:30:00+02:00",
        "2025-10-26T02:10:00+01:00",
    ),
    "offset and Z": ("TIMESTAMPTZ", "2026-01-01 12:00:00+02:00", "2026-01-01 10:30:00Z"),
    "offset and none": ("TIMESTAMP", "2026-01-01 10:00:00", "2026-01-01 09:30:00-02:00"),
    "fraction before Z": ("TIMESTAMPTZ", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.5Z"),
}


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("case", REFUSED)
def test_a_row_that_another_spelling_puts_below_the_watermark_is_found(legacy, case, index):
    declared, first, second = REFUSED[case]
    table(legacy, declared, index=index)
    early = (dt.datetime.fromisoformat(first) - dt.timedelta(hours=3)).strftime("%Y-%m-%d")
    add(legacy, first.replace(first[:10], early), first)
    at = run(legacy)[1]
    add(legacy, second)
    with pytest.raises(
        SourceError, match=r"column 'at' stores times as text in more than one format.*strftime"
    ) as told:
        run(legacy, at)
    assert second not in str(told.value)
    assert first not in str(told.value)
    assert not told.value.retry_helps


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("batch_rows", [1, 100])
def test_a_second_spelling_in_a_page_is_refused(legacy, case, batch_rows):
    declared, first, second = REFUSED[case]
    table(legacy, declared)
    add(legacy, first, second)
    with pytest.raises(SourceError, match="column 'at' stores times as text in more than one format"):
        run(legacy, batch_rows=batch_rows)


@pytest.mark.parametrize("pending", [False, True])
def test_a_source_that_is_asked_again_and_again_finds_it_too(legacy, pending):
    table(legacy)
    add(legacy, "2026-01-01T10:00:00")
    at = run(legacy)[1]
    with legacy.source(watermark_columns=("at",)) as source:
        ask = source.pending if pending else source.open
        ask(at)
        add(legacy, "2026-01-01 11:00:00")
        with pytest.raises(SourceError, match="more than one format"):
            ask(at)


UNREADABLE = (
    "2026-01-01 10:00:00 +0000",
    "2026-01-01 10:00:00+00",
    "2026-13-01 10:00:00",
    "2026-01-01 25:00:00",
    "2026-01-01 10:00:00 UTC",
    "2026-01-01t10:00:00",
)


@pytest.mark.parametrize("unreadable", UNREADABLE)
def test_a_time_that_sqlite_can_not_read_is_refused(legacy, unreadable):
    assert legacy.execute("SELECT julianday(?)", unreadable) == [(None,)]
    table(legacy)
    add(legacy, unreadable)
    with pytest.raises(SourceError, match=r"column 'at' is declared 'TIMESTAMP' but a row holds.*sql=") as told:
        run(legacy)
    assert unreadable not in str(told.value)


def test_one_that_it_can_not_read_among_others_is_refused_and_so_is_a_number(legacy):
    for odd in ("2026-01-01 09:00:00 +0000", 1767225600):
        table(legacy)
        add(legacy, "2026-01-01 08:00:00", odd, "2026-01-01 10:00:00")
        with pytest.raises(SourceError, match=r"column 'at' is declared 'TIMESTAMP' but a row holds.*sql="):
            run(legacy)
        legacy.execute("DROP TABLE t")


def test_rows_of_tomorrow_wait_whatever_their_spelling(legacy):
    now = dt.datetime.now(UTC)
    for number, form in enumerate(("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%SZ")):
        table(legacy, "TIMESTAMPTZ")
        add(legacy, *((now + dt.timedelta(hours=hour)).strftime(form) for hour in (-2, -1, 24)))
        assert run(legacy)[0] == [1, 2], number
        legacy.execute("DROP TABLE t")


def test_what_ordinary_columns_hold_is_not_refused(legacy):
    """A far date that stands for none, a history in another spelling elsewhere, other columns, texts that are none."""
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL, other TIMESTAMP, body TEXT)")
    legacy.execute("CREATE INDEX by_at ON t (at)")
    for other in ("2026-01-01 09:00:00", "2026-01-01T09:00:00", "23.11.2026", None, 5):
        legacy.execute("INSERT INTO t (at, other) VALUES ('2026-01-01T10:00:00', ?)", other)
    legacy.execute("INSERT INTO t (at) VALUES ('9999-12-31')")
    sent, at = run(legacy)
    assert sent == [1, 2, 3, 4, 5]
    add(legacy, "2025-12-31 10:00:00", "2026-01-01T10:00:01")
    assert run(legacy, at)[0] == [8]
    assert run(legacy, watermark_columns=("id",), key_columns=None)[0] == list(range(1, 9))


def test_a_text_column_that_holds_no_times_is_read_as_texts(legacy):
    table(legacy, "TEXT")
    add(legacy, "a", "2026-01-01 is a day", "2026-01-01T10:00:00", "v2026-01-01 10:00:00", "b")
    sent, at = run(legacy, batch_rows=2)
    assert sent == [2, 3, 1, 5, 4]
    add(legacy, "w", "2026-01-02")
    assert run(legacy, at)[0] == [6]


def test_a_full_load_by_a_key_of_times_sends_all_spellings(legacy):
    legacy.execute("CREATE TABLE t (at TIMESTAMP PRIMARY KEY, id INTEGER)")
    for number, at in enumerate(("2026-01-01T10:00:00", "2026-01-01 11:00:00", "2026-01-01 +0000")):
        legacy.execute("INSERT INTO t VALUES (?, ?)", at, number)
    with legacy.source(watermark_columns=(), key_columns=("at",), batch_rows=1) as source:
        assert sum(batch.count for batch in source.open(None).batches) == 3


def test_a_column_that_was_brought_to_another_spelling_goes_on(legacy):
    table(legacy)
    add(legacy, "2026-01-01T10:00:00", "2026-01-01T11:00:00")
    at = run(legacy)[1]
    legacy.execute("UPDATE t SET at = replace(at, 'T', ' ')")
    add(legacy, "2026-01-01 11:30:00")
    sent, at = run(legacy, at)
    assert (sent, at.values) == ([3], ("2026-01-01 11:30:00", "3"))


def test_a_source_that_is_asked_for_long_meets_a_column_that_was_brought_to_another_spelling(legacy):
    table(legacy)
    add(legacy, "2026-01-01T10:00:00")
    at = run(legacy)[1]
    with legacy.source(watermark_columns=("at",)) as source:
        assert source.pending(at).rows == 0
        legacy.execute("UPDATE t SET at = '2026-01-02 10:00:00'")
        assert source.pending(at).rows == 1


def test_a_first_run_of_an_empty_table_begins_at_its_moment_later(legacy):
    table(legacy)
    at = run(legacy, first_run="2026-01-01 08:00:00")[1]
    add(legacy, *hours("%Y-%m-%dT%H:%M:%S"))
    assert run(legacy, at)[0] == list(range(9, 25))


def test_a_bound_is_written_as_the_values_are_once_times_are_meant(legacy):
    table(legacy)
    add(legacy, *hours("%Y-%m-%dT%H:%M:%S"))
    database = legacy.database()
    column = database.reflect("t", None).columns[1]
    assert database.bind("2026-01-01 08:00:00", column) == "2026-01-01 08:00:00"
    database.timed(column)
    assert database.bind("2026-01-01 08:00:00", column) == "2026-01-01T08:00:00"
    assert database.bind("2026-01-01 08:30:00", column) == "2026-01-01T08:30"
    database.close()


def test_two_tables_of_one_database_object_keep_their_own_spellings(legacy):
    for name, form in (("t", "%Y-%m-%dT%H:%M:%S"), ("u", "%Y-%m-%d %H:%M:%S")):
        legacy.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, at TIMESTAMP)")
        for time in hours(form):
            legacy.execute(f"INSERT INTO {name} (at) VALUES (?)", time)
    database = legacy.database()
    columns = [database.reflect(name, None).columns[1] for name in ("t", "u")]
    for column in columns:
        database.timed(column)
    for _ in range(2):
        assert [database.bind("2026-01-01 08:00:00", one)[10] for one in columns] == ["T", " "]
    database.close()


def test_a_replay_keeps_its_window_where_another_column_changes_in_the_middle(legacy):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL, v INTEGER)")
    for time in hours("%Y-%m-%dT%H:%M:%S"):
        legacy.execute("INSERT INTO t (at, v) VALUES (?, 1)", time)
    window = Window(None, "2026-01-01T08:00:00+00:00", "2026-01-01T14:00:00+00:00")
    with legacy.source(watermark_columns=("at",), batch_rows=2) as source:
        batches = source.open(None, window).batches
        found = [row[0] for row in next(batches).rows]
        legacy.execute("ALTER TABLE t DROP COLUMN v")
        legacy.execute("ALTER TABLE t ADD COLUMN v TEXT")
        found += [row[0] for batch in batches for row in batch.rows]
    assert found == [9, 10, 11, 12, 13, 14]


def test_a_query_and_a_view_are_read_alike_and_the_remedy_works(legacy):
    table(legacy)
    add(legacy, *hours("%Y-%m-%dT%H:%M:%S"))
    legacy.execute("CREATE VIEW v AS SELECT id, at FROM t WHERE id > 0")
    for options in ({"table": "v"}, {"sql": "SELECT id, at FROM t"}):
        assert run(legacy, first_run="2026-01-01 08:00:00", **options)[0] == list(range(9, 25))
    add(legacy, "2026-01-01 12:30:00", "2999-01-01")
    sql = "SELECT id, strftime('%Y-%m-%d %H:%M:%f', at) AS at FROM t WHERE julianday(at) <= julianday('now')"
    assert run(legacy, sql=sql, first_run="2026-01-01T12:00:00")[0] == [13, 25, *range(14, 25)]


def test_a_quiet_poll_costs_one_statement_more(legacy, monkeypatch):
    table(legacy)
    add(legacy, *hours("%Y-%m-%d %H:%M:%S"))
    at = run(legacy)[1]
    with legacy.source(watermark_columns=("at",)) as source:
        source.pending(at)
        seen = []
        source.database._session.set_trace_callback(seen.append)
        assert source.pending(at).rows == 0
    assert [one for one in seen if "min(" in one] == []
    assert len([one for one in seen if not one.startswith(("BEGIN", "ROLLBACK"))]) <= 4


@pytest.mark.parametrize("index", [True, False])
def test_a_bound_enters_an_index_or_reads_its_source_once(legacy, index):
    table(legacy, index=index)
    add(legacy, *hours("%Y-%m-%d %H:%M:%S"))
    database = legacy.database()
    grouped = database.reflect(None, "SELECT max(id) AS id, at FROM t GROUP BY substr(at, 1, 13)").columns[1]
    for column, steps in ((database.reflect("t", None).columns[1], None if index else 1), (grouped, 1)):
        database.timed(column)
        seen: list[str] = []
        database._session.set_trace_callback(seen.append)
        assert database.bind("2026-01-01T08:00:00", column) == "2026-01-01 08:00:00"
        database._session.set_trace_callback(None)
        asked = [one for one in seen if one.lstrip().startswith("SELECT")]
        plans = [legacy.execute(f"EXPLAIN QUERY PLAN {one}") for one in asked]
        scans = [[step[-1] for step in plan if str(step[-1]).startswith("SCAN t")] for plan in plans]
        assert {len(one) for one in scans} == {steps or 0}
    database.close()


FORMS = ["2026-01-31", "2026-01-31 09:15", "2026-01-31T09:15:02", "2026-01-31 09:15:02.25", "2026-01-31T00:00:00"]


@pytest.mark.parametrize("suffix", ["", "+02:00", " -05:30", "Z"])
def test_what_sorts_together_is_what_sorts_as_time_does(legacy, suffix):
    """Every pair of texts that is called one spelling, against SQLite's own reading of them."""
    texts = [one + (suffix if len(one) > 10 else "") for one in FORMS] + ["2026-01-31 09:15:02", "2026-01-31 09:15:02Z"]
    for one, other in itertools.permutations(texts, 2):
        if spelling_of(one).sorts_with(spelling_of(other)):
            [(early, late)] = legacy.execute("SELECT julianday(?), julianday(?)", one, other)
            assert (early <= late) if one < other else (early >= late), (one, other)


@pytest.mark.parametrize("form", [form for _, form in SPELLED.values()])
def test_a_bound_in_another_spelling_is_the_same_moment(legacy, form):
    moment = dt.datetime(2026, 1, 31, 9, 15, 0, tzinfo=UTC)
    wanted = spelling_of(moment.strftime(form))
    for text in ("2026-01-31 09:15:00", "2026-01-31T09:15:00.000000", "2026-01-31 10:15+01:00", "2026-01-31T09:15:00Z"):
        found = respelled(text, wanted, naive_is_utc=True)
        assert spelling_of(found).sorts_with(wanted)
        assert legacy.execute("SELECT julianday(?) = julianday(?)", text, found) == [(1,)], text
        assert shortest(found, spelling_of(found)) <= moment.strftime(form)


def test_the_shortest_text_of_a_moment_sorts_before_all_others():
    assert shortest("2026-01-31 00:00:00.000", spelling_of("2026-01-31 00:00")) == "2026-01-31"
    assert shortest("2026-01-31T10:00:00+02:00", spelling_of("2026-01-31T10:00+02:00")) == "2026-01-31T10:00+02:00"
    assert respelled("2026-01-31 24:00:00", spelling_of("2026-01-31T10:00"), naive_is_utc=False) > "2026-01-31T23:59:59"
    assert respelled("2026-01-31 10:00", spelling_of("2026-01-31T10:00Z"), naive_is_utc=False) is None


@pytest.mark.parametrize("odd", ["2026-01-02T10:00:00", "2026-01-02 10:00:00 +0000", "2026-01-02 24:30:00Z"])
def test_a_page_is_read_to_its_end_before_any_of_it_is_sent(legacy, odd):
    table(legacy)
    add(legacy, *hours("%Y-%m-%d %H:%M:%S"), odd, *hours("%Y-%m-%d %H:%M:%S", 3))
    database = legacy.database()
    columns = database.reflect("t", None).columns
    database.timed(columns[1])
    page = sa.select(sa.column("id"), sa.column("at")).select_from(sa.table("t")).order_by(sa.column("at"))
    with pytest.raises(SourceError, match=r"column 'at' .*sql=") as told:
        database.read(page.execution_options(expected=columns), 1_000_000)
    assert odd not in str(told.value)
    database.close()
