"""Long texts of MariaDB and MySQL are sorted as they are compared, also where a page must sort them."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support.engines import MARIADB, of
from tests.support.legacy import reused_database
from tests.support.profile import LONG as LONG_FORM

ROWS = 300
PREFIX = "x" * 700


@pytest.fixture(params=of("mysql", also=("mysql-5.6", "mariadb-10.11")))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def fill(legacy, *values: str) -> None:
    """Rows that differ far behind their beginnings, in no order."""
    some = ", ".join(f"({n}, {', '.join(value.format(n * 7919 % ROWS) for value in values)})" for n in range(ROWS))
    legacy.execute(f"INSERT INTO t VALUES {some}")


LONG = f"CONCAT('{PREFIX}', LPAD({{}}, 8, '0'))"
COLUMNS = {
    "varchar": ["a varchar(2000) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL"],
    "varbinary": ["a varbinary(2000) NOT NULL"],
    "TEXT": ["a TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL"],
    "LONGTEXT": ["a LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL"],
    "several": [f"{name} TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL" for name in "abc"],
}


@pytest.mark.parametrize("by", ["table", "sql"])
@pytest.mark.parametrize("kind", COLUMNS)
def test_rows_of_long_texts_are_all_sent_and_in_order(legacy, kind, by):
    names = "abc"[: len(COLUMNS[kind])]
    legacy.connection._connection.query(f"CREATE TABLE t (id int PRIMARY KEY, {', '.join(COLUMNS[kind])})")
    fill(legacy, *["'c'"] * (len(names) - 1), LONG)
    what = {"sql": "SELECT * FROM t"} if by == "sql" else {"table": "t"}
    options = {"watermark_columns": tuple(names), "key_columns": ("id",), "batch_rows": 50}
    with legacy.source(**what, **options) as source:
        rows = [row for batch in source.open(None).batches for row in batch.rows]
    assert len({row[0] for row in rows}) == len(rows) == ROWS
    assert [row[-1] for row in rows] == sorted(row[-1] for row in rows)


TOO_LONG = [("LONGTEXT", 9_000), *([("TEXT", 40_000), ("varchar(16000)", 15_900)] if LONG_FORM else [])]


@pytest.mark.parametrize("legacy", of("mysql") if LONG_FORM else MARIADB, indirect=True)
@pytest.mark.parametrize(("type_", "prefix"), TOO_LONG)
def test_texts_that_are_too_long_for_a_sort_are_all_sent_or_fail(legacy, type_, prefix):
    legacy.execute(f"CREATE TABLE t (id int PRIMARY KEY, a {type_} CHARACTER SET utf8mb4 NOT NULL)")
    fill(legacy, LONG.replace(f"'{PREFIX}'", f"REPEAT('x', {prefix})"))
    sent: list[int] = []
    try:
        with legacy.source(watermark_columns=("a",), key_columns=("id",), batch_rows=50) as source:
            sent += [row[0] for batch in source.open(None).batches for row in batch.rows]
    except ConfigurationError as error:
        assert "the database sorts these columns differently than it compares them" in str(error)  # noqa: PT017
    else:
        assert len(set(sent)) == len(sent) == ROWS


def test_what_may_be_too_long_for_a_sort_is_known_by_its_column(legacy):
    types = {"a": "varchar(2000)", "b": "varbinary(20000)", "c": "TEXT", "d": "tinytext", "e": "LONGBLOB", "f": "int"}
    columns = ", ".join(f"{name} {type_}" for name, type_ in types.items())
    legacy.execute(f"CREATE TABLE t (id int PRIMARY KEY, {columns}) CHARACTER SET utf8mb4")
    with legacy.source() as source:
        assert source.database.reflect("t", None).state.unsorted == {"b", "c", "e"}


def test_a_session_sorts_long_only_where_a_position_holds_texts_without_an_index(legacy):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, a varchar(50) NOT NULL UNIQUE, b varchar(50) NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, 'x', 'y')")
    [(usual, _)] = legacy.execute("SELECT @@max_sort_length, 1")
    for column, sorts in {"id": False, "a": False, "b": True}.items():
        with legacy.source(watermark_columns=(column,)) as source:
            assert [len(batch.rows) for batch in source.open(None).batches] == [1]
            [(found,)] = source.database._session.rows("SELECT @@max_sort_length")
            assert (int(found) > usual) is sorts


def test_the_buffer_of_a_server_is_never_made_smaller(legacy):
    legacy.begin_with(sort_buffer_size="8388608")
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, b varchar(50) NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, 'y')")
    with legacy.source(watermark_columns=("b",)) as source:
        assert [len(batch.rows) for batch in source.open(None).batches] == [1]
        assert source.database._session.rows("SELECT @@sort_buffer_size") == [("8388608",)]
