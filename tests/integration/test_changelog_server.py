"""PostgreSQL's change log and settings of the server: each fault is named with the SQL that mends it.

The servers are the tests' own, since others must not run with such settings.
"""

from __future__ import annotations

import contextlib
import itertools
import threading

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError, SourceError
from airflow_legacy_events.core.ports import LogOptions
from tests.services.base import wait_until
from tests.services.pgbouncer import PgBouncer
from tests.services.postgres import Postgres18
from tests.support.change_log import flat, only
from tests.support.engines import of
from tests.support.silence import Proxy
from tests.support.slots import altered, logged_database, logged_on, statements_in
from tests.support.standby import reset, restartable

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, t text)"
ENGINE = "postgresql-18"


@pytest.fixture(scope="module")
def server():
    with restartable(Postgres18) as found:
        yield found


@pytest.fixture
def logged(server):
    with logged_on(server, ENGINE, ORDERS) as found:
        yield found
    reset(server)


def test_a_run_that_commits_would_wait_for_ends_at_once(logged):
    logged.begin()
    logged.execute("INSERT INTO orders VALUES (1)")
    altered(logged, synchronous_standby_names="*")
    try:
        with logged.log() as log:
            log.open()
            chunk = only(log.change_log.read(logged.position, log.change_log.end(), 10))
            logged.position = chunk.end
            with pytest.raises(ConfigurationError) as caught:
                log.change_log.acknowledge(chunk.end.place)
        said = str(caught.value).splitlines()
        assert said[0].startswith("synchronous_standby_names = '*' takes this task for a standby")
        logged.execute(*statements_in(said))
    finally:
        altered(logged, synchronous_standby_names="")
    assert logged.run() == []


def test_a_timeout_of_idle_slots_below_the_interval_is_refused(logged):
    altered(logged, idle_replication_slot_timeout="1h")
    logged.interval = 3600.0
    assert logged.check() == []
    logged.interval = 7200.0
    said = logged.check()
    assert said[0].startswith("idle_replication_slot_timeout is 3600 s and the schedule's interval 7200 s")
    logged.execute(*statements_in(said))
    wait_until(lambda: logged.check() == [], "the server reloading its settings")


def test_a_slot_that_lost_its_log_is_refused_with_the_reason(logged):
    logged.begin()
    altered(logged, max_slot_wal_keep_size="1MB", min_wal_size="32MB", max_wal_size="32MB")
    for _ in range(3):
        logged.execute("INSERT INTO orders SELECT coalesce(max(id), 0) + 1 FROM orders", "SELECT pg_switch_wal()")
    logged.execute("CHECKPOINT")
    said = logged.check()
    assert "is lost (wal_removed): the server removed log that it held" in said[0]
    database = logged.legacy.database()
    with contextlib.closing(database.slots()) as found:
        [one] = found.list()
    database.close()
    assert (one.status, one.lost, one.held_bytes) == ("lost", "wal_removed", None)


@pytest.fixture(params=of("postgresql"))
def shared(request):
    with logged_database(request, request.param, ORDERS) as found:
        yield found


def test_a_pooler_that_passes_no_replication_is_named(shared):
    pooler = PgBouncer(shared.legacy.url, "session")
    try:
        shared.url = {"host": pooler.url.host, "port": pooler.url.port}
        said = "\n".join(shared.check())
        assert not said or "leads to a pooler that passes no replication" in said
        with contextlib.closing(psycopg.connect(pooler.url.set(drivername="postgresql").render_as_string())) as plain:
            passes = plain.execute("SELECT 1").fetchone() == (1,)
        assert passes
    finally:
        pooler.stop()


def test_no_session_is_left_behind(shared):
    shared.begin()
    shared.execute("INSERT INTO orders VALUES (1)")
    shared.run()
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type IN ('client backend', 'walsender')"
    )
    wait_until(lambda: shared.execute(others) == [(0,)], "all sessions ending")


def test_a_log_may_be_closed_from_another_thread_while_it_waits(shared):
    shared.begin()
    shared.execute("CREATE TABLE more (id integer PRIMARY KEY)")
    with contextlib.closing(shared.legacy.connect()) as writer, shared.log() as log:
        writer.autocommit = False
        writer.execute("INSERT INTO more VALUES (1)")
        log.open()
        failed = []

        def join():
            try:
                log.change_log.join(log.tables)
            except LegacyEventsError as error:
                failed.append(error)

        thread = threading.Thread(target=join)
        thread.start()
        wait_until(lambda: shared.execute("SELECT count(*) FROM pg_publication_rel") == [(2,)], "joining")
        log.change_log.close()
        log.change_log.close()
        thread.join(20)
        assert "was closed by its run" in str(failed[0])


