"""Servers whose binlog is read, of a test's own: with other settings, killed, started again, replicating."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.services.mariadb import MariaDB11Logs, MariaDBLogs
from tests.services.mysql import MySQLLogs
from tests.services.mysql9 import MySQL9Logs
from tests.support import profile

MADE = {one.name: one for one in (MariaDBLogs, MySQL9Logs, MariaDB11Logs, MySQLLogs)}
"""Classes of the servers, by the fixtures of the shared ones."""

SHORT = ["mariadb_logs", "mysql9_logs"]
"""Fixtures of the servers that tests of every length use."""

SERVERS = [*MADE] if profile.LONG else SHORT
"""Fixtures of the servers that tests of this length use."""


@contextmanager
def binlog_server(name: str, **settings: str) -> Iterator[Any]:
    """Yield a server of the test's own: `execute`, `kill`, `end`, `restart`, `pause` and `resume` are its methods.

    Args:
        name: as the fixture of the shared server of its kind.
        settings: that it gets; underscores in their names stand for hyphens.
    """
    named = {option.replace("_", "-"): value for option, value in settings.items()}
    server = MADE[name](shared=False, settings=named)
    try:
        yield server
    finally:
        server.stop()
