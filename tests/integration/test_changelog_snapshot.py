"""Snapshots at a place of PostgreSQL's log, and the order of keys."""

from __future__ import annotations

import contextlib
import random
import threading

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.postgres.changelog.snapshot import Visible
from tests.support.change_log import flat
from tests.support.engines import of
from tests.support.slots import logged_database

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, t text)"


@pytest.fixture(params=of("postgresql"))
def logged(request):
    with logged_database(request, request.param, ORDERS) as found:
        yield found


def ids(log):
    return [
        one for (one,) in log.database.read(sa.select(sa.column("id")).select_from(log.tables[0].reflection.selectable))
    ]


def test_what_a_snapshot_holds_is_what_the_log_has_up_to_its_place(logged):
    logged.begin()
    asynchronous = logged.legacy.connect()
    asynchronous.execute("SET synchronous_commit = off")
    with contextlib.closing(asynchronous), logged.log() as log:
        log.open()
        position = logged.position
        for number in range(20):
            asynchronous.execute(f"INSERT INTO orders VALUES ({number})")
            with log.change_log.snapshot(log.tables) as taken:
                asynchronous.execute(f"INSERT INTO orders VALUES ({100 + number})")
                chunks = list(log.change_log.read(position, taken.place, 100))
                position = chunks[-1].end
                read = [row[1] for row in flat(chunks)]
                assert read == ([str(100 + number - 1)] if number else []) + [str(number)]
                assert sorted(map(int, ids(log))) == [*range(number + 1), *range(100, 100 + number)]
                assert not taken.unseen([one for chunk in chunks for one in chunk.transactions])


def test_a_transaction_that_is_open_is_not_seen(logged):
    with contextlib.closing(logged.legacy.connect()) as writer, logged.log() as log:
        writer.autocommit = False
        xid = writer.execute("SELECT pg_current_xact_id()::text::int8").fetchone()[0]
        ended = logged.execute("SELECT pg_current_xact_id()::text::int8")[0][0]
        log.look()
        with log.change_log.snapshot(log.tables) as taken:
            writer.commit()
            assert taken.unseen([xid, ended]) == (xid,)
            assert log.change_log.unseen([xid, ended]) == ()


@pytest.mark.parametrize(
    ("text", "asked", "unseen"),
    [("10:20:12,15", [9, 10, 12, 19, 20, 2**33], (12, 20, 2**33)), ("10:10:", [9, 10], (10,))],
)
def test_a_snapshot_says_whom_it_sees(text, asked, unseen):
    assert Visible.of(text).unseen(asked) == unseen
    assert Visible.of(text, standby=True).unseen(asked) == ()


def test_no_table_is_rewritten_while_a_snapshot_is_held(logged):
    with contextlib.closing(logged.legacy.connect()) as other, logged.log() as log:
        log.look()
        with log.change_log.snapshot(log.tables):
            other.execute("SET lock_timeout = 100")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("TRUNCATE orders")
            other.execute("INSERT INTO orders VALUES (1)")
        other.execute("TRUNCATE orders")


def test_a_table_that_was_rewritten_just_before_it_was_locked_has_another_snapshot_taken(logged):
    logged.execute("INSERT INTO orders VALUES (1, 'a')")
    with logged.log() as log:
        log.look()
        session, asked = log.change_log._session, []
        ask = session.ask

        def rewriting(doing, statement, parameters=None):
            answer = ask(doing, statement, parameters)
            if "pg_relation_filenode" in statement and len(asked) < 1:
                asked.append(statement)
                logged.execute("ALTER TABLE orders ALTER t TYPE varchar(9) USING t || 'x'")
            return answer

        session.ask = rewriting
        with log.change_log.snapshot(log.tables):
            assert ids(log) == ["1"]
        session.ask = ask


def test_a_table_that_is_rewritten_each_time_ends_the_run(logged):
    with logged.log() as log:
        log.look()
        session, ask = log.change_log._session, log.change_log._session.ask

        def rewriting(doing, statement, parameters=None):
            answer = ask(doing, statement, parameters)
            if "pg_relation_filenode" in statement:
                thread = threading.Thread(target=logged.execute, args=("TRUNCATE orders",))
                thread.start()
                thread.join(0.05)
            return answer

        session.ask = rewriting
        with pytest.raises(SourceError, match="rewritten or emptied each time"), log.change_log.snapshot(log.tables):
            pass


WORDS = ["a", "A", "ä", "Ä", "b", "B", "z", "Z", "ss", "ß", "a b", "a-b", "ab", "10", "9", "", "é", "e", "E"]


@pytest.mark.parametrize("engine", of("postgresql"))
@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ('k text COLLATE "de-x-icu" PRIMARY KEY', ("k",)),
        ('k text COLLATE "C" PRIMARY KEY', ("k",)),
        ("k varchar(9) PRIMARY KEY", ("k",)),
        ("k name PRIMARY KEY", ("k",)),
        ('n mood, k text COLLATE "und-x-icu", PRIMARY KEY (n, k)', ("n", "k")),
        ("k folded PRIMARY KEY", ("k",)),
    ],
)
def test_the_database_says_which_keys_lie_beyond_another(request, engine, columns, key):
    rolls = random.Random(7)
    with logged_database(request, engine, "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')") as logged:
        logged.execute("CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        logged.execute("CREATE DOMAIN folded AS text COLLATE nocase", f"CREATE TABLE t ({columns})")
        for word in WORDS:
            values = [rolls.choice(["sad", "ok", "happy"]), word] if len(key) > 1 else [word]
            listed = ", ".join(f"'{value}'" for value in values)
            logged.execute(f"INSERT INTO t VALUES ({listed}) ON CONFLICT DO NOTHING")
        ordered = [tuple(map(str, row)) for row in logged.execute(f"SELECT * FROM t ORDER BY {', '.join(key)}")]
        with logged.log() as log:
            [table] = log.look()
            for at, reached in enumerate(ordered):
                found = log.change_log.beyond(table, reached, ordered)
                assert found == [False] * (at + 1) + [True] * (len(ordered) - at - 1)
            assert log.change_log.beyond(table, ordered[0], []) == []


@pytest.mark.parametrize(
    ("type_", "keys"),
    [
        ("numeric", ["-1.5", "0", "2", "10", "1e3", "NaN"]),
        ("bytea", [r"\x", r"\x00", r"\x0a", r"\xff"]),
        ("timestamptz", ["-infinity", "2026-01-01 00:00:00+00", "2026-01-01 00:00:00.5+00", "infinity"]),
        ("uuid", ["00000000-0000-0000-0000-000000000001", "a0000000-0000-0000-0000-000000000000"]),
        ("char(3)", ["a  ", "ab ", "b  "]),
        ("integer[]", ["{1}", "{1,2}", "{10}"]),
    ],
)
def test_keys_of_other_types_are_compared_as_such(logged, type_, keys):
    logged.execute(f"CREATE TABLE more (id {type_} PRIMARY KEY)")
    logged.patterns = ("public.more",)
    with logged.log() as log:
        [table] = log.look()
        for at, reached in enumerate(keys):
            found = log.change_log.beyond(table, (reached,), [(one,) for one in keys])
            assert found == [one > at for one in range(len(keys))]
