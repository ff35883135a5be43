"""PostgreSQL's change log on a standby, and past a promotion; part of the long form."""

from __future__ import annotations

import threading

import pytest

from airflow_legacy_events.core.model import LogPosition
from tests.services.base import wait_until
from tests.services.postgres import Postgres18
from tests.support.slots import logged_on, statements_in
from tests.support.standby import primary_and_standby

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, t text)"
ENGINE = "postgresql-18"


@pytest.fixture
def servers():
    with primary_and_standby(Postgres18) as (primary, standby):
        primary.execute("CREATE DATABASE shop")
        primary.execute(ORDERS, "shop")
        standby.follow()
        yield primary, standby


def test_a_standby_is_read_and_goes_on_once_it_is_promoted(servers, caplog):
    primary, standby = servers
    with logged_on(standby, ENGINE, database="shop") as logged:
        said = logged.check()
        assert "run the statement below on the primary" in said[0]
        primary.execute(*statements_in(said), "shop")
        primary.execute(f"ALTER PUBLICATION {logged.name} SET (publish = 'insert')", "shop")
        standby.follow()
        said = logged.check()
        assert "leaves out every update, delete, truncate" in said[0]
        primary.execute(*statements_in(said), "shop")
        standby.follow()
        begun = threading.Thread(target=logged.begin)
        begun.start()

        def snapshot_logged():
            primary.execute("SELECT pg_log_standby_snapshot()")
            return not begun.is_alive()

        wait_until(snapshot_logged, "the slot being made")
        assert [one for one in caplog.messages if "hot_standby_feedback is off" in one]
        primary.execute("INSERT INTO orders VALUES (1, 'a')", "shop")
        standby.follow()
        with logged.log() as log:
            log.open()
            with log.change_log.snapshot(log.tables) as taken:
                assert taken.unseen([2**40]) == ()
        assert logged.run() == [("c", "1", "a")]
        standby.promote()
        standby.execute("INSERT INTO orders VALUES (2, 'b')", "shop")
        assert logged.run() == [("c", "2", "b")]
        assert logged.stored["server"]["timeline"] == "2"


def test_a_standby_waits_for_its_primary_no_longer_than_a_statement(servers):
    primary, standby = servers
    with logged_on(standby, ENGINE, database="shop") as logged:
        primary.execute(f"CREATE PUBLICATION {logged.name} FOR TABLE orders", "shop")
        standby.follow()
        logged.timeout = 1
        with logged.log() as log:
            log.open()
            with pytest.raises(Exception, match="SELECT pg_log_standby_snapshot"):
                log.change_log.begin(log.tables)


def test_a_slot_with_failover_goes_on_where_a_promoted_standby_has_all_that_was_sent(servers):
    primary, standby = servers
    primary.execute("SELECT pg_create_physical_replication_slot('standby')")
    for setting in ("primary_slot_name = 'standby'", "hot_standby_feedback = on"):
        standby.execute(f"ALTER SYSTEM SET {setting}")
    standby.execute("SELECT pg_reload_conf()")
    with logged_on(primary, ENGINE, database="shop") as logged:
        logged.begin()
        primary.execute("INSERT INTO orders VALUES (1, 'a')", "shop")
        assert logged.run() == [("c", "1", "a")]

        def synced():
            primary.execute("SELECT pg_log_standby_snapshot()")
            logged.run()  # the standby keeps no slot that is behind what it has itself
            standby.execute("SELECT pg_sync_replication_slots()")
            kept = f"SELECT NOT temporary FROM pg_replication_slots WHERE slot_name = '{logged.name}' AND synced"
            return standby.execute(kept) == [(True,)]

        wait_until(synced, "the slot being copied")
        standby.follow()
        standby.promote()
        standby.execute("INSERT INTO orders VALUES (2, 'b')", "shop")
        with logged_on(standby, ENGINE, database="shop") as promoted:
            promoted.name, promoted.stored, promoted.position = logged.name, logged.stored, logged.position
            assert promoted.run() == [("c", "2", "b")]
            assert promoted.stored["server"]["timeline"] == "2"
            promoted.stored, promoted.position = logged.stored, LogPosition("0/FFFFFFF0")
            said = promoted.check()
            assert "which the server left at" in said[0]
            assert "promoted, or restored, without all that was sent" in said[0]
            promoted.stored = {**logged.stored, "server": {**logged.stored["server"], "timeline": "3"}}
            assert "on the later 3" in promoted.check()[0]
