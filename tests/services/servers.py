"""The servers that many tests share: which there are, and the variable that holds the address of each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tests.support import profile


@dataclass(frozen=True)
class Server:
    """One entry.

    Attributes:
        name: of the fixture, and for `--only`.
        module: in tests.services.
        made: the class in it. An instance is a running server, or stands for the one that the variable names.
        variable: of the environment.
        long: whether the long forms of tests alone use it.
        needs: the server whose address it is started with.
    """

    name: str
    module: str
    made: str
    variable: str
    long: bool = False
    needs: str = ""

    @property
    def given(self) -> bool:
        """Whether the environment names a server that runs already."""
        return bool(os.environ.get(self.variable))

    def start(self, *needed: str) -> Any:
        """Return the server once it answers.

        Args:
            needed: address of the server that it needs.
        """
        return getattr(import_module(f"tests.services.{self.module}"), self.made)(*needed)

    @contextmanager
    def running(self, *needed: str) -> Iterator[Any]:
        """Start the server, or use the one that the variable names; end what was started."""
        server = self.start(*needed)
        try:
            yield server
        finally:
            server.stop()


SERVERS = {
    one.name: one
    for one in (
        Server("postgres", "postgres", "Postgres", "LEGACY_EVENTS_TEST_POSTGRES_DSN"),
        Server("postgres18", "postgres", "Postgres18", "LEGACY_EVENTS_TEST_POSTGRES18_DSN"),
        Server("postgres_logs", "postgres", "PostgresLogs", "LEGACY_EVENTS_TEST_POSTGRES_LOGS_DSN"),
        Server("postgres18_logs", "postgres", "Postgres18Logs", "LEGACY_EVENTS_TEST_POSTGRES18_LOGS_DSN"),
        Server("kafka", "kafka", "Kafka", "LEGACY_EVENTS_TEST_KAFKA_BOOTSTRAP"),
        Server("connect", "connect", "Connect", "LEGACY_EVENTS_TEST_CONNECT_URL", needs="kafka"),
        Server("mariadb", "mariadb", "MariaDB", "LEGACY_EVENTS_TEST_MARIADB_DSN"),
        Server("mariadb11", "mariadb", "MariaDB11", "LEGACY_EVENTS_TEST_MARIADB11_DSN"),
        Server("mysql", "mysql", "MySQL", "LEGACY_EVENTS_TEST_MYSQL_DSN"),
        Server("mysql9", "mysql9", "MySQL9", "LEGACY_EVENTS_TEST_MYSQL9_DSN"),
        Server("mariadb_logs", "mariadb", "MariaDBLogs", "LEGACY_EVENTS_TEST_MARIADB_LOGS_DSN"),
        Server("mysql9_logs", "mysql9", "MySQL9Logs", "LEGACY_EVENTS_TEST_MYSQL9_LOGS_DSN"),
        Server("mariadb11_logs", "mariadb", "MariaDB11Logs", "LEGACY_EVENTS_TEST_MARIADB11_LOGS_DSN", long=True),
        Server("mysql56_logs", "mysql", "MySQLLogs", "LEGACY_EVENTS_TEST_MYSQL56_LOGS_DSN", long=True),
    )
}

SHARED = [name for name, server in SERVERS.items() if profile.LONG or not server.long]
"""Those that tests of this length use."""
