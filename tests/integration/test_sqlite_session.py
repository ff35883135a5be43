"""What a reading session of SQLite may do, whatever a query or the schema of the file asks, and which state it sees."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import LegacyEventsError, SchemaChangedError, SourceError
from tests.support.legacy import legacy_database


@pytest.fixture
def legacy(request):
    with legacy_database(request, "sqlite") as found:
        found.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, w VARCHAR(9))")
        for number in range(1, 9):
            found.execute("INSERT INTO t VALUES (?, ?, ?)", number, number * 10, f"w{number}")
        found.execute("CREATE INDEX by_w ON t (w)")
        found.execute("PRAGMA legacy_alter_table = ON")  # views may name a table that is just being exchanged
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database(timeout=5)
    yield made
    made.close()


def read(database, columns=None, limit=100):
    page = sa.select(sa.column("id"), sa.column("v")).select_from(sa.table("t")).order_by(sa.column("id")).limit(limit)
    return database.read(page if columns is None else page.execution_options(expected=columns[:2]))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t (id) VALUES (99)",
        "DELETE FROM t",
        "CREATE TABLE u (id)",
        "CREATE TEMP TABLE u (id)",
        "CREATE TEMP VIEW u AS SELECT 1",
        "CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END",
        "DROP TABLE t",
        "ATTACH '{other}' AS other",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA user_version = 7; SELECT 1",
        "VACUUM INTO '{other}'",
        "VACUUM",
        "ANALYZE",
        "REINDEX",
        "SELECT load_extension('x')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT * FROM pragma_optimize",
        "SELECT * FROM pragma_quick_check",
    ],
)
@pytest.mark.parametrize("in_snapshot", [False, True])
def test_a_session_that_reads_does_nothing_else(legacy, database, tmp_path, statement, in_snapshot):
    read(database)
    legacy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before, other = Path(str(legacy.url.database)).read_bytes(), tmp_path / "other.db"
    text = sa.text(statement.format(other=other).replace(":", r"\:"))
    if in_snapshot:
        with pytest.raises(LegacyEventsError), database.snapshot():
            database.read(text)
    else:
        with pytest.raises(LegacyEventsError):
            database.read(text)
    assert not other.exists()
    assert Path(str(legacy.url.database)).read_bytes() == before
    assert len(read(database)) == 8


@pytest.mark.parametrize("expression", ["load_extension('x')", "(SELECT count(*) FROM pragma_optimize)"])
def test_a_view_does_no_more_than_a_query(legacy, database, expression):
    legacy.execute(f"CREATE VIEW v AS SELECT id, {expression} AS done FROM t")
    with pytest.raises(SourceError, match=r"not authorized|unsafe use of load_extension\(\)"):
        database.read(sa.select(sa.literal_column("*")).select_from(sa.table("v")))


def test_a_view_of_ordinary_functions_is_read(legacy, database):
    legacy.execute(
        "CREATE VIEW v AS SELECT id, upper(w) || strftime('%Y', 'now') || printf('%d', v) || json_object('a', v) AS x,"
        " sum(v) OVER (ORDER BY id) AS total, (SELECT count(*) FROM pragma_table_info('t')) AS width FROM t"
    )
    assert len(database.reflect("v", None).columns) == 4
    assert len(database.read(sa.select(sa.literal_column("*")).select_from(sa.table("v")))) == 8


@pytest.mark.parametrize(
    "created",
    [
        "CREATE VIRTUAL TABLE s USING fts5 (v)",
        "CREATE VIRTUAL TABLE s USING fts4 (v)",
        "CREATE VIRTUAL TABLE s USING rtree (id, low, high)",
    ],
)
@pytest.mark.parametrize("view", [False, True])
def test_virtual_tables_are_read(legacy, database, created, view):
    legacy.execute(created)
    if "rtree" in created:
        legacy.execute("INSERT INTO s VALUES (1, 2, 3)")
    else:
        legacy.execute("INSERT INTO s (v) VALUES ('some words')")
    if view:
        legacy.execute("CREATE VIEW v AS SELECT * FROM s")
    name = "v" if view else "s"
    assert database.reflect(name, None).columns
    assert len(database.read(sa.select(sa.literal_column("*")).select_from(sa.table(name)))) == 1


def test_every_question_leaves_no_transaction_behind(legacy, database):
    database.reflect("t", None)
    for ask in (
        database.identity,
        database.position,
        lambda: database.writes("t"),
        lambda: database.next_id("t", "id"),
    ):
        ask()
        assert not database._session.in_transaction
    with pytest.raises(SourceError):
        database.read(sa.text("SELECT nix"))
    assert not database._session.in_transaction
    legacy.execute("INSERT INTO t (id) VALUES (9)")


def copied(legacy, columns, name="t", values="id, v, w"):
    """Change a table as SQLite's documentation says: a new one is filled, and takes the old one's name."""
    legacy.execute(f"CREATE TABLE new_t ({columns})")
    legacy.execute(f"INSERT INTO new_t SELECT {values} FROM {name}")
    legacy.execute(f"DROP TABLE {name}")
    legacy.execute(f"ALTER TABLE new_t RENAME TO {name}")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ("id INTEGER PRIMARY KEY, v TEXT, w VARCHAR(9)", "column 'v' was 'INTEGER' when .* is 'TEXT' now"),
        ("id TEXT PRIMARY KEY, v INTEGER, w TEXT", "column 'id' was 'INTEGER' when .* is 'TEXT' now"),
        ("id INTEGER PRIMARY KEY, v2 INTEGER, w TEXT", "column 'v' was 'INTEGER' when .* is gone"),
        ("id INTEGER PRIMARY KEY, v, w TEXT", "column 'v' was 'INTEGER' when .* is '' now"),
    ],
)
@pytest.mark.parametrize("reflected", ["table", "view", "query"])
def test_a_page_of_other_types_is_no_page_of_the_run(legacy, database, columns, told, reflected):
    legacy.execute("CREATE VIEW v AS SELECT * FROM t")
    found = {"table": ("t", None), "view": ("v", None), "query": (None, "SELECT * FROM t")}[reflected]
    expected = database.reflect(*found).columns
    assert len(read(database, expected)) == 8
    if reflected == "view":
        legacy.execute("DROP VIEW v")
    copied(legacy, columns)
    legacy.execute("CREATE VIEW IF NOT EXISTS v AS SELECT * FROM t")
    for _ in range(2):
        with pytest.raises(SchemaChangedError, match=told):
            read(database, expected)
    fresh = database.reflect(*found).columns
    if {"id", "v"} <= {column.name for column in fresh}:
        assert len(read(database, fresh)) == 8


def test_two_columns_that_swap_names_are_found(legacy, database):
    expected = database.reflect("t", None).columns
    for old, new in (("v", "x"), ("w", "v"), ("x", "w")):
        legacy.execute(f"ALTER TABLE t RENAME COLUMN {old} TO {new}")
    with pytest.raises(SchemaChangedError, match=r"column 'v' was 'INTEGER' .* is 'VARCHAR\(9\)' now"):
        read(database, expected)


def test_what_leaves_types_as_they_are_is_no_change(legacy, database):
    legacy.execute("CREATE VIEW seen AS SELECT * FROM t")
    expected = {name: database.reflect(name, None).columns for name in ("t", "seen")}
    for statement in (
        "CREATE INDEX i ON t (v)",
        "ALTER TABLE t ADD COLUMN x",
        "VACUUM",
        "ANALYZE",
        "DROP INDEX i",
        "CREATE TABLE u (v TEXT)",
        "ALTER TABLE t DROP COLUMN x",
    ):
        legacy.execute(statement)
        for columns in expected.values():
            assert len(read(database, columns)) == 8
    copied(legacy, "w VARCHAR(2000), id integer PRIMARY KEY, v INTEGER ", values="w, id, v")
    assert len(read(database, expected["t"])) == 8


def test_types_are_compared_in_the_transaction_that_reads_the_page(legacy, database):
    expected = database.reflect("t", None).columns
    with database.snapshot():
        assert len(read(database, expected)) == 8
        copied(legacy, "id INTEGER PRIMARY KEY, v TEXT, w VARCHAR(9)")
        assert [type(v) for _, v in read(database, expected)] == [int] * 8
    with pytest.raises(SchemaChangedError):
        read(database, expected)


def test_a_run_goes_on_with_a_column_that_was_retyped_in_the_middle(legacy):
    with legacy.source(watermark_columns=("id",), batch_rows=3) as source:
        batches = source.open(None).batches
        first = next(batches)
        copied(legacy, "id INTEGER PRIMARY KEY, v TEXT, w VARCHAR(9)")
        legacy.execute("UPDATE t SET v = 'he said \"hi\"'")
        rest = list(batches)
    ids = [row[0] for batch in (first, *rest) for row in batch.rows]
    assert ids == list(range(1, 9))
    types = {batch.shape.columns[1].type for batch in rest if batch.rows}
    assert (first.shape.columns[1].type, types) == ("INTEGER", {"TEXT"})


def test_the_version_of_the_schema_is_all_that_a_page_asks_beside_itself(legacy, database):
    expected = database.reflect("t", None).columns
    read(database, expected)
    seen: list[str] = []
    database._session.set_trace_callback(seen.append)
    read(database, expected)
    assert [one.split()[0] for one in seen] == ["BEGIN", "PRAGMA", "SELECT", "ROLLBACK"]


def test_sessions_of_two_objects_do_not_share_what_they_know(legacy):
    one, other = legacy.database(), legacy.database()
    columns = [each.reflect("t", None).columns for each in (one, other)]
    copied(legacy, "id INTEGER PRIMARY KEY, v TEXT, w VARCHAR(9)")
    for each, known in itertools.product((one, other), columns):
        with pytest.raises(SchemaChangedError):
            read(each, known)
    one.close()
    other.close()
