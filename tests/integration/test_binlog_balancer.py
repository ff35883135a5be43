"""A balancer before two servers: rows and changes are those of one of them, or the run fails and says why."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.ports import LogOptions
from airflow_legacy_events.databases.mysql import MysqlDatabase
from airflow_legacy_events.sources.changelog import ChangeLogSource
from tests.support import profile
from tests.support.crashes import STREAM, World
from tests.support.databases import fresh_database
from tests.support.log_runs import events_of, rebuilt, run
from tests.support.silence import proxy

RUNS, SEEDS = (10, 5) if profile.LONG else (5, 1)


def source_of(url):
    return ChangeLogSource(
        database=MysqlDatabase(url, conn_id="crm", statement_timeout_seconds=20),
        options=LogOptions(STREAM.name, "dag"),
        stream=STREAM._replace(topic="cdc.{schema}.{table}"),
        source="legacy",
        tables=[f"{url.database}.*"],
        limits=Limits(batch_rows=20),
    )


@pytest.fixture
def servers(mariadb_logs, mariadb):
    """The server that is meant, and another one with a database of the same name and other rows."""
    with fresh_database(mariadb_logs) as ours:
        mariadb.execute(f"DROP DATABASE IF EXISTS {ours.name}; CREATE DATABASE {ours.name}")
        try:
            for one, text in ((ours.server, "ours"), (mariadb, "other")):
                one.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))", ours.name)
                one.execute(f"INSERT INTO t VALUES (1, '{text}'), (2, '{text}')", ours.name)
            yield ours, mariadb
        finally:
            mariadb.execute(f"DROP DATABASE {ours.name}")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_run_mixes_servers_and_none_loses_a_row(servers, seed):
    ours, other = servers
    at = [("127.0.0.1", int(sa.make_url(one.url()).port)) for one in (ours.server, other)]
    chance, world, failed = random.Random(seed), World(), []
    with proxy(*at[0]) as balancer:
        url = sa.make_url(ours.url).set(port=balancer.port)
        run(world, source_of(url))
        balancer.targets = iter(lambda: chance.choice([at[0], *at]), None)
        for number in range(3, 3 + RUNS):
            ours.execute(f"INSERT INTO t VALUES ({number}, 'ours'); DELETE FROM t WHERE id = {number - 2}")
            other.execute(f"INSERT INTO t VALUES ({number}, 'other')", ours.name)
            try:
                run(world, source_of(url))
            except LegacyEventsError as error:
                failed.append(str(error))
        balancer.targets = iter(lambda: at[0], None)
        run(world, source_of(url))
    assert failed
    assert {one.row["v"] for one in events_of(world) if "v" in one.row} == {"ours"}
    found = {row["id"] for row in rebuilt(world, f"{ours.name}.t").values()}
    assert found == {str(row[0]) for row in ours.execute("SELECT id FROM t")}


def test_the_address_of_a_server_that_is_another_one_moves_nothing(servers):
    ours, other = servers
    world, url = World(), sa.make_url(ours.url)
    run(world, source_of(url))
    saved = world.store.load(STREAM.name)
    with pytest.raises(LegacyEventsError, match="leads to another server"):
        run(world, source_of(url.set(port=sa.make_url(other.url()).port)))
    assert world.store.load(STREAM.name) == saved
