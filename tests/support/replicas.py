"""A primary of MariaDB or MySQL and a replica of it, of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from tests.services.mariadb import MariaDB


@contextmanager
def primary_and_replica(made: type[Any], logs: str = "ON") -> Iterator[tuple[Any, Any]]:
    """Yield both; the replica follows the primary.

    Args:
        made: the server.
        logs: whether the replica logs what it replicates, `ON` or `OFF`.
    """
    mariadb = issubclass(made, MariaDB)
    primary = _server(made, 1)
    replica = _server(made, 2, **{"log-slave-updates" if mariadb else "log-replica-updates": logs})
    try:
        for one in (primary, replica):  # forget their own beginnings
            one.execute("RESET MASTER" if mariadb else "RESET BINARY LOGS AND GTIDS")
        if mariadb:
            replica.execute("SET GLOBAL gtid_slave_pos = ''")
        _follow(replica, primary, mariadb=mariadb)
        yield primary, replica
    finally:
        for one in (primary, replica):
            one.stop()


def catch_up(replica: Any, primary: Any) -> None:
    """Wait until everything that the primary has written is here."""
    if isinstance(replica, MariaDB):
        [(there,)] = primary.execute("SELECT @@gtid_binlog_pos")
        assert replica.execute(f"SELECT MASTER_GTID_WAIT('{there}', 20)") == [(0,)]
    else:
        [(there,)] = primary.execute("SELECT @@global.gtid_executed")
        assert replica.execute(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{there}', 20)") == [(0,)]


def stop_following(replica: Any) -> None:
    """Let a replica take nothing more from its primary."""
    replica.execute("STOP SLAVE" if isinstance(replica, MariaDB) else "STOP REPLICA")


def promote(replica: Any) -> None:
    """Let a replica that follows no longer forget that it was one."""
    replica.execute("RESET SLAVE ALL" if isinstance(replica, MariaDB) else "RESET REPLICA ALL")


def _server(made: type[Any], number: int, **settings: str) -> Any:
    return made(shared=False, settings={"server-id": str(number), **settings})


def _follow(replica: Any, primary: Any, *, mariadb: bool) -> None:
    url = sa.make_url(primary.url())
    word, of = ("MASTER", "MASTER") if mariadb else ("SOURCE", "REPLICATION SOURCE")
    how = "MASTER_USE_GTID = slave_pos" if mariadb else "SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1"
    replica.execute(
        f"CHANGE {of} TO {word}_HOST = '127.0.0.1', {word}_PORT = {url.port}, {word}_USER = '{url.username}',"
        f" {word}_PASSWORD = '{url.password}', {how}"
    )
    replica.execute("START SLAVE" if mariadb else "START REPLICA")
