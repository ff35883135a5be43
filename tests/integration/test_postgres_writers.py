"""Open writers of PostgreSQL: each that may commit below a mark is seen, and waited for until it has ended."""

from __future__ import annotations

import contextlib
import datetime as dt
from contextlib import contextmanager

import psycopg
import pytest

from airflow_legacy_events.core.errors import WatermarkError
from tests.support.engines import of
from tests.support.legacy import plain, reused_database
from tests.support.open_writers import pid_of, pids, session, writers_of

TABLE = "CREATE TABLE t (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
INSERT = "INSERT INTO t DEFAULT VALUES RETURNING id, at"


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute(TABLE)
        yield found


@contextmanager
def prepared(legacy, writer):
    """A writer's transaction, prepared; it is committed in the end."""
    gid = f"gid of {legacy.url.database}"
    writer.execute(f"PREPARE TRANSACTION '{gid}'")
    try:
        yield gid
    finally:
        legacy.execute(f"COMMIT PREPARED '{gid}'")


@pytest.mark.parametrize(
    "doing",
    [INSERT, "SELECT nextval('t_id_seq')", "SAVEPOINT s; SELECT nextval('t_id_seq'); ROLLBACK TO s", "COPY t TO STDIN"],
)
def test_one_that_has_a_lower_id_is_waited_for(legacy, doing):
    if doing.startswith("COPY"):
        doing = "UPDATE t SET id = DEFAULT"
    with session(legacy) as late, writers_of(legacy, "id") as writers:
        late.execute(f"BEGIN; {doing}")
        legacy.execute(INSERT)
        look = writers.look()
        assert (look.before, pids(look.open)) == (None, {pid_of(late)})
        [blocker] = look.open.values()
        assert (blocker.user, blocker.database) == ("postgres", legacy.url.database)
        assert dt.datetime.fromisoformat(blocker.query_start).utcoffset() == dt.timedelta()
        for _ in range(3):
            assert set(writers.remaining(look.open, look.server)) == set(look.open)
        late.execute("COMMIT; BEGIN; INSERT INTO t DEFAULT VALUES")  # the next one of the same session is above
        assert writers.remaining(look.open, look.server) == {}


def test_one_that_has_begun_and_not_written_is_above_the_mark_of_ids_and_holds_that_of_times_back(legacy):
    with session(legacy) as late, writers_of(legacy, "id") as ids, writers_of(legacy, "at") as times:
        late.execute("BEGIN")
        legacy.execute(INSERT)
        look = times.look()
        assert (ids.look().open, look.open) == ({}, {})
        assert look.blocker.pid == pid_of(late)
        [(_, at)] = late.execute(INSERT).fetchall()
        assert look.before <= at < look.now
        assert times.look().before == look.before
        late.execute("COMMIT")
        assert times.look().before > at


def test_one_that_waits_for_its_lock_is_waited_for(legacy):
    with session(legacy) as locks, session(legacy) as late, writers_of(legacy, "id") as writers:
        locks.execute("BEGIN; LOCK TABLE t IN SHARE MODE")
        late.pgconn.send_query(INSERT.encode())
        waits = f"SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = {pid_of(late)}"
        while legacy.execute(waits) != [(1,)]:
            pass
        assert pids(writers.look().open) == {pid_of(late)}


@pytest.mark.parametrize(
    ("made", "insert"),
    [
        ("CREATE TABLE p (LIKE t INCLUDING ALL) PARTITION BY RANGE (id)", "INSERT INTO part (id) VALUES (1)"),
        ("CREATE TABLE p (LIKE t INCLUDING ALL)", "INSERT INTO part (id) VALUES (1)"),
        ("CREATE TABLE p (id int GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (id)", "SELECT nextval('p_id_seq')"),
    ],
    ids=["partition", "child", "identity"],
)
def test_one_that_writes_to_a_part_is_waited_for(legacy, made, insert):
    legacy.execute(made)
    part = "PARTITION OF p FOR VALUES FROM (0) TO (9)" if "PARTITION" in made else "() INHERITS (p)"
    with session(legacy) as late, writers_of(legacy, "id", table="p") as writers:
        legacy.execute(f"CREATE TABLE part {part}")  # after the catalog was read
        late.execute(f"BEGIN; {insert}")
        look = writers.look()
        assert pids(look.open) == {pid_of(late)}
        assert set(writers.remaining(look.open, look.server)) == set(look.open)


def test_a_sequence_that_no_column_owns_counts_by_its_default(legacy):
    legacy.execute("CREATE SEQUENCE free; CREATE TABLE u (id int DEFAULT nextval('free'))")
    with session(legacy) as late, writers_of(legacy, "id", table="u") as writers:
        late.execute("BEGIN; SELECT nextval('free')")
        assert pids(writers.look().open) == {pid_of(late)}


