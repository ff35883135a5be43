"""What the reader makes of PostgreSQL's change log."""

import contextlib
from itertools import pairwise

import psycopg
import pytest

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.model.log import LogPosition, LogRows, LogTruncate, TableName
from airflow_legacy_events.databases.postgres.changelog.places import number_of
from tests.support.change_log import changed_database, flat, only
from tests.support.databases import fresh_database

LONG = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i)"
TABLE = "CREATE TABLE t (id integer PRIMARY KEY, a text, b text)"


@pytest.fixture(params=["postgres18_logs", "postgres_logs"])
def database(request):
    with fresh_database(request.getfixturevalue(request.param)) as found:
        yield found


@pytest.fixture
def log(database):
    with changed_database(database, TABLE) as found:
        yield found


def positions(chunks):
    return [(number_of(chunk.end.place), chunk.end.changes) for chunk in chunks]


def test_transactions_come_whole_in_the_order_of_their_commits(log):
    with psycopg.connect(log.database.dsn) as one, psycopg.connect(log.database.dsn) as other:
        one.execute("INSERT INTO t VALUES (1, 'begun first')")
        other.execute("INSERT INTO t VALUES (2, 'committed first')")
        one.execute("SAVEPOINT s; INSERT INTO t VALUES (3, 'undone'); ROLLBACK TO s; INSERT INTO t VALUES (4, 'kept')")
        other.commit()
        one.execute("SAVEPOINT s; UPDATE t SET b = 'in a savepoint' WHERE id = 4; RELEASE s")
        one.commit()
        one.execute("INSERT INTO t VALUES (5, 'rolled back')")
        one.rollback()
    chunk = only(log.read())
    assert flat([chunk]) == [
        ("c", "2", "committed first", None),
        ("c", "1", "begun first", None),
        ("c", "4", "kept", None),
        ("u", "4", "kept", "in a savepoint"),
    ]
    assert (chunk.committed, len(chunk.transactions), chunk.final) == (2, 2, True)
    [(xmin,)] = log.execute("SELECT xmin::text::int8 FROM t WHERE id = 2")
    assert chunk.transactions[0] & 0xFFFFFFFF == xmin
    assert abs(chunk.transactions[0] - log.xid()) < 2**31


def test_a_prepared_transaction_comes_when_it_is_committed(log):
    name = f"'{log.slot}'"
    with psycopg.connect(log.database.dsn, autocommit=True) as session:
        session.execute(f"BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION {name}")
        session.execute("INSERT INTO t VALUES (2)")
        before = log.read()
        session.execute(f"COMMIT PREPARED {name}")
        session.execute(f"BEGIN; INSERT INTO t VALUES (3); PREPARE TRANSACTION {name}")
        session.execute(f"ROLLBACK PREPARED {name}")
    assert flat(before) == [("c", "2", None, None)]
    assert flat(log.read(before[-1].end)) == [("c", "1", None, None)]


def test_hidden_columns_tell_the_commit_and_number_its_changes(log):
    log.transaction("INSERT INTO t VALUES (1), (2)", "UPDATE t SET id = 3 WHERE id = 1", "DELETE FROM t WHERE id = 2")
    rows = flat(log.read(), hidden=True)
    assert [(row[0], row[1], row[5]) for row in rows] == [
        ("c", "1", 1),
        ("c", "2", 2),
        ("d", "1", 3),
        ("c", "3", 4),
        ("d", "2", 5),
    ]
    [place] = {row[4] for row in rows}
    assert number_of(log.begin.place) < number_of(place) < number_of(log.end())
    [time] = {row[6] for row in rows}
    [(just_now,)] = log.execute(f"SELECT now() - '{time}'::timestamptz BETWEEN '-1 s' AND '5 min'")
    assert just_now


def test_an_unchanged_long_value_is_absent_and_named_unless_the_old_row_has_it(log):
    log.execute("CREATE TABLE whole (LIKE t INCLUDING ALL); ALTER TABLE whole REPLICA IDENTITY FULL")
    for table in ("t", "whole"):
        log.transaction(
            f"INSERT INTO {table} VALUES (1, 'a', {LONG})",
            f"UPDATE {table} SET a = 'b'",
            f"UPDATE {table} SET id = 2",
            f"DELETE FROM {table}",
        )
    chunk = only(log.read(before=True))
    [(value,)] = log.execute(f"SELECT {LONG}")
    by_key, whole = chunk.parts
    assert [row[:3] for row in by_key.rows] == [
        ("1", "a", value),
        ("1", "b", ABSENT),
        ("1", ABSENT, ABSENT),
        ("2", "b", ABSENT),
        ("2", ABSENT, ABSENT),
    ]
    assert [row[-1] for row in by_key.rows] == [None, '["b"]', None, '["b"]', None]
    assert by_key.before == [None, ("1", ABSENT, ABSENT), ("1", ABSENT, ABSENT), None, ("2", ABSENT, ABSENT)]
    assert [row[:3] for row in whole.rows] == [
        ("1", "a", value),
        ("1", "b", value),
        ("1", "b", value),
        ("2", "b", value),
        ("2", "b", value),
    ]
    assert {row[-1] for row in whole.rows} == {None}
    assert whole.before == [None, ("1", "a", value), ("1", "b", value), None, ("2", "b", value)]
    assert by_key.ops == whole.ops == ["c", "u", "d", "c", "d"]


