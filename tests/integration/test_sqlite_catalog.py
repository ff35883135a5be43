"""What SQLite's catalog and file say of a table, a view, a query, an id and how far the file is."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.ports import NextId
from airflow_legacy_events.databases.sqlite.header import is_behind
from airflow_legacy_events.databases.sqlite.views import from_on
from tests.support.legacy import legacy_database

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, max(i) AS m FROM n GROUP BY i"


@pytest.fixture
def legacy(request):
    with legacy_database(request, "sqlite") as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database(timeout=5)
    yield made
    made.close()


@pytest.fixture(params=["WAL", "DELETE"])
def journal(request, legacy):
    legacy.execute(f"PRAGMA journal_mode = {request.param}")
    return request.param


def state(database, table="t", sql=None):
    return database.reflect(None if sql else table, sql).state


@pytest.mark.parametrize(
    ("created", "index", "distinct"),
    [
        ("a TEXT", "(a)", {("a",)}),
        ("a TEXT COLLATE NOCASE", "(a)", {("a",)}),
        ("a TEXT COLLATE NOCASE", "(a COLLATE BINARY)", set()),
        ("a TEXT COLLATE RTRIM", "(a COLLATE NOCASE)", set()),
        ("a TEXT", "(a COLLATE NOCASE)", {("a",)}),
        ("a TEXT, b TEXT COLLATE nocase", "(a, b COLLATE binary)", set()),
        ("a TEXT", "(a) WHERE a > 'm'", set()),
        ("a TEXT", "(lower(a))", set()),
        ("a INTEGER PRIMARY KEY", "(a)", {("a",)}),
        ("a INTEGER PRIMARY KEY DESC", None, {("a",)}),
        ("a TEXT COLLATE NOCASE PRIMARY KEY", None, {("a",)}),
        ("a TEXT COLLATE NOCASE, PRIMARY KEY (a COLLATE BINARY)", None, set()),
        ("a INTEGER, b TEXT COLLATE RTRIM, PRIMARY KEY (b, a)", None, {("b", "a")}),
    ],
)
@pytest.mark.parametrize("option", ["", "WITHOUT ROWID"])
def test_uniqueness_is_proved_under_the_collation_of_comparisons(legacy, database, created, index, distinct, option):
    if option and "PRIMARY KEY" not in created:
        created += ", id INTEGER PRIMARY KEY"
        distinct = {*distinct, ("id",)}
    legacy.execute(f"CREATE TABLE t ({created}) {option}")
    if index:
        legacy.execute(f"CREATE UNIQUE INDEX i ON t {index}")
    assert set(state(database).distinct) == distinct


def test_an_index_that_is_not_unique_proves_nothing(legacy, database):
    legacy.execute(["CREATE TABLE t (a TEXT)", " CREATE INDEX i ON t (a)"][0])
    legacy.execute("CREATE INDEX i ON t (a)")
    legacy.execute("CREATE VIEW v AS SELECT a FROM t")
    assert state(database).distinct == state(database, "v").distinct == ()


@pytest.mark.parametrize("option", ["", "WITHOUT ROWID"])
def test_a_key_that_only_looks_like_the_rowid_may_hold_a_null(legacy, database, option):
    legacy.execute(f"CREATE TABLE t (a INTEGER PRIMARY KEY DESC) {option}")
    assert database.reflect("t", None).columns[0].nullable is (option == "")


def test_collations_are_those_of_comparisons_in_tables_views_and_queries(legacy, database):
    legacy.execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT COLLATE nocase, `b``c` DATETIME COLLATE RTRIM, d, e BLOB)"
    )
    legacy.execute("INSERT INTO t VALUES (1, 'x', 'y', 'z', x'00')")
    legacy.execute("CREATE VIEW v AS SELECT a, a || '' AS plain, d COLLATE NOCASE AS d FROM t")
    assert state(database).order == {"a": "NOCASE", "b`c": "RTRIM", "d": "BINARY"}
    assert state(database, "v").order == {"a": "NOCASE", "plain": "BINARY", "d": "NOCASE"}
    assert state(database, sql="SELECT a, d, ':x' AS x FROM t").order == {"a": "NOCASE", "d": "BINARY", "x": "BINARY"}
    legacy.connection.create_collation("german", lambda one, other: (one > other) - (one < other))
    legacy.execute("ALTER TABLE t ADD COLUMN f TEXT COLLATE german")
    with pytest.raises(ConfigurationError, match="no such collation sequence: german"):
        database.reflect("t", None)


def test_nothing_of_a_query_is_read_to_know_it(database):
    found = state(database, sql=ENDLESS)
    assert (found.order, found.definition, found.distinct) == ({"i": "BINARY", "m": "BINARY"}, None, ())


def test_a_table_that_is_made_anew_is_another_object_and_maintenance_leaves_it_the_same(legacy, database):
    for name in ("a", "t", "b"):
        legacy.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)")
        legacy.execute(f"CREATE INDEX i_{name} ON {name} (v)")
        legacy.execute(f"INSERT INTO {name} (v) VALUES ('x'), ('y')")
    legacy.execute("CREATE VIRTUAL TABLE searched USING fts5 (body)")
    before = state(database).object
    for statement in (
        "DELETE FROM t WHERE id = 2",
        "CREATE INDEX j ON t (v, id)",
        "ALTER TABLE t ADD COLUMN w",
        "VACUUM",
        "ANALYZE",
        "DROP TABLE b",
        "VACUUM",
        "CREATE TABLE c (id)",
        "REINDEX",
    ):
        legacy.execute(statement)
        assert state(database).object == before, statement
    legacy.execute("DROP TABLE t")
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    assert state(database).object != before


def _views(legacy):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)")
    legacy.execute("CREATE VIEW low AS SELECT id, a FROM t WHERE a < 10")
    legacy.execute("CREATE VIEW other AS SELECT id FROM t")
    legacy.execute("CREATE VIEW v AS WITH q AS (SELECT * FROM low WHERE id > 0) SELECT id, a FROM q")


@pytest.mark.parametrize("sql", [None, "SELECT x.id FROM V AS x"])
@pytest.mark.parametrize(
    ("name", "text", "same"),
    [
        ("low", "SELECT id, a FROM t WHERE a < 11", False),
        ("low", "SELECT a, id, 1 AS one /* FROM */ from T  where a<10 -- as before", True),
        ("v", "WITH q AS (SELECT * FROM low WHERE id > 1) SELECT id, a FROM q", False),
        ("v", "WITH q AS (SELECT * FROM low WHERE id > 0) SELECT id, (SELECT 1 FROM t) AS a FROM q", True),
        ("v", "SELECT id, a FROM low", False),
        ("other", "SELECT id FROM t WHERE id > 5", True),
    ],
)
def test_a_view_is_known_by_what_it_and_the_views_below_it_select_from(legacy, database, sql, name, text, same):
    _views(legacy)
    before = state(database, "v", sql).definition
    legacy.execute(f"DROP VIEW {name}")
    legacy.execute(f"CREATE VIEW {name} AS {text}")
    assert before
    assert (state(database, "v", sql).definition == before) is same


def test_tables_and_queries_of_tables_have_no_definition(legacy, database):
    _views(legacy)
    assert state(database).definition is None
    assert state(database, sql="SELECT id FROM t").definition is None
    assert state(database, sql="SELECT id FROM t WHERE id IN (SELECT id FROM other)").definition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE VIEW v AS SELECT a FROM t", "from t"),
        ("CREATE VIEW `from` (x, y) AS SELECT 'FROM', (SELECT 1 FROM u) FROM [t as]", "from [t as]"),
        ("CREATE TEMP VIEW IF NOT EXISTS v AS SELECT 1 AS from_", "select 1 as from_"),
        ("CREATE VIEW v AS VALUES (1), (2)", "values ( 1 ) , ( 2 )"),
        ('CREATE VIEW v AS SELECT a FROM t UNION SELECT B FROM "T"', 'from t union select b from "T"'),
    ],
)
def test_a_definition_begins_with_its_first_from_outside_of_brackets(text, expected):
    assert from_on(text) == expected


def test_a_counted_id_is_never_given_again_and_another_one_is(legacy, database):
    legacy.execute("CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, rowid TEXT)")
    legacy.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY -- AUTOINCREMENT\n, rowid TEXT)")
    for table in ("counted", "plain"):
        assert database.next_id(table, "id") == NextId(1, returns=table == "plain")
        legacy.execute(f"INSERT INTO {table} (rowid) VALUES ('zzz'), ('z'), ('y')")
        assert database.next_id(table.upper(), "id") == NextId(4, returns=table == "plain")
        legacy.execute(f"DELETE FROM {table} WHERE id > 1")
    assert database.next_id("counted", "id") == NextId(4)
    assert database.next_id("plain", "id") == NextId(2, returns=True)
    for table in ("counted", "plain"):
        value = database.next_id(table, "id").value
        legacy.execute(f"INSERT INTO {table} (rowid) VALUES ('x')")
        assert legacy.execute(f"SELECT max(id) FROM {table}") == [(value,)]
        legacy.execute(f"DELETE FROM {table}")
    legacy.execute("DELETE FROM sqlite_sequence")
    assert database.next_id("counted", "id") == NextId(1)
    legacy.execute("INSERT INTO plain (id) VALUES (-7)")
    assert database.next_id("plain", "id") == NextId(-6, returns=True)
    legacy.execute("INSERT INTO plain (id) VALUES (9223372036854775807)")
    assert database.next_id("plain", "id") == NextId(None, returns=True)


def test_only_the_rowid_is_handed_out(legacy, database):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, other INTEGER UNIQUE)")
    legacy.execute("CREATE TABLE w (id INTEGER PRIMARY KEY) WITHOUT ROWID")
    legacy.execute("CREATE VIEW v AS SELECT id FROM t")
    assert database.next_id("t", "other") == database.next_id("w", "id") == NextId()
    assert "is a view" in str(database.next_id("v", "id").unknown)


def test_an_older_copy_of_the_file_is_behind(legacy, database, journal, tmp_path):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    legacy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(str(legacy.url.database), tmp_path / "copy.db")
    other = legacy.connect()
    other.execute("CREATE TABLE u (id)")
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    other.close()
    reached = database.position()
    header = Path(str(legacy.url.database)).read_bytes()[:100]
    assert reached == {"change_counter": int.from_bytes(header[24:28])}
    assert database.behind(reached) is None

    copy = legacy.database(database=str(tmp_path / "copy.db"))
    assert "is an older copy of the file" in str(copy.behind(reached))
    assert copy.behind({}) is copy.behind({"change_counter": None}) is copy.behind({"change_counter": "9"}) is None
    copy.close()


def test_the_counter_never_falls_while_others_write_roll_back_checkpoint_and_vacuum(legacy, database, journal):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
    reached = database.position()
    for statement in (
        "INSERT INTO t (v) VALUES (zeroblob(100000))",
        "BEGIN; INSERT INTO t (v) VALUES (zeroblob(9000000)); ROLLBACK",
        "DELETE FROM t",
        "VACUUM",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "CREATE INDEX i ON t (v)",
    ):
        for one in statement.split(";"):
            legacy.execute(one)
        assert database.behind(reached) is None, statement
        reached = database.position()


def test_asking_how_far_a_file_is_leaves_the_locks_of_this_process_alone(legacy, database):
    legacy.execute("PRAGMA journal_mode = DELETE")
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    writer = legacy.connect()
    writer.execute("BEGIN IMMEDIATE")
    database.position()
    database.close()
    locks = Path("/proc/locks").read_text(encoding="utf-8")
    inode = Path(str(legacy.url.database)).stat().st_ino
    assert any(line.split()[-3].endswith(f":{inode}") and " WRITE " in line for line in locks.splitlines())
    writer.close()


def test_a_counter_begins_anew_behind_its_largest_value():
    assert is_behind(9, 10)
    assert not is_behind(10, 10)
    assert not is_behind(3, 2**32 - 5)
    assert is_behind(2**32 - 5, 3)


def test_a_snapshot_may_hold_another_one_and_lasts_as_long_as_the_outer_one(legacy, database):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    other = sqlite3.connect(str(legacy.url.database), isolation_level=None)
    with database.snapshot():
        with database.snapshot():
            database.position()
            other.execute("INSERT INTO t VALUES (1)")
        assert database.next_id("t", "id") == NextId(1, returns=True)
    assert database.next_id("t", "id") == NextId(2, returns=True)
    other.close()


def opened(legacy, at=None, **options):
    """The ids of a run, and the watermark after it."""
    with legacy.source(watermark_columns=("id",), **options) as source:
        horizon, reading = source.open(at)
        batches = list(reading)
    last = batches[-1].after if batches else at
    return [row[0] for batch in batches for row in batch.rows], last._replace(facts={**horizon.facts, **last.facts})


@pytest.fixture
def counted(legacy):
    legacy.execute("PRAGMA journal_mode = DELETE")
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)")
    legacy.execute("CREATE TABLE u (id)")
    for _ in range(9):
        legacy.execute("INSERT INTO t (v) VALUES ('x')")
    return legacy


def test_a_run_of_an_older_copy_is_red(counted, tmp_path):
    shutil.copy(str(counted.url.database), tmp_path / "copy.db")
    counted.execute("INSERT INTO t (v) VALUES ('x')")
    at = opened(counted)[1]
    counted.connection.close()
    shutil.copy(tmp_path / "copy.db", str(counted.url.database))
    with pytest.raises(LegacyEventsError, match="is an older copy of the file"):
        opened(counted, at)


@pytest.mark.parametrize(
    "ordinary",
    [
        ("VACUUM",),
        ("DELETE FROM t", "VACUUM"),
        ("DELETE FROM t WHERE id > 5", "VACUUM", "REINDEX", "ANALYZE"),
        ("CREATE INDEX i ON t (v)", "DELETE FROM t WHERE id = 9", "ALTER TABLE t ADD COLUMN w"),
        ("UPDATE t SET v = 'y'", "DROP TABLE u", "VACUUM"),
        ("PRAGMA journal_mode = WAL", "DELETE FROM t WHERE id = 9", "PRAGMA wal_checkpoint(TRUNCATE)"),
    ],
)
def test_maintenance_and_a_queue_that_is_emptied_stay_green(counted, ordinary):
    sent, at = opened(counted)
    for statement in ordinary:
        counted.execute(statement)
    assert (sent, opened(counted, at)[0]) == (list(range(1, 10)), [])
    counted.execute("INSERT INTO t (v) VALUES ('x')")
    assert opened(counted, at)[0] == [10]


def named(legacy, **options):
    with legacy.source(watermark_columns=("id",), **options) as source:
        batch = next(source.open(None).batches)
    return dict(zip(batch.shape.named(range(len(batch.shape.columns))), batch.rows[0], strict=True))


@pytest.mark.parametrize(
    "query", [None, "SELECT * FROM t", 'SELECT id, a, "a:1" FROM t', 'SELECT id, a, 3 AS "a:1" FROM t']
)
def test_a_column_that_is_called_like_a_repeated_one_is_itself(legacy, query):
    legacy.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, a int, "a:1" int)')
    legacy.execute("INSERT INTO t VALUES (1, 2, 3)")
    options = {} if query is None else {"sql": query, "key_columns": ("id",)}
    assert named(legacy, **options) == {"id": 1, "a": 2, "a:1": 3}


@pytest.mark.parametrize(
    "query", ["SELECT id, a, a FROM t", 'SELECT id, a, "a:1", a FROM t', "SELECT id, a, b AS a FROM t"]
)
def test_columns_of_one_name_are_refused_beside_one_that_is_called_like_them(legacy, query):
    legacy.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, a int, "a:1" int, b int)')
    with pytest.raises(ConfigurationError, match="'a' more than once"):
        named(legacy, sql=query, key_columns=("id",))


def test_generated_columns_are_part_of_a_row(legacy):
    legacy.execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v int GENERATED ALWAYS AS (id * 2), s int AS (id * 3) STORED)"
    )
    legacy.execute("INSERT INTO t (id) VALUES (4)")
    assert named(legacy) == {"id": 4, "v": 8, "s": 12}


def test_a_view_has_the_names_of_its_catalog(legacy):
    legacy.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, a int, "a:1" int)')
    legacy.execute("INSERT INTO t VALUES (1, 2, 3)")
    legacy.execute("CREATE VIEW v AS SELECT * FROM t")
    assert named(legacy, table="v", key_columns=("id",)) == {"id": 1, "a": 2, "a:1": 3}


def test_hidden_columns_of_a_virtual_table_are_read_where_they_are_named(legacy):
    legacy.execute("CREATE VIRTUAL TABLE t USING fts5 (id, body)")
    legacy.execute("INSERT INTO t VALUES (1, 'word')")
    assert named(legacy, key_columns=("id",)) == {"id": 1, "body": "word"}
    assert named(legacy, key_columns=("id",), columns=("body", "rank")) == {"body": "word", "rank": None, "id": 1}


def test_a_column_that_goes_in_the_middle_of_a_run_is_missed_by_its_own_name(legacy):
    legacy.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, a int, "a:1" int)')
    legacy.execute("INSERT INTO t VALUES (1, 2, 3), (2, 3, 4), (3, 4, 5)")
    with legacy.source(watermark_columns=("id",), batch_rows=1) as source:
        batches = source.open(None).batches
        next(batches)
        legacy.execute('ALTER TABLE t DROP COLUMN "a:1"')
        assert [batch.rows for batch in batches] == [[(2, 3)], [(3, 4)]]
