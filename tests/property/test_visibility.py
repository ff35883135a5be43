"""Sessions that write, prepare and commit in random order beside the runs: nothing is missing in the end."""

from __future__ import annotations

import contextlib
import os

import pytest
import sqlalchemy as sa

from tests.machine.visibility.machine import VisibilityMachine
from tests.services.mariadb import MariaDB
from tests.services.mysql9 import MySQL9
from tests.services.postgres import Postgres, Postgres18
from tests.support.databases import fresh_database
from tests.support.engines import ENGINES as ENGINES_BY_NAME
from tests.support.legacy import Legacy, connected, reused_database
from tests.support.profile import LONG
from tests.support.proofs import keep_figures
from tests.support.standby import restartable

PARTS, STEPS = (int(os.environ.get("LEGACY_EVENTS_TEST_PARTS", "10")), 1_000) if LONG else (1, 1_500)
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", "20261130"))
OWN = {Postgres18: "postgresql-18", Postgres: "postgresql-15", MySQL9: "mysql-9.7", MariaDB: "mariadb-10.11"}
ENGINES = ("postgresql-18", "postgresql-15", "mysql-9.7", "mariadb-10.11")


@contextlib.contextmanager
def server_of(kind):
    """A server of its own, and what restarts it."""
    if kind in (Postgres, Postgres18):
        with restartable(kind) as server:
            yield server, lambda: (server.end(), server.go_on())
    else:
        server = kind(shared=False)
        try:
            yield server, lambda: (server.end(), server.restart())
        finally:
            server.stop()


if LONG:  # servers of its own

    @pytest.mark.parametrize("part", range(max(1, PARTS // 10)))
    @pytest.mark.parametrize("kind", OWN)
    def test_the_topic_equals_the_table_though_the_server_was_restarted(kind, part):
        with server_of(kind) as (server, restart), fresh_database(server) as database:
            url = sa.make_url(database.url)
            legacy = Legacy(ENGINES_BY_NAME[OWN[kind]], url, connected(url))
            try:
                outcomes = VisibilityMachine(legacy, SEED + part, restart).go(STEPS)
            finally:
                legacy.connection.close()
        keep_figures(f"visibility machine, {OWN[kind]}, restarts, seed {SEED + part}: {dict(sorted(outcomes.items()))}")
        assert outcomes["restarts"] > 0


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("engine", ENGINES)
def test_the_topic_equals_the_table_once_all_have_committed(request, engine, part):
    with reused_database(request, engine) as legacy:
        outcomes = VisibilityMachine(legacy, SEED + part).go(STEPS)
    keep_figures(f"visibility machine, {engine}, seed {SEED + part}, {STEPS} steps: {dict(sorted(outcomes.items()))}")
    assert outcomes["held back"] > 0
    assert outcomes["prepare"] > 0
