"""A page that is not proved to hold every row between its ends, where a database sorts otherwise than it compares."""

from __future__ import annotations

import itertools
import sqlite3

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.databases.sqlite import SqliteDatabase
from airflow_legacy_events.sources.query import QuerySource


class SortsByPrefix(SqliteDatabase):
    """Sorts by the first characters of a text, equal ones by the other column."""

    def read(self, query, max_bytes=None):
        if max_bytes is not None and "expected" in query.get_execution_options():  # a page
            query = query.order_by(None).order_by(sa.func.substr(sa.column("code"), 1, 2), sa.column("place"))
        return super().read(query, max_bytes)


@pytest.fixture
def made(tmp_path):
    """Makes a source over rows of these codes, in the order in which they are given."""
    sources = []

    def make(codes, kind=SqliteDatabase, *, batch_rows=2, **options):
        path = tmp_path / f"{len(sources)}.db"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE t (code text NOT NULL, place integer NOT NULL)")
            connection.executemany("INSERT INTO t (place, code) VALUES (?, ?)", enumerate(codes))
        database = kind(sa.URL.create("sqlite", database=str(path)), conn_id="crm", statement_timeout_seconds=9)
        options = {"table": "t", "watermark_columns": ("code",), "key_columns": ("code",), **options}
        sources.append(
            QuerySource(database=database, stream="s", source="crm", limits=Limits(batch_rows=batch_rows), **options)
        )
        return sources[-1]

    yield make
    for source in sources:
        source.database.close()


def read(source):
    return [row for batch in source.open(None).batches for row in batch.rows]


@pytest.mark.parametrize("codes", [*itertools.permutations(("xx1", "xx2", "xx3", "yy4"))])
@pytest.mark.parametrize("batch_rows", [1, 2, 3])
def test_no_row_is_passed_over_unseen_however_the_rows_are_sorted(made, codes, batch_rows):
    source = made(codes, SortsByPrefix, batch_rows=batch_rows)
    try:
        found = {code for code, _ in read(source)}
    except ConfigurationError as error:
        found = str(error)
    assert found == set(codes) or "sorts these columns differently than it compares them" in found


def test_rows_beyond_the_last_one_don_t_hide_as_many_that_are_missing(made):
    """The page is c, b of a, b, c: as many rows as lie up to b."""
    with pytest.raises(ConfigurationError, match="does not hold all rows between its first and its last one"):
        read(made(("xxc", "xxb", "xxa"), SortsByPrefix))


def test_the_order_of_comparisons_is_read_to_the_end(made):
    codes = [f"xx{number:03}" for number in range(100)]
    assert [code for code, _ in read(made(codes[::-1], batch_rows=30))] == codes


class Clock(SqliteDatabase):
    """Its clock moves on by one with every statement."""

    moves = 0

    def _connect(self):
        session = super()._connect()
        session.create_function("clock", 0, lambda: self.moves)
        return session

    def read(self, query, max_bytes=None):
        self.moves += 1
        return super().read(query, max_bytes)


@pytest.mark.parametrize("compared", ["<=", ">"])
@pytest.mark.parametrize("moment", range(1, 9))
def test_a_row_that_comes_or_goes_between_two_statements_ends_no_run(made, compared, moment):
    sql = f"SELECT * FROM t WHERE place <> 1 OR {moment} {compared} clock()"
    source = made("abcd", Clock, batch_rows=3, table=None, sql=sql)
    assert {code for code, _ in read(source)} >= {"a", "c", "d"}


class WithoutSnapshot(SortsByPrefix):
    """Holds no snapshot."""

    holds_snapshot = False


def test_without_a_snapshot_nothing_is_counted_and_the_reason_says_so(made):
    horizon, batches = made(("xxb", "xxa"), WithoutSnapshot, batch_rows=1).open(None)
    assert [code for batch in batches for code, _ in batch.rows] == ["xxb"]
    assert (
        "that no two rows are equal in 'code' is not verified, since this database has no known snapshot"
        in horizon.reason
    )
    assert horizon.completeness == "best_effort"


def test_without_a_snapshot_rows_that_equal_the_last_one_are_counted(made):
    with pytest.raises(ConfigurationError, match="several rows of table 't' are equal in 'code'"):
        read(made(("a", "a"), WithoutSnapshot, batch_rows=1))