def test_a_long_key_that_did_not_change_is_in_the_log(log):
    log.execute("CREATE TABLE long (id text PRIMARY KEY, a text)")
    log.execute("ALTER TABLE long ALTER id SET STORAGE EXTERNAL")
    log.transaction("INSERT INTO long VALUES (repeat('k', 2500), 'a')", "UPDATE long SET a = 'b'")
    assert log.changes()[1] == ("u", "k" * 2500, "b")


def test_old_rows_hold_what_the_replica_identity_has(log):
    log.execute("ALTER TABLE t ALTER b SET NOT NULL; CREATE UNIQUE INDEX i ON t (b)")
    log.execute("ALTER TABLE t REPLICA IDENTITY USING INDEX i")
    log.transaction("INSERT INTO t VALUES (1, NULL, 'x')", "UPDATE t SET b = 'y'", "DELETE FROM t")
    chunk = only(log.read(key=("b",)))
    [part] = chunk.parts
    assert part.form.identity == ("b",)
    assert flat([chunk]) == [("c", "1", None, "x"), ("d", ..., ..., "x"), ("c", "1", None, "y"), ("d", ..., ..., "y")]


def test_a_table_without_identity_has_its_inserts(log):
    log.execute("CREATE TABLE journal (id integer, a text)")
    log.execute("INSERT INTO journal VALUES (NULL, 'a')")
    assert log.changes(key=()) == [("c", None, "a")]
    [gap] = log.changes()
    assert (gap[0], gap[1].why, gap[1].lost, gap[1].removed) == ("LogGap", "its key is NULL", True, False)


def test_a_change_whose_key_the_log_does_not_have_is_a_gap(log):
    log.transaction("INSERT INTO t VALUES (1, 'a')", "UPDATE t SET b = 'x'", "INSERT INTO t VALUES (2, 'b')")
    chunks = log.read(key=("a",))
    first, gap, last = [part for chunk in chunks for part in chunk.parts]
    assert [len(first.rows), len(last.rows)] == [1, 1]
    assert (gap.table, gap.lost, gap.removed) == (TableName("public", "t"), True, True)
    assert gap.why == "key column 'a' is none of the replica identity that it had there"
    assert [chunk.end.changes for chunk in chunks] == [1, 2, 0]
    [gap] = log.read(key=("nowhere",))[1].parts
    assert gap.why == "key column 'nowhere' is none of the columns that the log has there"


def test_truncated_tables_are_chunks_of_their_own_with_a_number_each(log):
    log.execute("CREATE TABLE child (id integer PRIMARY KEY REFERENCES t)")
    log.transaction("INSERT INTO t VALUES (1)", "TRUNCATE t CASCADE", "INSERT INTO t VALUES (2)")
    chunks = log.read()
    parts = [part for chunk in chunks for part in chunk.parts]
    assert [type(part) for part in parts] == [LogRows, LogTruncate, LogTruncate, LogRows]
    assert {part.form.table.name for part in parts[1:3]} == {"t", "child"}
    assert [part.hidden[1] for part in parts[1:3]] == [2, 3]
    assert [chunk.end.changes for chunk in chunks] == [1, 2, 3, 0]
    assert all(not part.partial for part in parts[1:3])
    assert flat(log.read(chunks[1].end))[0][1].form.table == parts[2].form.table
    assert flat(log.read(chunks[2].end)) == [("c", "2", None, None)]


@pytest.mark.parametrize("rows", [1, 4])
def test_a_transaction_is_cut_anywhere_and_read_on_from_there(log, rows):
    log.transaction(
        "INSERT INTO t SELECT i, i::text FROM generate_series(1, 3) i",
        "UPDATE t SET id = id + 100 WHERE id <= 2",
        "DELETE FROM t WHERE id < 100",
    )
    log.execute("INSERT INTO t VALUES (1)")
    whole = flat(log.read(), hidden=True)
    after, found = log.begin, []
    while True:  # every chunk by a reader of its own
        with contextlib.closing(log.reader()) as reader:
            chunk = next(reader.read(after, log.end(), rows))
        assert sum(len(part.rows) for part in chunk.parts) <= rows
        found += flat([chunk], hidden=True)
        assert (number_of(after.place), after.changes) <= (number_of(chunk.end.place), chunk.end.changes)
        after = chunk.end
        if chunk.final:
            break
    assert found == whole


