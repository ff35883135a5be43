"""What is special to SQLite as a target: affinities, conflict clauses, its lock, and kinds of tables."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.errors import ConfigurationError, TargetError
from airflow_legacy_events.core.ports.target import Counts, ObjectionError, TableStates, Wanted
from tests.support.targets import delete, upsert, world_of


@pytest.fixture
def world(request):
    with world_of(request, "sqlite") as found:
        yield found


def held(world, type_, text, strict=""):
    """What a column of a type holds of a text, with the name of the class that SQLite stores it as."""
    world.execute(f"CREATE TABLE t (id integer PRIMARY KEY, a {type_}) {strict}")
    world.apply(world.shape(), upsert("1", text))
    [found] = world.execute("SELECT a, typeof(a) FROM t")
    return found


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("NUMERIC", "12345678901234567890123456789"),
        ("DECIMAL(10, 2)", "9223372036854775808"),
        ("DECIMAL(30, 20)", "0.12345678901234567890"),
        ("NUMERIC", "NaN"),
        ("INTEGER", "9223372036854775808"),
        ("INTEGER", "abc"),
        ("STRING", "007"),
        ("STRING", " 7"),
        ("STRING", "1e3"),
        ("STRING", "1.10"),
        ("JSON", "1.10"),
        ("REAL", "NaN"),
        ("BOOLEAN", "maybe"),
    ],
)
def test_what_an_affinity_would_change_is_refused_by_column_and_type(world, type_, text):
    with pytest.raises(ObjectionError) as error:
        held(world, type_, text)
    assert error.value.code == "VALUE"
    assert error.value.reason.startswith(f"column 'a' ({type_}) can't hold the value exactly: ")
    assert text not in error.value.reason.partition(": ")[2]
    assert world.rows() == []


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("NUMERIC", "19.99", (19.99, "real")),
        ("NUMERIC", "20.00", (20, "integer")),
        ("NUMERIC", "9223372036854775807", (2**63 - 1, "integer")),
        ("DECIMAL_TEXT", "12345678901234567890.10", ("12345678901234567890.10", "text")),
        ("REAL", "0.1", (0.1, "real")),
        ("STRING", "7", (7, "integer")),
        ("STRING", "7 words", ("7 words", "text")),
        ("VARCHAR(3)", "007", ("007", "text")),
        ("JSON", '{"a": 1.10}', ('{"a": 1.10}', "text")),
        ("TIMESTAMPTZ", "2026-02-28 12:30:01.5+00", ("2026-02-28 12:30:01.5+00:00", "text")),
        ("DATE", "2026-02-28", ("2026-02-28", "text")),
        ("BLOB", "\\x00ff", (b"\x00\xff", "blob")),
        ("BOOLEAN", "false", (0, "integer")),
        ("", 5, (5, "integer")),
        ("", "5", ("5", "text")),
    ],
)
def test_what_a_column_holds_as_it_is(world, type_, text, expected):
    assert held(world, type_, text) == expected


def test_a_strict_table_objects_by_itself(world):
    assert held(world, "ANY", "007", "STRICT") == ("007", "text")
    world.execute("CREATE TABLE s (id integer PRIMARY KEY, a integer CHECK (a > 0)) STRICT")
    shape = world.shape("s")
    with pytest.raises(ObjectionError) as error:
        world.apply(shape, upsert("1", b"\0"))
    assert error.value.code in ("SQLITE_CONSTRAINT_DATATYPE", "3091")


def test_a_table_without_rowid_and_one_whose_key_is_its_rowid(world):
    world.execute("CREATE TABLE t (k varchar(9) PRIMARY KEY, a varchar(9)) WITHOUT ROWID")
    shape = world.shape()
    assert world.apply(shape, upsert("x", "1"), upsert("y", "1")) == Counts(2)
    assert world.apply(shape, upsert("x", "2"), delete(shape, "y")) == Counts(1, 1)
    assert world.rows() == [("x", "2")]
    world.execute("CREATE TABLE r (id integer PRIMARY KEY, a varchar(9))")
    by_number = world.shape("r")
    assert by_number.columns[0].numbered
    assert not by_number.columns[0].nullable
    assert world.apply(by_number, upsert("0", "x"), upsert("5", "x")) == Counts(2)
    assert world.apply(by_number, upsert("0", "x"), upsert("5", "x")) == Counts(2)
    assert world.rows("r") == [(0, "x"), (5, "x")]


@pytest.mark.parametrize("clause", ["REPLACE", "IGNORE", "ROLLBACK", "FAIL"])
def test_a_conflict_clause_of_the_table_changes_no_other_row(world, clause):
    world.execute(
        f"CREATE TABLE t (id integer PRIMARY KEY, a varchar(9) UNIQUE ON CONFLICT {clause},"
        f" b integer NOT NULL ON CONFLICT {clause} DEFAULT 1)"
    )
    shape = world.shape()
    world.apply(shape, upsert("1", "x", "1"), upsert("2", "y", "1"))
    for state in (upsert("3", "x", "1"), upsert("2", "x", "1"), upsert("2", "y", None)):
        with world.target.transaction() as unit:
            unit.apply(TableStates(shape, [upsert("9", "z", "1")]))
            with pytest.raises(ObjectionError), unit.savepoint():
                unit.apply(TableStates(shape, [state]))
            unit.apply(TableStates(shape, [delete(shape, "9")]))
    assert world.rows() == [(1, "x", 1), (2, "y", 1)]


@pytest.mark.parametrize("event", ["UPDATE", "DELETE"])
def test_an_update_or_delete_that_a_trigger_ignores_ends_the_run_by_its_name(world, event):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, a varchar(9))")
    world.apply(world.shape(), upsert("1", "x"))
    world.execute(f"CREATE TRIGGER quiet BEFORE {event} ON t BEGIN SELECT RAISE(IGNORE); END")
    shape = world.shape()
    state = upsert("1", "y") if event == "UPDATE" else delete(shape, "1")
    with pytest.raises(TargetError, match=r"disable what keeps them out.*Found there: trigger quiet"):
        world.apply(shape, state)
    if event == "DELETE":
        with pytest.raises(TargetError, match="trigger quiet"):
            world.apply(shape, truncated=True)
    assert world.rows() == [(1, "x")]


def test_a_row_that_a_trigger_brings_back_ends_the_run(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, a varchar(9))")
    world.execute("CREATE TRIGGER back AFTER DELETE ON t BEGIN INSERT INTO t VALUES (OLD.id, OLD.a); END")
    shape = world.shape()
    world.apply(shape, upsert("1", "x"))
    with pytest.raises(TargetError, match="trigger back"):
        world.apply(shape, delete(shape, "1"))


def test_an_exception_of_a_trigger_ends_the_run_and_is_no_objection_to_a_message(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, a varchar(9))")
    world.execute("CREATE TRIGGER loud BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'secret'); END")
    with pytest.raises(TargetError, match="a trigger raised an exception") as error:
        world.apply(world.shape(), upsert("1", "x"))
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(("collation", "one", "other"), [("NOCASE", "aß", "Aß"), ("RTRIM", "a", "a  ")])
def test_keys_that_a_collation_takes_for_equal(world, collation, one, other):
    world.execute(f"CREATE TABLE t (k varchar(9) COLLATE {collation} PRIMARY KEY, a varchar(9))")
    shape = world.shape()
    identities = [world.target.identity_of(shape, (key,)) for key in (one, other, f" {one}", "Ä", "ä")]
    assert len(set(identities)) == 4
    world.apply(shape, upsert(one, "x"))
    with pytest.raises(ConfigurationError, match=rf"calls them equal \({collation}\)"):
        world.apply(shape, upsert(other, "y"))


def test_a_key_that_is_compared_by_two_collations_is_refused_and_an_index_of_another_is_no_key(world):
    world.execute("CREATE TABLE t (k varchar(9) COLLATE NOCASE, PRIMARY KEY (k COLLATE BINARY))")
    with pytest.raises(ConfigurationError, match="give the primary key the collation of its columns; k is"):
        world.shape()
    world.execute("CREATE TABLE u (k varchar(9) COLLATE NOCASE NOT NULL)")
    world.execute("CREATE UNIQUE INDEX u_k ON u (k COLLATE BINARY)")
    with pytest.raises(ConfigurationError, match="needs a key"):
        world.shape("u")


def test_a_virtual_table_is_no_target(world):
    world.execute("CREATE VIRTUAL TABLE t USING fts5 (a)")
    with pytest.raises(ConfigurationError, match="name a table; this is a virtual table"):
        world.shape(append=True)


def test_a_generated_column_is_not_written(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer AS (a * 2) STORED, c AS (a) VIRTUAL)")
    shape = world.shape()
    assert [one.written for one in shape.columns] == [True, True, False, False]
    world.apply(shape, upsert("1", "2", "7", "7"))
    world.apply(shape, upsert("1", "3", "7", "7"), upsert("2", "3", ABSENT, ABSENT, whole=True))
    assert world.rows() == [(1, 3, 6, 3), (2, 3, 6, 3)]


def test_defaults_are_expressions_of_the_table(world):
    world.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, a varchar(9) DEFAULT 'a:b', b DEFAULT (1 + 1), c DEFAULT CURRENT_DATE)"
    )
    shape = world.shape()
    world.apply(shape, upsert("1", "x", "x", "x"))
    world.apply(shape, upsert("1", ABSENT, ABSENT, ABSENT, whole=True), upsert("2", ABSENT, ABSENT, ABSENT))
    first, second = world.rows()
    assert first[1:] == second[1:] == ("a:b", 2, first[3])


def test_a_second_writer_waits_for_the_lock_and_gives_up_in_time(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    shape, other = world.shape(), world.another(seconds=0.2)
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1")]))
        with pytest.raises(TargetError, match="Another session held the file") as error, other.transaction():
            pass
    assert error.value.retry_helps
    with other.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("2")]))
    other.close()
    assert world.rows() == [(1,), (2,)]


def test_a_statement_has_its_time(world):
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    target = world.another(seconds=0.1)
    with pytest.raises(TargetError, match=r"statement timeout of 0\.1 s") as error, target.transaction() as unit:
        unit.execute(sa.text(endless))
    assert error.value.retry_helps
    target.close()


def test_a_file_that_is_not_there_is_not_made(world, tmp_path):
    world.legacy.url = world.legacy.url.set(database=str(tmp_path / "nothing.db"))
    with pytest.raises(TargetError, match="does not exist; create the database first"):
        world.another().reflect("t", Wanted())
    assert not (tmp_path / "nothing.db").exists()


def test_a_deferred_foreign_key_is_settled_for_changed_keys_too(world):
    world.execute("CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b))")
    world.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer,"
        " FOREIGN KEY (b, a) REFERENCES p (b, a) DEFERRABLE INITIALLY DEFERRED)"
    )
    parent, child = world.shape("p"), world.shape("t")
    with world.target.transaction() as unit:
        unit.apply(TableStates(parent, [upsert("1", "2")]))
        unit.apply(TableStates(child, [upsert("7", "1", "2"), upsert("8", "1", None)]))
        unit.settle()
        with pytest.raises(ObjectionError) as error, unit.savepoint():
            _moved(unit, parent)
        unit.apply(TableStates(child, [delete(child, "7")]))
        _moved(unit, parent)
    assert error.value.code == "SQLITE_CONSTRAINT_FOREIGNKEY"
    assert world.rows("p") == [(1, 3)]


def _moved(unit, parent):
    unit.apply(TableStates(parent, [upsert("1", "3", former=("1", "2"))]))
    unit.settle()


def test_the_application_reads_while_a_batch_is_written(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    shape = world.shape()
    with world.target.transaction() as unit:
        unit.apply(TableStates(shape, [upsert("1")]))
        assert world.rows() == []
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            world.legacy.connect().execute("INSERT INTO t VALUES (2)")
    assert world.rows() == [(1,)]
