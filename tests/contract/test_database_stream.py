"""What every database promises of a stream: one statement whose rows are taken page by page."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import EnvelopeError, SourceError
from tests.support.engines import EACH
from tests.support.legacy import reused_database

ROWS = 300
BYTES = 8 * 2**20


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute(f"CREATE TABLE t (n integer NOT NULL, body {found.engine.long_text})")
        for number in range(ROWS):
            found.execute(f"INSERT INTO t VALUES ({number}, 'body {number % 3}')")
        yield found


def all_rows(database) -> sa.Select:
    found = database.reflect("t", None)
    columns = [sa.column("n"), database.bounded(found.columns[1])]
    return sa.select(*columns).select_from(found.selectable).execution_options(expected=found.columns)


def taken(pages) -> list[int]:
    return [int(row[0]) for page in pages for row in page]


@pytest.mark.parametrize("limit", [1, 7, 128, 150, ROWS, ROWS + 1])
def test_every_row_comes_once_in_pages_of_the_limit(database, limit):
    with database.stream(all_rows(database), limit, BYTES) as pages:
        found = list(pages)
    assert sorted(taken(found)) == list(range(ROWS))
    assert {len(page) for page in found[:-1]} <= {limit}
    assert len(found[-1]) == ROWS % limit or limit


def test_it_reads_one_state_while_others_write_and_the_database_is_asked(legacy, database):
    query = all_rows(database)
    with database.stream(query, 10, BYTES) as pages:
        found = taken([next(pages)])
        legacy.execute("DELETE FROM t WHERE n > 200")
        legacy.execute("INSERT INTO t VALUES (1000, 'new')")
        assert int(database.read(sa.select(sa.func.count()).select_from(sa.table("t")))[0][0]) == 202
        with database.stream(query, ROWS, BYTES) as others:
            assert len(taken(others)) == 202
        found += taken(pages)
    assert sorted(found) == list(range(ROWS))


def test_one_that_is_left_in_its_middle_leaves_a_database_that_reads_on(database):
    query = all_rows(database)
    for _ in range(3):
        with database.stream(query, 10, BYTES) as pages:
            assert len(next(pages)) == 10
    assert len(database.read(query)) == ROWS


def test_the_time_of_its_reader_counts_for_no_timeout(legacy):
    legacy.execute(f"UPDATE t SET body = {legacy.engine.mark}", "x" * 20_000)
    database = legacy.database(timeout=0.4)
    with database.stream(all_rows(database), 10, BYTES) as pages:
        found = taken([next(pages)])
        threading.Event().wait(0.8)
        found += taken(pages)
    database.close()
    assert sorted(found) == list(range(ROWS))


def test_wide_rows_among_narrow_ones_come_in_small_pages(legacy, database):
    legacy.execute(f"UPDATE t SET body = {legacy.engine.mark} WHERE n > 280", "x" * 400_000)
    with database.stream(all_rows(database), ROWS, 1_000_000) as pages:
        found = list(pages)
    assert sorted(taken(found)) == list(range(ROWS))
    assert 2 <= len(found) <= 20


def test_a_row_above_the_limit_is_refused(legacy):
    legacy.execute(f"UPDATE t SET body = {legacy.engine.mark} WHERE n = 200", "x" * 3_000_000)
    database = legacy.database(max_row_bytes=2 * 2**20)
    with pytest.raises(EnvelopeError), database.stream(all_rows(database), 10, BYTES) as pages:
        taken(pages)
    assert int(database.read(sa.select(sa.func.count()).select_from(sa.table("t")))[0][0]) == ROWS
    database.close()


def test_columns_that_are_others_by_now_are_refused_before_a_row(legacy, database):
    query = all_rows(database)
    database.close()
    legacy.execute("DROP TABLE t")
    legacy.execute("CREATE TABLE t (n integer NOT NULL, body integer)")
    legacy.execute("INSERT INTO t VALUES (1, 1)")
    again = legacy.database()
    again.reflect("t", None)
    with pytest.raises(SourceError), again.stream(query, 10, BYTES) as pages:
        next(pages)
    again.close()


def test_closing_the_database_from_another_thread_ends_it(legacy, database):
    with database.stream(all_rows(database), 10, BYTES) as pages:
        next(pages)
        closing = threading.Thread(target=database.close)
        closing.start()
        closing.join(10)
        with pytest.raises(SourceError, match="connection 'crm'"):
            taken(pages)


def test_a_query_that_fails_is_an_error_where_its_page_is_taken(database):
    wrong = sa.select(sa.column("nix")).select_from(sa.table("t")).execution_options(expected=())
    with (
        database.stream(wrong, 10, BYTES) as pages,
        pytest.raises(SourceError, match="connection 'crm' failed while reading"),
    ):
        next(pages)
