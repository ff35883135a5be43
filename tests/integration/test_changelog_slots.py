"""Slots of this package on a PostgreSQL server: which are listed, what they hold, and which may be dropped."""

from __future__ import annotations

import contextlib

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.databases.postgres.changelog import state
from tests.support.engines import of
from tests.support.slots import logged_database

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, t text)"


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def logged(request):
    with logged_database(request, request.param, ORDERS) as found:
        yield found


@contextlib.contextmanager
def slots(logged):
    database = logged.legacy.database()
    found = database.slots()
    try:
        yield found
    finally:
        found.close()
        database.close()


def test_a_slot_of_ours_is_listed_with_its_stream_and_dropped_with_its_publication(logged):
    logged.begin()
    logged.execute("SELECT pg_create_logical_replication_slot('z_' || current_database(), 'pgoutput')")
    with slots(logged) as found:
        [one] = found.list()
        assert (one.slot, one.stream, one.dag) == (logged.name, logged.stream, "orders_dag")
        assert (one.publication, one.user, one.status, one.lost) == (logged.name, None, "reserved", None)
        assert one.held_bytes > 0
        assert (one.idle_since is not None) == (logged.legacy.engine.name != "postgresql-15")
        dropped = found.drop(logged.name)
        assert (dropped.slot, dropped.publication, dropped.stream) == (one.slot, one.publication, one.stream)
        assert found.list() == []
    assert logged.slot() is None
    assert logged.execute("SELECT count(*) FROM pg_publication") == [(0,)]


def test_a_slot_with_a_given_publication_and_a_name_of_its_own_is_known_by_its_watermark(logged):
    logged.name, logged.given = f"own_{logged.legacy.url.database}", True
    logged.execute(f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    logged.begin()
    with slots(logged) as found:
        assert found.list() == []
        with pytest.raises(ConfigurationError, match="was not made by this package"):
            found.drop(logged.name)
        [one] = found.list({logged.name: logged.stream})
        assert (one.stream, one.publication) == (logged.stream, None)
        found.drop(logged.name, {logged.name: logged.stream})
        with pytest.raises(ConfigurationError, match="there is no replication slot"):
            found.drop(logged.name, {logged.name: logged.stream})
    assert logged.execute("SELECT count(*) FROM pg_publication") == [(1,)]


def test_a_publication_whose_slot_was_never_made_is_listed_and_dropped(logged):
    logged.begin()
    logged.execute(f"SELECT pg_drop_replication_slot('{logged.name}')")
    with slots(logged) as found:
        [one] = found.list()
        assert (one.slot, one.there, one.status) == (logged.name, False, None)
        found.drop(logged.name)
    assert logged.execute("SELECT count(*) FROM pg_publication") == [(0,)]


def test_a_slot_in_use_is_not_dropped(logged):
    logged.begin()
    logged.execute("INSERT INTO orders VALUES (1)")
    with logged.log() as log:
        log.open()
        for _ in log.change_log.read(logged.position, log.change_log.end(), 10):
            pass
        with slots(logged) as found:
            assert "application 'legacy-events-log-" in found.list()[0].user
            with pytest.raises(SourceError, match="is in use, so it is not dropped: pid"):
                found.drop(logged.name)
    assert logged.slot() is not None


def test_a_published_table_that_lost_its_identity_is_listed(logged):
    logged.begin()
    logged.execute("ALTER TABLE orders DROP CONSTRAINT orders_pkey")
    with slots(logged) as found:
        assert found.list()[0].without_identity == ["public.orders"]
        logged.execute("ALTER TABLE orders REPLICA IDENTITY FULL")
        assert found.list()[0].without_identity == ()


def test_what_holds_more_than_the_lag_is_named(logged, monkeypatch):
    monkeypatch.setattr(state, "_SEGMENT_BYTES", 1_000)
    logged.begin()
    logged.execute("BEGIN", "INSERT INTO orders VALUES (0)", f"PREPARE TRANSACTION '{logged.name}'")
    for at in range(3):
        logged.execute(f"INSERT INTO orders SELECT n FROM generate_series({100 * at + 1}, {100 * at + 99}) AS n")
        logged.execute("CHECKPOINT")
        logged.run()
    with logged.log() as log, slots(logged) as found:
        known = log.change_log.state()
        assert known.held_bytes > known.lag_bytes + 1_000
        assert known.held_by.keys() >= {"user", "since"}
        assert {"pid", "gid"} & known.held_by.keys()
        assert found.list()[0].held_by is not None


def test_the_state_of_a_slot_that_is_not_there_is_the_end_of_the_log_alone(logged):
    with logged.log() as log:
        found = log.change_log.state()
        assert (found.slot, found.status, found.held_bytes, found.lag_bytes) == (logged.name, None, None, None)
        assert log.change_log.compare(found.end, log.change_log.end()) <= 0
