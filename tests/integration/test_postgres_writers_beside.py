"""Open writers of PostgreSQL: who holds the mark of times back, who does not, and what a user without rights sees."""

from __future__ import annotations

import contextlib

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.engines import of
from tests.support.legacy import legacy_database, plain, reused_database
from tests.support.open_writers import pid_of, pids, session, writers_of

INSERT = "INSERT INTO t DEFAULT VALUES RETURNING at"


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())")
        found.execute("INSERT INTO t SELECT FROM generate_series(1, 100)")
        yield found


@pytest.fixture
def reader(legacy):
    """A user who may read the table, and sees nothing of other users' sessions."""
    name = f"reader_of_{legacy.url.database}"
    legacy.execute(f"CREATE ROLE {name} LOGIN; GRANT SELECT ON t TO {name}; GRANT USAGE ON SCHEMA public TO {name}")
    yield name
    legacy.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_our_own_full_load_and_a_dump_hold_nothing_back(legacy):
    database = legacy.database()
    with (
        contextlib.closing(database),
        database.stream(sa.select(sa.column("id")).select_from(sa.table("t")), 1, 1000) as pages,
    ):
        next(pages)
        with session(legacy, "-c application_name=pg_dump") as dump, writers_of(legacy, "at") as writers:
            dump.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1")
            look = writers.look()
            assert (look.blocker, look.open) == (None, {})
            assert look.before == look.now


def test_our_lock_and_our_snapshot_hold_nothing_back(legacy):
    database = legacy.database(query={"application_name": "crm"})
    with (
        contextlib.closing(database),
        database.lock("s", {}),
        database.snapshot(),
        writers_of(legacy, "at", query={"application_name": "legacy-events-x"}) as writers,
    ):
        names = legacy.execute("SELECT application_name FROM pg_stat_activity WHERE datname = current_database()")
        assert {"legacy-events crm"} < {name for (name,) in names if name.startswith("legacy-events")}
        look = writers.look()
        assert (look.blocker, look.open) == (None, {})


@pytest.mark.parametrize("column", ["id", "at"])
def test_a_session_of_ours_that_writes_is_waited_for(legacy, column):
    with session(legacy, "-c application_name=legacy-events") as ours, writers_of(legacy, column) as writers:
        ours.execute("BEGIN; DELETE FROM t WHERE id = 1")
        assert pids(writers.look().open) == {pid_of(ours)}


def test_a_report_holds_times_back_and_ids_go_on(legacy):
    with session(legacy) as report, writers_of(legacy, "at") as times, writers_of(legacy, "id") as ids:
        report.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT count(*) FROM t")
        look = times.look()
        assert (look.before < look.now, look.blocker.pid) == (True, pid_of(report))
        assert ids.look().open == {}


def test_without_a_right_each_transaction_of_others_is_waited_for(legacy, reader):
    with session(legacy) as late, writers_of(legacy, "at", username=reader) as writers:
        assert writers.look().open == {}
        late.execute("BEGIN; SELECT 1")
        look = writers.look()
        [blocker] = look.open.values()
        assert (look.before == look.now, look.blocker) == (True, None)
        assert (blocker.pid, blocker.user, blocker.query_start) == (pid_of(late), "postgres", None)
        [(at,)] = late.execute(INSERT).fetchall()
        assert at < look.before
        assert set(writers.remaining(look.open, look.server)) == set(look.open)
        late.execute("COMMIT")
        assert writers.remaining(look.open, look.server) == {}
        with legacy.connect(username=reader) as own:
            own.execute("BEGIN")
            assert writers.look().blocker.pid == pid_of(own)  # sees its own
            own.execute("ROLLBACK")


def test_with_the_right_the_begin_of_others_is_known(legacy, reader):
    legacy.execute(f"GRANT pg_read_all_stats TO {reader}")
    with session(legacy) as late, writers_of(legacy, "at", username=reader) as writers:
        late.execute("BEGIN; SELECT 1")
        look = writers.look()
        assert (look.open, look.blocker.pid, look.before < look.now) == ({}, pid_of(late), True)


