"""PostgreSQL's change log and settings that need a restart, or time; part of the long form."""

from __future__ import annotations

import contextlib

import psycopg
import pytest

from tests.services.base import wait_until
from tests.services.postgres import Postgres18
from tests.support.slots import altered, logged_on, statements_in
from tests.support.standby import reset, restartable

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, t text)"


@pytest.fixture(scope="module")
def server():
    with restartable(Postgres18) as found:
        yield found


@pytest.fixture
def logged(server):
    with logged_on(server, "postgresql-18", ORDERS) as found:
        yield found
    reset(server)


def test_a_slot_that_was_idle_for_too_long_is_refused_with_the_reason(logged):
    logged.begin()
    altered(logged, idle_replication_slot_timeout="1s")

    def invalidated():
        logged.execute("CHECKPOINT")
        return logged.execute("SELECT invalidation_reason FROM pg_replication_slots") == [("idle_timeout",)]

    wait_until(invalidated, "the slot being invalidated")
    assert "is lost (idle_timeout): it was not used for longer" in logged.check()[0]


def restarted(server, logged, **settings):
    for name, value in settings.items():
        server.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    server.end()
    server.go_on()
    logged.legacy.connection = logged.legacy.connect()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"wal_level": "replica"}, "wal_level is 'replica', and only 'logical'"),
        ({"max_replication_slots": "1"}, "all 1 replication slots of the server are taken"),
        ({"max_wal_senders": "1"}, "no WAL sender of the server is free"),
    ],
)
def test_a_setting_that_needs_a_restart_is_named(server, logged, settings, says):
    restarted(server, logged, **settings)
    with contextlib.ExitStack() as stack:
        if "max_replication_slots" in settings:
            logged.execute("SELECT pg_create_physical_replication_slot('other')")
            stack.callback(server.execute, "SELECT pg_drop_replication_slot('other')")
        if "max_wal_senders" in settings:
            options = {"replication": "true", "autocommit": True}
            stack.enter_context(contextlib.closing(psycopg.connect(server.dsn(), **options)))
        said = logged.check()
        assert says in said[0]
    logged.execute(statements_in(said)[0])
    restarted(server, logged)
    assert logged.check() == []
