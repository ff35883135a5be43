"""Servers of a test's own whose binlog is read: started with other names, or started again."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.ports import LogOptions
from airflow_legacy_events.sources.changelog import ChangeLogSource
from tests.support.binlog_servers import binlog_server
from tests.support.binlogs import SERVERS, binlogged_on
from tests.support.crashes import STREAM, World
from tests.support.log_runs import run


def sent(logged, world, *tables):
    source = ChangeLogSource(
        database=logged.legacy.database(60.0),
        options=LogOptions(STREAM.name, "dag"),
        stream=STREAM._replace(topic="cdc.{schema}.{table}"),
        source="legacy",
        tables=tables,
        limits=Limits(batch_rows=20),
        on_truncate="event",
    )
    return [(one.op, one.table, one.row) for one in run(world, source)[0]]


def test_names_are_compared_as_the_server_does():
    with (
        binlog_server("mariadb_logs", lower_case_table_names="1") as server,
        binlogged_on(server, "mariadb-10.11", "CREATE TABLE Orders (Id int PRIMARY KEY, V int)") as logged,
    ):
        database, world = str(logged.legacy.url.database), World()
        tables = (f"{database.upper()}.ORDERS",)
        logged.execute("INSERT INTO oRDERS VALUES (1, 2)")
        assert sent(logged, world, *tables) == [("r", f"{database}.orders", {"Id": "1", "V": "2"})]
        logged.execute("INSERT INTO ORDERS VALUES (2, 3)", "TRUNCATE orderS")
        assert [one[0] for one in sent(logged, world, *tables)] == ["c", "t"]


@pytest.mark.parametrize("engine", SERVERS)
def test_a_memory_table_is_emptied_by_a_restart_of_its_server(engine):
    with binlog_server(SERVERS[engine]) as server:
        server.execute("CREATE DATABASE shop")
        server.execute("CREATE TABLE shop.orders (id int PRIMARY KEY) ENGINE=MEMORY")
        server.execute("INSERT INTO shop.orders VALUES (1)")
        world = World()
        with binlogged_on(server, engine, database="shop") as logged:
            assert [one[0] for one in sent(logged, world, "shop.orders")] == ["r"]
        server.end()
        server.restart()
        with binlogged_on(server, engine, database="shop") as logged:
            logged.execute("INSERT INTO shop.orders VALUES (2)")
            assert [one[0] for one in sent(logged, world, "shop.orders")] == ["t", "c"]
