"""What SQLite's schema says of deleting and updating rows, and what a transaction under a lock does to other tables."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
SECRET = "Ada.Lovelace"
T = sa.table("t", sa.column("id"), sa.column("body"))
REUSED = "its INTEGER PRIMARY KEY has no AUTOINCREMENT"


@pytest.fixture
def legacy(request):
    with legacy_database(request, "sqlite") as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


def row(number: int):
    return sa.delete(T).where(sa.literal_column(str(number)) == T.c.id)


@pytest.mark.parametrize(
    ("columns", "reused"),
    [
        ("id integer PRIMARY KEY, body text", True),
        ("id INTEGER, body text, PRIMARY KEY (id)", True),
        ("id integer PRIMARY KEY AUTOINCREMENT, body text", False),
        ("id integer PRIMARY KEY, body text DEFAULT 'AUTOINCREMENT' /* no AUTOINCREMENT */", True),
        ("id bigint PRIMARY KEY, body text", False),
        ("id integer, body text, PRIMARY KEY (id, body)", False),
        ("id text PRIMARY KEY, body text", False),
        ("id integer PRIMARY KEY, body text) WITHOUT ROWID -- (", False),
    ],
)
def test_ids_return_where_the_key_is_the_rowid_and_not_counted(legacy, database, columns, reused):
    legacy.execute(f"CREATE TABLE t ({columns}\n)" if "--" not in columns else f"CREATE TABLE t ({columns}")
    found = database.writes("T").ids_return
    assert (found or "").startswith(REUSED) is reused
    if reused:
        legacy.execute("INSERT INTO t (body) VALUES ('x')")
        legacy.execute("DELETE FROM t")
        legacy.execute("INSERT INTO t (body) VALUES ('y')")
        assert legacy.execute("SELECT id FROM t") == [(1,)]


def test_a_foreign_key_does_what_it_says_though_a_session_of_sqlite_would_ignore_it(legacy, database):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
    legacy.execute("CREATE TABLE following (t_id integer REFERENCES T ON DELETE CASCADE)")
    legacy.execute("CREATE TABLE keeping (t_id integer REFERENCES t)")
    legacy.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    legacy.execute("INSERT INTO following VALUES (1)")
    legacy.execute("INSERT INTO keeping VALUES (2)")
    with database.lock("s", HOLDER) as lease:
        assert [answer.number for answer in lease.execute([row(1)])] == [1]
        with pytest.raises(SourceError, match="FOREIGN KEY constraint failed"):
            lease.execute([row(2)])
    assert legacy.execute("SELECT * FROM following") == []
    assert legacy.execute("SELECT id FROM t") == [(2,)]
    assert database.refusal(row(2)) == "FOREIGN KEY constraint failed"


def test_what_fires_a_trigger_is_read_from_its_words(legacy, database):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
    for name, event in (
        ('"AFTER INSERT ON t"', "BEFORE DELETE ON t"),
        ("of_body", "AFTER UPDATE OF id, body ON T"),
        ("plain", "DELETE ON t /* UPDATE ON t */"),
        ("inserts", "AFTER INSERT ON t"),
    ):
        legacy.execute(f"CREATE TRIGGER {name} {event} BEGIN SELECT 'UPDATE ON t'; END")
    found = database.writes("t")
    assert found.effects == (
        "trigger AFTER INSERT ON t on DELETE, for each row",
        "trigger plain on DELETE, for each row",
    )
    assert found.update_effects == ("trigger of_body on UPDATE, for each row",)


def test_the_condition_of_an_index_is_told_as_it_was_written(legacy, database):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
    legacy.execute("CREATE INDEX i ON t (body, id)\n where body IS NOT NULL AND (id > 5)")
    legacy.execute("CREATE INDEX whole ON t (body)")
    assert database.writes("t").partial == ((("body", "id"), "body IS NOT NULL AND (id > 5)"),)


def test_a_file_that_may_only_be_read_is_the_reason_of_a_refusal(legacy, database):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
    legacy.execute("PRAGMA journal_mode = DELETE")
    path = Path(str(legacy.url.database))
    header = bytearray(path.read_bytes())
    header[18] = 9  # a format of a later release: it may be read, and not be written
    path.write_bytes(header)
    assert database.refusal(row(1)) == "attempt to write a readonly database"


def test_another_writer_is_an_error_and_no_refusal(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
    legacy.execute("BEGIN IMMEDIATE")
    database = legacy.database(timeout=0.1)
    with pytest.raises(SourceError, match="failed while checking whether rows may be written: database is locked"):
        database.refusal(row(1))
    legacy.execute("ROLLBACK")
    database.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM t WHERE id = 1", "a trigger raised an exception"),
        ("SELECT body FROM t WHERE id = 2", "column 'body' holds bytes in a row that can't be read as UTF-8"),
    ],
)
def test_an_error_holds_no_value_of_a_row(legacy, database, statement, said):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
    legacy.execute(f"INSERT INTO t VALUES (1, '{SECRET}')")
    legacy.execute(f"INSERT INTO t VALUES (2, CAST(CAST('{SECRET}' AS BLOB) || x'ff' AS TEXT))")
    legacy.execute(f"CREATE TRIGGER c BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'no {SECRET} here'); END")
    with database.lock("s", HOLDER) as lease, pytest.raises(SourceError, match=said) as failed:
        lease.execute([sa.text(statement)])
    assert SECRET not in "".join(traceback.format_exception(failed.value))


def test_the_lock_of_a_table_is_one_through_every_link_to_the_file(legacy, database, tmp_path):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "other.db").symlink_to(str(legacy.url.database))
    other = legacy.database(database=str(tmp_path / "link" / "other.db"))
    with (
        database.lock("one", HOLDER, table=database.writes("t").name),
        pytest.raises(SourceError, match="stream 'two' is being worked on"),
        other.lock("two", {**HOLDER, "run": "r2"}, table=other.writes("main.T").name),
    ):
        pass
    other.close()