@pytest.mark.parametrize("column", ["id", "at"])
def test_a_prepared_one_is_waited_for_whenever_it_began(legacy, column):
    with session(legacy) as late, writers_of(legacy, column) as writers:
        late.execute(f"BEGIN; {INSERT}")
        with prepared(legacy, late) as gid:
            look = writers.look()
            [blocker] = look.open.values()
            assert (blocker.pid, blocker.gid, blocker.database) == (None, gid, legacy.url.database)
            assert set(writers.remaining(look.open, look.server)) == set(look.open)
        assert writers.remaining(look.open, look.server) == {}


def test_one_that_is_prepared_after_the_look_is_waited_for(legacy):
    with session(legacy) as late, writers_of(legacy, "id") as writers:
        late.execute("BEGIN; SELECT nextval('t_id_seq')")  # it has no number yet
        look = writers.look()
        late.execute(INSERT)
        with prepared(legacy, late) as gid:
            late.execute(f"BEGIN; {INSERT}")  # the next one of its session
            [remaining] = writers.remaining(look.open, look.server).values()
            assert remaining.gid == gid
        assert writers.remaining(look.open, look.server) == {}


@pytest.mark.parametrize("column", ["id", "at"])
def test_writers_of_other_tables_and_databases_are_not_waited_for(legacy, column):
    legacy.execute("CREATE TABLE other (id serial)")
    with (
        session(legacy) as late,
        session(legacy, database="postgres") as elsewhere,
        writers_of(legacy, column) as writers,
    ):
        elsewhere.execute("BEGIN; SELECT pg_current_xact_id()")
        assert writers.look().blocker is None
        late.execute("BEGIN; INSERT INTO other DEFAULT VALUES")
        assert writers.look().open == {}
        with prepared(legacy, late):
            assert writers.look().open == {}


def test_a_sender_of_replication_that_writes_is_waited_for(legacy):
    with (
        contextlib.closing(psycopg.connect(f"{plain(legacy.url)}?replication=database", autocommit=True)) as late,
        writers_of(legacy, "id") as ids,
        writers_of(legacy, "at") as times,
    ):
        for statement in (b"BEGIN", b"INSERT INTO t DEFAULT VALUES"):
            assert late.pgconn.exec_(statement).status == psycopg.pq.ExecStatus.COMMAND_OK
        assert pids(ids.look().open) == {pid_of(late)}
        assert pids(times.look().open) == {pid_of(late)}
        late.pgconn.exec_(b"COMMIT")
        [(lsn,)] = legacy.execute("SELECT pg_current_wal_flush_lsn()")
        late.pgconn.exec_(f"START_REPLICATION PHYSICAL {lsn}".encode())
        assert legacy.execute(f"SELECT state FROM pg_stat_activity WHERE pid = {pid_of(late)}") == [("active",)]
        assert (times.look().open, times.look().blocker) == ({}, None)


@pytest.mark.clock_margin
def test_the_mark_of_times_stays_behind_the_clock(legacy):
    with writers_of(legacy, "at") as writers:
        look = writers.look()
        assert look.now - look.before == dt.timedelta(seconds=1)


def test_a_statement_that_commits_keeps_its_time(legacy):
    legacy.execute("ALTER TABLE t ALTER COLUMN at SET DEFAULT statement_timestamp()")
    legacy.execute(
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN FOR n IN 1..2 LOOP INSERT INTO t DEFAULT VALUES; COMMIT;"
        " PERFORM pg_advisory_xact_lock(n); END LOOP; END'"
    )
    with session(legacy) as late, session(legacy) as gate, writers_of(legacy, "at") as writers:
        gate.execute("SELECT pg_advisory_lock(1)")
        late.pgconn.send_query(b"CALL p()")
        while legacy.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'") != [(1,)]:
            pass
        look = writers.look()
        assert (look.open, look.blocker.pid) == ({}, pid_of(late))
        gate.execute("SELECT pg_advisory_unlock(1)")
        while late.pgconn.get_result():
            pass
        assert [look.before <= at for (at,) in legacy.execute("SELECT at FROM t")] == [True, True]


def test_a_session_that_shows_no_times_is_waited_for(legacy):
    with session(legacy, "-c track_activities=off") as late, writers_of(legacy, "at") as writers:
        assert writers.look().open == {}
        late.execute("BEGIN; SELECT 1")
        look = writers.look()
        assert (look.blocker, pids(look.open)) == (None, {pid_of(late)})
        late.execute(INSERT)
        assert set(writers.remaining(look.open, look.server)) == set(look.open)
        with prepared(legacy, late) as gid:
            assert {one.gid for one in writers.remaining(look.open, look.server).values()} == {gid}
        assert writers.remaining(look.open, look.server) == {}


def test_ids_of_another_database_are_refused_by_name(legacy):
    with writers_of(legacy, "id") as writers, pytest.raises(WatermarkError, match=r"'1234' .* is none of PostgreSQL"):
        writers.remaining(["1234"], {})


def test_another_server_is_refused_by_name(legacy):
    with session(legacy) as late, writers_of(legacy, "id") as writers:
        late.execute(f"BEGIN; {INSERT}")
        look = writers.look()
        with pytest.raises(WatermarkError, match=r"system identifier 7, and this is \d+; nothing was read"):
            writers.remaining(look.open, {**look.server, "system": "7"})
