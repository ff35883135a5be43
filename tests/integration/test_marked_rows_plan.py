"""What pages of rows that are not marked yet cost, behind many that are: an index that begins with the mark."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.handler_reads import handler_reads
from tests.support.legacy import legacy_database, plain

MARKED, OPEN, PAGE = 10_000, 1_000, 500
ID, SENT = sa.column("id"), sa.column("published_at")
MYSQL, POSTGRES = of("mysql", also=("mysql-5.6",)), of("postgresql", also=("postgresql-15",))


@pytest.fixture
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id bigint PRIMARY KEY, published_at timestamp(6) NULL, body varchar(100))")
        rows = [f"({n}, {time(n)}, 'x')" for n in range(1, MARKED + OPEN + 1)]
        for begin in range(0, len(rows), 2_000):
            found.execute(f"INSERT INTO t VALUES {','.join(rows[begin : begin + 2_000])}")
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


def time(number):
    return "'2026-01-01 00:00:00'" if number <= MARKED else "NULL"


def rows_of(*, constant=True):
    query = sa.select(ID, sa.column("body")).select_from(sa.table("t")).where(SENT.is_(None))
    return query.execution_options(constant_columns=("published_at",)) if constant else query


def page(database):
    return rows_of().where(database.beyond([ID], [0]), database.until([ID], [MARKED + OPEN])).order_by(ID).limit(PAGE)


def read_by(legacy, database, query) -> int:
    return handler_reads(legacy, *database._compiled(database._spelled(query)))


@pytest.mark.parametrize("legacy", MYSQL, indirect=True)
@pytest.mark.parametrize("index", ["(published_at, id)", "(published_at)"])
def test_a_page_of_open_rows_reads_no_marked_ones(legacy, database, index):
    legacy.execute(f"CREATE INDEX open_rows ON t {index}")
    legacy.execute("ANALYZE TABLE t")
    database.reflect("t", None)
    assert PAGE <= read_by(legacy, database, page(database)) <= PAGE + 10
    assert read_by(legacy, database, rows_of().order_by(ID.desc()).limit(1)) <= 3
    assert [int(number) for number, _ in database.read(page(database))] == list(range(MARKED + 1, MARKED + PAGE + 1))


@pytest.mark.parametrize("legacy", MYSQL, indirect=True)
def test_without_an_index_that_begins_with_the_mark_the_key_serves_the_page(legacy, database):
    database.reflect("t", None)
    statement, _ = database._compiled(database._spelled(page(database)))
    assert "FORCE INDEX (`PRIMARY`)" in statement


@pytest.mark.parametrize("legacy", MYSQL, indirect=True)
def test_a_column_that_is_not_constant_does_not_choose_the_index(legacy, database):
    legacy.execute("CREATE INDEX open_rows ON t (published_at, id)")
    database.reflect("t", None)
    statement, _ = database._compiled(database._spelled(rows_of(constant=False).order_by(ID)))
    assert "FORCE INDEX (`PRIMARY`)" in statement


@pytest.mark.parametrize("legacy", POSTGRES, indirect=True)
def test_a_partial_index_serves_the_page_and_the_newest_row(legacy, database):
    legacy.execute("CREATE INDEX open_rows ON t (id) WHERE published_at IS NULL")
    legacy.execute("VACUUM ANALYZE t")
    assert len(database.read(page(database))) == PAGE
    [(newest, _)] = database.read(rows_of().order_by(ID.desc()).limit(1))
    assert newest == str(MARKED + OPEN)
    for query in (page(database), rows_of().order_by(ID.desc()).limit(1)):
        statement, parameters = database._compiled(query)
        with psycopg.connect(plain(legacy.url), cursor_factory=psycopg.RawCursor) as connection:
            plan = connection.execute(f"EXPLAIN {statement}".encode(), parameters).fetchall()
        assert any("using open_rows on t" in line for (line,) in plan)
    database.close()
    read = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'open_rows'"
    wait_until(lambda: legacy.execute(read) == [(PAGE + 1,)], "the statistics of the index", 10)