def test_another_database_has_no_change_log(request):
    from tests.support.legacy import legacy_database

    with legacy_database(request, "sqlite") as legacy:
        database = legacy.database()
        with pytest.raises(ConfigurationError, match="whose change log can't be read"):
            database.change_log(LogOptions("s", "d"))
        database.close()


def test_what_an_open_transaction_wrote_last_keeps_nobody_waiting(logged):
    logged.begin()
    logged.timeout = 5  # no other session of this server has its log flushed
    with contextlib.closing(logged.legacy.connect()) as writer, logged.log() as log:
        writer.autocommit = False
        log.open()
        writer.execute("INSERT INTO orders VALUES (1)")
        with log.change_log.snapshot(log.tables) as taken:
            *_, last = log.change_log.read(logged.position, taken.place, 100)
        assert last.final


def test_a_commit_that_waits_for_a_standby_is_in_the_log_before_a_snapshot_sees_it(logged):
    logged.begin()
    altered(logged, synchronous_standby_names="nobody")
    with contextlib.closing(logged.legacy.connect()) as writer, logged.log() as log:
        waiting = threading.Thread(target=writer.execute, args=("INSERT INTO orders VALUES (1)",))
        log.open()
        waiting.start()
        try:
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            wait_until(lambda: logged.execute(waits) == [(1,)], "the commit waiting")
            chunk = only(log.change_log.read(logged.position, log.change_log.end(), 10))
            assert len(chunk.transactions) == 1
            assert log.change_log.unseen(chunk.transactions) == chunk.transactions
            with log.change_log.snapshot(log.tables) as taken:
                assert taken.unseen(chunk.transactions) == chunk.transactions
        finally:
            altered(logged, synchronous_standby_names="")
            waiting.join(20)
        assert log.change_log.unseen(chunk.transactions) == ()


@pytest.mark.parametrize(("turns", "says"), [([0, 0, 1, 0], None), ([0, 0] + [1] * 9, "leads to more than one server")])
def test_an_address_of_several_servers_is_tried_again_and_then_named(logged, postgres18_logs, turns, says):
    name = logged.legacy.url.database
    postgres18_logs.execute(f"CREATE DATABASE {name}")
    postgres18_logs.execute(ORDERS, name)
    here, there = logged.legacy.url, sa.make_url(postgres18_logs.url(name))
    balancer = Proxy("127.0.0.1", int(here.port or 0))
    ports = [here.port, there.port]
    balancer.targets = (("127.0.0.1", ports[turn]) for turn in itertools.chain(turns, itertools.repeat(0)))
    logged.url = {"port": balancer.port}
    try:
        said = logged.check()
        assert [says in one for one in said[:1]] == ([True] if says else [])
    finally:
        balancer.close()
        postgres18_logs.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_one_who_waits_for_changes_keeps_no_sender_of_the_server(shared):
    shared.begin()
    with shared.log() as log:
        log.open()
        senders = (
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender' AND datname = current_database()"
        )
        log.change_log.end()
        assert shared.execute(senders) == [(1,)]
        log.change_log.end()
        wait_until(lambda: shared.execute(senders) == [(0,)], "the sender ending")
        shared.execute("INSERT INTO orders VALUES (1)")
        chunk = only(log.change_log.read(shared.position, log.change_log.end(), 10))
        assert flat([chunk]) == [("c", "1", None)]


def test_a_standby_that_holds_the_log_back_is_named(logged):
    logged.begin()
    logged.execute("SELECT pg_create_physical_replication_slot('away')")
    try:
        altered(logged, synchronized_standby_slots="away")
        logged.execute("INSERT INTO orders VALUES (1)")
        logged.timeout = 1
        with pytest.raises(SourceError, match="synchronized_standby_slots"):
            logged.run()
    finally:
        altered(logged, synchronized_standby_slots="")
        logged.execute("SELECT pg_drop_replication_slot('away')")
    logged.timeout = 60
    assert logged.run() == [("c", "1", None)]


def test_the_log_of_others_is_let_go_without_a_change_of_ours(logged):
    logged.begin()
    for _ in range(2):
        logged.execute(
            "SELECT pg_logical_emit_message(false, 'others', repeat('x', 1000000)) FROM generate_series(1, 20)"
        )
        logged.execute("SELECT pg_log_standby_snapshot()")
        assert logged.run() == []
    logged.execute("CHECKPOINT")
    with logged.log() as log:
        found = log.change_log.state()
    assert found.lag_bytes < 10_000_000
    assert found.held_bytes < 32 * 2**20
    assert found.held_by is None
