"""Open writers of PostgreSQL across a restart, a failover, and a server that was set back."""

from __future__ import annotations

import contextlib
import shutil

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import WatermarkError
from tests.services.base import wait_until
from tests.services.postgres import Postgres, Postgres18
from tests.support.engines import ENGINES
from tests.support.legacy import Legacy, connected
from tests.support.open_writers import session, writers_of
from tests.support.standby import primary_and_standby, restartable


@contextlib.contextmanager
def legacy_on(server, database="postgres"):
    url = sa.make_url(server.url(database))
    with contextlib.closing(connected(url)) as application:
        yield Legacy(ENGINES["postgresql-18"], url, application)


@pytest.mark.parametrize("kind", [Postgres, Postgres18])
def test_local_ones_end_with_a_restart_and_prepared_ones_do_not(kind):
    with restartable(kind) as server:
        with legacy_on(server) as legacy:
            legacy.execute("CREATE TABLE t (id bigserial, at timestamptz DEFAULT now()); CREATE TABLE u (id int)")
            with session(legacy) as late, session(legacy) as untimed, writers_of(legacy, "id") as ids:
                untimed.execute("SET track_activities = off; BEGIN; INSERT INTO u VALUES (1)")
                late.execute("BEGIN; SELECT nextval('t_id_seq')")
                look = ids.look()
                with writers_of(legacy, "at") as times:
                    timed = times.look()
                assert (len(look.open), len(timed.open)) == (1, 1)
                late.execute("INSERT INTO t DEFAULT VALUES; PREPARE TRANSACTION 'of the set'")
                untimed.execute("PREPARE TRANSACTION 'of another table'")
        server.end()
        server.go_on()
        with legacy_on(server) as legacy, writers_of(legacy, "id") as ids, writers_of(legacy, "at") as times:
            for writers, before in ((ids, look), (times, timed)):
                [blocker] = writers.remaining(before.open, before.server).values()
                assert blocker.gid == "of the set"  # the other one does not write to the table
            again = ids.look()
            assert {one.gid for one in again.open.values()} == {"of the set"}
            legacy.execute("COMMIT PREPARED 'of the set'")
            for writers, before in ((ids, look), (times, timed), (ids, again)):
                assert writers.remaining(before.open, before.server) == {}
            legacy.execute("ROLLBACK PREPARED 'of another table'")


def test_a_server_that_was_set_back_is_refused_by_name(tmp_path):
    with restartable(Postgres18) as server:
        server.end()
        shutil.copytree(server.data, tmp_path / "data", symlinks=True)
        server.go_on()
        with legacy_on(server) as legacy:
            legacy.execute("CREATE TABLE t (id bigserial); INSERT INTO t SELECT FROM generate_series(1, 1000)")
            with session(legacy) as late, writers_of(legacy, "id") as writers:
                late.execute("BEGIN; INSERT INTO t DEFAULT VALUES")
                look = writers.look()
        server.end()
        shutil.rmtree(server.data)
        shutil.copytree(tmp_path / "data", server.data, symlinks=True)
        for path in (server.data, *server.data.rglob("*")):
            shutil.chown(path, "postgres")
        server.go_on()
        with legacy_on(server) as legacy:
            legacy.execute("CREATE TABLE t (id bigserial)")
            with (
                writers_of(legacy, "id") as writers,
                pytest.raises(WatermarkError, match=r"are not known any more: the server is a primary at WAL .*behind"),
            ):
                writers.remaining(look.open, look.server)


def test_a_standby_is_refused_until_it_takes_over():
    with (
        primary_and_standby(Postgres18) as (primary, standby),
        legacy_on(primary) as legacy,
        session(legacy) as late,
    ):
        legacy.execute("CREATE TABLE t (id bigserial)")
        late.execute("BEGIN; INSERT INTO t DEFAULT VALUES")
        with writers_of(legacy, "id") as writers:
            look = writers.look()
        standby.follow()
        with legacy_on(standby) as copy, writers_of(copy, "id") as writers:
            assert writers.completeness == "best_effort"
            assert "this server is a standby: rows arrive in the order of their commits" in writers.reason
            assert writers.look().open == {}
            with pytest.raises(WatermarkError, match="are those of the primary of this standby; nothing was read"):
                writers.remaining(look.open, look.server)
            standby.promote()
            assert writers.remaining(look.open, look.server) == {}


def test_an_autovacuum_worker_is_no_writer():
    with restartable(Postgres18) as server:
        for setting in ("autovacuum_naptime = 1", "autovacuum_vacuum_cost_delay = 100"):
            server.execute(f"ALTER SYSTEM SET {setting}")
        server.execute("SELECT pg_reload_conf()")
        with legacy_on(server) as legacy:
            legacy.execute("CREATE TABLE t (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), filling text)")
            legacy.execute("ALTER TABLE t SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_cost_limit = 1)")
            legacy.execute("INSERT INTO t (filling) SELECT repeat('x', 500) FROM generate_series(1, 20000)")
            legacy.execute("DELETE FROM t WHERE id % 2 = 0")
            legacy.execute("CREATE ROLE reader LOGIN; GRANT SELECT ON t TO reader")
            cleans = "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^autovacuum: VACUUM.* public.t'"
            wait_until(lambda: legacy.execute(cleans) == [(1,)], "a worker")
            for user in ("postgres", "reader"):
                with writers_of(legacy, "at", username=user) as times, writers_of(legacy, "id", username=user) as ids:
                    look = times.look()
                    assert (look.open, look.blocker, ids.look().open) == ({}, None, {})
                with writers_of(legacy, "id", table=None, sql="SELECT id FROM t", username=user) as ids:
                    assert ids.look().open == {}
            assert legacy.execute(cleans) == [(1,)]
