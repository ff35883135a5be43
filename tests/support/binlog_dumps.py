"""Streams of the binlog of a test's server, as the change log opens them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.databases.mysql.changelog.dump import BinlogDump
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, Event

SECONDS = 20.0


def options_of(server: Any, **changed: Any) -> dict[str, Any]:
    """Options of mysqlclient for the administrator of a server, some of them changed."""
    url = sa.make_url(server.url())
    return {"host": url.host, "port": url.port, "user": url.username, "passwd": url.password, **changed}


def end_of(server: Any) -> BinlogPlace:
    """Where the binlog of a server ends now."""
    version = server.execute("SELECT VERSION()")[0][0]
    newer = "MariaDB" not in version and int(version.split(".", maxsplit=1)[0]) > 8
    file, position = server.execute("SHOW BINARY LOG STATUS" if newer else "SHOW MASTER STATUS")[0][:2]
    return BinlogPlace(file, int(position))


@contextmanager
def user_of(server: Any, how: str, *grants: str) -> Iterator[str]:
    """Yield the name of a user, of local sessions whatever the server calls their host.

    Args:
        server: of the test.
        how: the user is identified.
        grants: rights on everything.
    """
    name = f"binlog_{os.getpid()}"
    users = [f"'{name}'@'{host}'" for host in ("localhost", "127.0.0.1")]
    for user in users:
        server.execute(f"CREATE USER {user} {how}")
    try:
        for user, grant in itertools.product(users, grants):
            server.execute(f"GRANT {grant} ON *.* TO {user}")
        yield name
    finally:
        for user in users:
            server.execute(f"DROP USER {user}")


@contextmanager
def dump_of(server: Any, expected: dict[str, str] | None = None, **changed: Any) -> Iterator[BinlogDump]:
    """A stream of the binlog of a server.

    Args:
        server: of the test.
        expected: variables that must be the server's.
        changed: options of mysqlclient.
    """
    with closing(BinlogDump("crm", options_of(server, **changed), SECONDS, expected)) as dump:
        yield dump


def events_of(server: Any, place: BinlogPlace, **changed: Any) -> list[Event]:
    """The events of a server from a place to the end of its log."""
    with dump_of(server, **changed) as dump:
        return list(dump.events(place))