def test_chunks_are_bounded_in_bytes_and_tell_how_far_the_log_was_read(log):
    log.execute("INSERT INTO t SELECT i, repeat('x', 100000) FROM generate_series(1, 200) i")
    chunks = log.read()
    assert [sum(len(part.rows) for part in chunk.parts) for chunk in chunks] == [84, 84, 32]
    assert sum(chunk.bytes for chunk in chunks) == number_of(chunks[-1].end.place) - number_of(log.begin.place)
    assert [chunk.committed for chunk in chunks] == [0, 0, 1]
    assert {chunk.transactions for chunk in chunks} == {chunks[0].transactions}
    assert all(one < other for one, other in pairwise(positions(chunks)))


def test_what_commits_behind_the_target_is_not_read(log):
    with psycopg.connect(log.database.dsn) as open_:
        open_.execute("INSERT INTO t VALUES (1, 'begun before')")
        log.execute("INSERT INTO t VALUES (2, 'committed before')")
        until = log.end()
        open_.commit()
    with contextlib.closing(log.reader()) as reader:
        found = list(reader.read(log.begin, until, 10))
        assert flat(found) == [("c", "2", "committed before", None)]
        assert (found[-1].end, found[-1].final) == (LogPosition(until), True)
        assert next(reader.read(found[-1].end, until, 10)).parts == ()
        assert flat(reader.read(found[-1].end, log.end(), 10)) == [("c", "1", "begun before", None)]
        end = log.end()
        assert flat(reader.read(log.begin, end, 10))[0] == ("c", "2", "committed before", None)


def test_a_relation_that_changes_has_a_form_of_its_own(log):
    log.transaction("INSERT INTO t VALUES (1, 'a', 'b')", "ALTER TABLE t ADD c numeric(9, 2)", "UPDATE t SET c = 1")
    log.execute("ALTER TABLE t RENAME b TO renamed")
    log.execute("INSERT INTO t VALUES (2)")
    log.execute("ALTER TABLE t DROP COLUMN a")
    log.execute("INSERT INTO t VALUES (3)")
    chunk = only(log.read())
    assert [[column.name for column in part.form.columns] for part in chunk.parts] == [
        ["id", "a", "b"],
        ["id", "a", "b", "c"],
        ["id", "a", "renamed", "c"],
        ["id", "renamed", "c"],
    ]
    assert [part.form.numbers for part in chunk.parts] == [
        (1, None, None),
        (1, 2, 3, 4),
        (1, 2, 3, 4),
        (1, 3, 4),
    ]
    assert chunk.parts[1].form.columns[3].type == "numeric(9,2)"


def test_equal_relations_share_one_form_and_rows_of_tables_one_part(log):
    log.execute("CREATE TABLE u (id integer PRIMARY KEY)")
    for number in range(3):
        log.transaction(f"INSERT INTO t VALUES ({number})", f"INSERT INTO u VALUES ({number})")
    with contextlib.closing(log.reader()) as reader:
        chunk = only(reader.read(log.begin, log.end(), 100))
        [again] = reader.read(log.begin, log.end(), 100)
    assert [(part.form.table.name, len(part.rows)) for part in chunk.parts] == [("t", 3), ("u", 3)]
    assert [part.form for part in chunk.parts] == [part.form for part in again.parts]


def test_a_changed_origin_is_no_change(log):
    log.execute(f"SELECT pg_replication_origin_create('{log.slot}')")
    try:
        log.transaction(f"SELECT pg_replication_origin_session_setup('{log.slot}')", "INSERT INTO t VALUES (1)")
    finally:
        log.execute(f"SELECT pg_replication_origin_drop('{log.slot}')")
    assert log.changes() == [("c", "1", None, None)]


def test_a_row_above_its_maximum_size_is_a_gap(log):
    log.execute("ALTER TABLE t ADD note text")
    log.execute("ALTER TABLE t ALTER note SET STORAGE EXTERNAL")
    log.transaction(
        "INSERT INTO t (id, note) VALUES (1, 'short'), (2, repeat('x', 3000)), (3, 'short')",
        "UPDATE t SET note = repeat('y', 3000) WHERE id = 1",
    )

    found = [part for chunk in log.read(max_row_bytes=2000, key=("id",)) for part in chunk.parts]

    assert [len(part.rows) if isinstance(part, LogRows) else (part.lost, part.removed) for part in found] == [
        1,
        (True, False),
        1,
        (True, True),
    ]
    assert found[1].why.endswith("more than max_row_bytes=2000 (raise it to send the row)")