def test_without_a_right_a_statement_that_commits_is_waited_for(legacy, reader):
    legacy.execute("ALTER TABLE t ALTER COLUMN at SET DEFAULT statement_timestamp()")
    legacy.execute(
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN FOR n IN 1..2 LOOP PERFORM pg_advisory_xact_lock(n);"
        " INSERT INTO t DEFAULT VALUES; COMMIT; END LOOP; END'"
    )
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND objid = {}"
    with (
        session(legacy) as late,
        session(legacy) as gate,
        writers_of(legacy, "at", username=reader) as writers,
    ):
        gate.execute("SELECT pg_advisory_lock(1), pg_advisory_lock(2)")
        late.pgconn.send_query(b"CALL p()")
        while legacy.execute(waits.format(1)) != [(1,)]:
            pass
        look = writers.look()
        assert pids(look.open) >= {pid_of(late)}
        gate.execute("SELECT pg_advisory_unlock(1)")
        while legacy.execute(waits.format(2)) != [(1,)]:  # in its second transaction
            pass
        assert pid_of(late) in pids(writers.remaining(look.open, look.server))
        gate.execute("SELECT pg_advisory_unlock(2)")
        while late.pgconn.get_result():
            pass
        assert pid_of(late) not in pids(writers.remaining(look.open, look.server))


@pytest.mark.parametrize("column", ["id", "at"])
@pytest.mark.parametrize("of", [{"table": "v"}, {"table": None, "sql": "SELECT * FROM t WHERE id > 0"}], ids=["v", "q"])
def test_of_a_view_or_query_each_writer_of_the_database_counts(legacy, of, column):
    legacy.execute("CREATE TABLE other (id serial); CREATE VIEW v AS SELECT * FROM t")
    with session(legacy) as late, writers_of(legacy, column, **of) as writers:
        assert (writers.look().open, writers.completeness) == ({}, "bounded")
        late.execute("BEGIN; INSERT INTO other DEFAULT VALUES")
        look = writers.look()
        assert pids(look.open) == ({pid_of(late)} if column == "id" else set())
        gid = f"other of {legacy.url.database}"
        late.execute(f"PREPARE TRANSACTION '{gid}'")
        try:
            assert {one.gid for one in writers.look().open.values()} == {gid}
        finally:
            legacy.execute(f"COMMIT PREPARED '{gid}'")


def test_of_a_query_writers_of_other_databases_do_not_count(legacy):
    with (
        session(legacy, database="postgres") as elsewhere,
        writers_of(legacy, "id", table=None, sql="SELECT id FROM t") as writers,
    ):
        elsewhere.execute("BEGIN; CREATE TEMP TABLE other (id int); INSERT INTO other VALUES (1)")
        assert writers.look().open == {}


def test_a_sender_of_replication_that_decodes_is_no_writer(request):
    """It has a transaction for as long as it decodes one, and the other side does not take what it sends."""
    with legacy_database(request, "postgresql-18", "postgres18_logs") as legacy:
        slot = f"slot_of_{legacy.url.database}"
        legacy.execute("CREATE TABLE t (at timestamptz DEFAULT now(), filling text); CREATE PUBLICATION p FOR TABLE t")
        legacy.execute(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
        try:
            legacy.execute("INSERT INTO t (filling) SELECT repeat(md5(n::text), 30) FROM generate_series(1, 20000) n")
            url = f"{plain(legacy.url)}?replication=database"
            with (
                contextlib.closing(psycopg.connect(url, autocommit=True)) as sender,
                writers_of(legacy, "at") as writers,
            ):
                options = "(proto_version '1', publication_names 'p')"
                sender.pgconn.exec_(f"START_REPLICATION SLOT {slot} LOGICAL 0/0 {options}".encode())
                waits = f"SELECT wait_event FROM pg_stat_activity WHERE pid = {pid_of(sender)}"
                while legacy.execute(waits) != [("WalSenderWriteData",)]:
                    pass
                decodes = f"SELECT count(*) FROM pg_locks WHERE locktype = 'virtualxid' AND pid = {pid_of(sender)}"
                assert legacy.execute(decodes) == [(1,)]
                look = writers.look()
                assert (look.open, look.blocker) == ({}, None)
        finally:
            while legacy.execute(f"SELECT active FROM pg_replication_slots WHERE slot_name = '{slot}'") == [(True,)]:
                pass
            legacy.execute(f"SELECT pg_drop_replication_slot('{slot}')")


def test_a_look_inside_a_snapshot_is_of_now(legacy):
    with session(legacy) as late, writers_of(legacy, "at") as writers:
        database = writers._ask.__self__
        with database.snapshot():
            assert writers.look().blocker is None
            late.execute("BEGIN")
            assert writers.look().blocker.pid == pid_of(late)
