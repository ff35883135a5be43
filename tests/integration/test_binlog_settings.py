"""Settings of MariaDB and MySQL that only a start of the server changes, and that decide what the binlog holds."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from tests.services.mariadb import MariaDB, MariaDBLogs
from tests.support.binlog_servers import MADE, binlog_server
from tests.support.binlogs import SERVERS, SHORT, binlogged_on
from tests.support.profile import LONG
from tests.support.replicas import primary_and_replica

TABLE = "CREATE TABLE orders (id int PRIMARY KEY, note varchar(9))"


def refused(logged):
    with pytest.raises(ConfigurationError) as error:
        logged.begin()
    return str(error.value)


def test_names_are_compared_as_the_server_does_and_databases_that_it_does_not_log_are_refused():
    with binlog_server("mariadb_logs", binlog_ignore_db="left_out", lower_case_table_names="1") as server:
        server.execute("CREATE DATABASE left_out; CREATE DATABASE shop; CREATE TABLE shop.Orders (id int PRIMARY KEY)")
        with binlogged_on(server, SHORT[0], TABLE, database="left_out") as logged:
            assert "binlog_ignore_db" in refused(logged)
        with binlogged_on(server, SHORT[0], database="shop") as logged:
            logged.patterns = ("Shop.ORDERS",)
            logged.begin()
            logged.execute("INSERT INTO SHOP.Orders VALUES (1)")
            assert logged.run() == [("c", "1")]


if LONG:

    @pytest.mark.parametrize("engine", SHORT)
    def test_databases_beside_those_that_alone_are_logged_are_refused(engine):
        with binlog_server(SERVERS[engine], binlog_do_db="kept") as server:
            server.execute("CREATE DATABASE kept; CREATE DATABASE shop")
            with binlogged_on(server, engine, TABLE, database="shop") as logged:
                assert "add the line\nbinlog_do_db = shop" in refused(logged)
            with binlogged_on(server, engine, TABLE, database="kept") as logged:
                logged.begin()

    @pytest.mark.parametrize("engine", SHORT)
    def test_a_replica_must_log_what_it_replicates(engine):
        with primary_and_replica(MADE[SERVERS[engine]], logs="OFF") as (primary, replica):
            with binlogged_on(replica, engine, TABLE) as logged:
                said = refused(logged)
            assert primary.url().rpartition(":")[2].strip("/") in said
            name = "log_slave_updates" if isinstance(replica, MariaDB) else "log_replica_updates"
            assert f"\n{name} = ON\n" in said
            replica.end()
            replica.restart(**{name: "ON"})
            with binlogged_on(replica, engine, TABLE) as logged:
                logged.begin()

    class WithoutLog(MariaDBLogs):
        """A server that writes no binlog."""

        def _spawn(self):
            for name in ("log-bin", "log-slave-updates"):
                self._settings.pop(name, None)
            super()._spawn()

    def test_a_server_without_a_log_is_refused():
        server = WithoutLog(shared=False)
        try:
            with binlogged_on(server, SHORT[0], TABLE) as logged:
                assert "log_bin is OFF" in refused(logged)
                assert "\nlog_bin = binlog\n" in refused(logged)
        finally:
            server.stop()
