"""What newer releases of MySQL and MariaDB add to a table: odd indexes, columns that `SELECT *` leaves out, vectors."""

from __future__ import annotations

import pytest
from MySQLdb.cursors import SSCursor

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support.engines import NEW_MYSQL, of
from tests.support.handler_reads import handler_reads
from tests.support.legacy import legacy_database

NEWER = tuple(name for name in of("mysql", also=("mariadb-10.11",)) if name != "mysql-5.6")
ROWS, PAGE = 2_000, 100
HIDDEN = {"mysql": "INVISIBLE", "mariadb": "IGNORED"}


@pytest.fixture(params=NEWER)
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


def hidden(legacy) -> str:
    """How an index is kept from the optimizer."""
    return HIDDEN[legacy.engine.name.partition("-")[0]]


def read(legacy, **options):
    with legacy.source(**options) as source:
        batches = list(source.open(None).batches)
    return batches[0].shape, [row for batch in batches for row in batch.rows]


def handled(legacy, monkeypatch, **options) -> list[int]:
    """How many rows each page makes the storage engine read."""
    statements = []
    plain = SSCursor.execute
    monkeypatch.setattr(SSCursor, "execute", lambda *words: (statements.append(words[1:]), plain(*words))[1])
    read(legacy, **options)
    return [handler_reads(legacy, *words) for words in statements]


@pytest.mark.parametrize("odd", ["(at DESC, id)", "(at, id) {hidden}", "((at + 0), id)"])
def test_an_index_that_does_not_sort_as_pages_do_serves_none(legacy, monkeypatch, odd):
    if odd.startswith("((") and legacy.engine.name not in NEW_MYSQL:
        return  # MariaDB has no such index
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, at int NOT NULL)")
    for begin in range(0, ROWS, 500):
        legacy.execute(f"INSERT INTO t VALUES {','.join(f'({n}, {n // 50})' for n in range(begin, begin + 500))}")
    legacy.execute(f"CREATE INDEX a ON t {odd.format(hidden=hidden(legacy))}")  # the first in the catalog's order
    legacy.execute("CREATE INDEX t_at ON t (at)")
    legacy.execute("ANALYZE TABLE t")
    assert max(handled(legacy, monkeypatch, watermark_columns=("at",), batch_rows=PAGE)) <= PAGE + 10


@pytest.mark.parametrize("odd", ["(code DESC)", "(code) {hidden}"])
def test_an_index_that_serves_no_page_is_not_said_to(legacy, caplog, odd):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, code int NOT NULL)")
    legacy.execute(f"CREATE UNIQUE INDEX a ON t {odd.format(hidden=hidden(legacy))}")
    legacy.execute("INSERT INTO t VALUES (1, 7)")
    read(legacy, watermark_columns=("code",))
    assert "no index" in caplog.text


@pytest.mark.parametrize("odd", ["(code DESC)", "(code) {hidden}"])
def test_a_unique_index_tells_rows_apart_however_it_sorts(legacy, odd):
    legacy.execute("CREATE TABLE t (at int NOT NULL, z int NOT NULL, code int NOT NULL, UNIQUE KEY z (z))")
    legacy.execute(f"CREATE UNIQUE INDEX a ON t {odd.format(hidden=hidden(legacy))}")
    legacy.execute("INSERT INTO t VALUES (1, 2, 7), (1, 1, 8)")
    shape, rows = read(legacy, watermark_columns=("at",), batch_rows=1)
    assert [shape.columns[at].name for at in shape.key] == ["code"]
    assert rows == [("1", "2", "7"), ("1", "1", "8")]


def test_a_column_that_a_star_leaves_out_is_read_as_any_other(legacy):
    legacy.execute("CREATE TABLE t (ssn varchar(9) INVISIBLE, id int PRIMARY KEY, name varchar(9))")
    legacy.execute("INSERT INTO t (id, name, ssn) VALUES (1, 'Ann', '123'), (2, 'Bob', '456')")
    shape, rows = read(legacy, watermark_columns=("id",))
    assert [column.name for column in shape.columns] == ["ssn", "id", "name"]
    assert rows == [("123", "1", "Ann"), ("456", "2", "Bob")]
    assert read(legacy, watermark_columns=("ssn",), columns=("id", "ssn"))[1] == [("1", "123"), ("2", "456")]
    assert read(legacy, watermark_columns=("id",), exclude_columns=("ssn",))[1] == [("1", "Ann"), ("2", "Bob")]
    assert read(legacy, watermark_columns=(), columns=("ssn",), key_columns=("id",))[1] == [("123", "1"), ("456", "2")]


def test_a_column_that_becomes_invisible_changes_no_event(legacy):
    legacy.execute("CREATE TABLE t (ssn varchar(9), id int PRIMARY KEY)")
    legacy.execute("INSERT INTO t VALUES ('123', 1)")
    before, rows = read(legacy, watermark_columns=("id",))
    legacy.execute("ALTER TABLE t MODIFY ssn varchar(9) INVISIBLE")
    after, again = read(legacy, watermark_columns=("id",))
    assert (after.columns, again) == (before.columns, rows)


def test_a_generated_column_that_a_star_leaves_out_is_read(legacy):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED INVISIBLE)")
    legacy.execute("INSERT INTO t (id) VALUES (4)")
    assert read(legacy, watermark_columns=("twice",))[1] == [("4", "8")]


def test_a_key_that_a_star_leaves_out_identifies_rows(legacy):
    legacy.execute("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY INVISIBLE, name varchar(9) NOT NULL)")
    legacy.execute("INSERT INTO t (name) VALUES ('Ann'), ('Ann')")
    shape, rows = read(legacy, watermark_columns=("name",), batch_rows=1)
    assert [shape.columns[at].name for at in shape.key] == ["id"]
    assert rows == [("1", "Ann"), ("2", "Ann")]


@pytest.mark.parametrize("legacy", NEW_MYSQL, indirect=True)
@pytest.mark.parametrize("shown", ["ON", "OFF"])
def test_a_key_that_mysql_made_by_itself_identifies_rows(legacy, shown):
    legacy.execute("SET sql_generate_invisible_primary_key = ON")
    legacy.begin_with(show_gipk_in_create_table_and_information_schema=shown)
    legacy.execute("CREATE TABLE t (name varchar(9) NOT NULL)")
    legacy.execute("INSERT INTO t (name) VALUES ('Ann'), ('Ann')")
    assert read(legacy, watermark_columns=("name",))[1] == [("1", "Ann"), ("2", "Ann")]


@pytest.mark.parametrize("legacy", NEW_MYSQL, indirect=True)
def test_a_vector_is_the_bytes_of_its_floats(legacy):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, v vector(2) NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, STRING_TO_VECTOR('[0.5,-2]'))")
    stored = bytes.fromhex("0000003f000000c0")
    assert read(legacy, watermark_columns=("id",))[1] == [("1", stored)]
    query = "SELECT id, v FROM t"
    assert read(legacy, sql=query, watermark_columns=("id",), key_columns=("id",))[1] == [("1", stored)]
    with pytest.raises(ConfigurationError, match="CAST"):
        read(legacy, watermark_columns=("v",))
