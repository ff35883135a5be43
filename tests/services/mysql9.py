"""MySQL 9: a server of our own from newer packages, or the one behind LEGACY_EVENTS_TEST_MYSQL9_DSN."""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path

from tests.services import debian
from tests.services.mysql_family import LOGGED, MySQLFamily


class MySQL9(MySQLFamily):
    """MySQL 9.7, the release with long support."""

    name = "mysql9"
    variable = "LEGACY_EVENTS_TEST_MYSQL9_DSN"
    image = "mysql:9"
    settings = {"gtid-mode": "ON", "enforce-gtid-consistency": "ON", "mysqlx": "OFF"}  # noqa: RUF012

    def programs(self) -> Path | None:
        """See `MySQLFamily`; its folder."""
        return debian.server(self.variable, debian.Package("sid", "mysql-server-core", ("usr/sbin/mysqld",)))

    def prepare(self, programs: Path, data: Path) -> None:
        """See `MySQLFamily`."""
        command = [*self.command(programs), "--initialize-insecure", f"--datadir={data}", f"--user={getpass.getuser()}"]
        with (self.folder / "initialize.log").open("wb") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log)

    def command(self, programs: Path) -> list[str | Path]:
        """See `MySQLFamily`; the paths that are built into it are those of the machine."""
        share = programs / "usr/share/mysql"
        paths = {
            "basedir": programs / "usr",
            "lc-messages-dir": share,
            "character-sets-dir": share / "charsets",
            "plugin-dir": programs / "usr/lib/mysql/plugin",
            "secure-file-priv": "NULL",
        }
        return [programs / "usr/sbin/mysqld", "--no-defaults", *(f"--{name}={path}" for name, path in paths.items())]


class MySQL9Logs(MySQL9):
    """One for change logs alone: nothing else is written into its binlog."""

    name = "mysql9_logs"
    variable = "LEGACY_EVENTS_TEST_MYSQL9_LOGS_DSN"
    settings = {**MySQL9.settings, **LOGGED, "binlog-row-image": "FULL", "binlog-row-metadata": "FULL"}  # noqa: RUF012
