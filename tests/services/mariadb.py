"""MariaDB: servers of our own, or those behind LEGACY_EVENTS_TEST_MARIADB_DSN and LEGACY_EVENTS_TEST_MARIADB11_DSN."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.services import debian, docker
from tests.services.base import MissingServiceError, apt_install
from tests.services.mysql_family import LOGGED, MySQLFamily


class MariaDB(MySQLFamily):
    """MariaDB of the release that the machine's own packages have."""

    name = "mariadb"
    variable = "LEGACY_EVENTS_TEST_MARIADB_DSN"
    image = "mariadb:10.11"
    settings = {"binlog-row-image": "FULL", "binlog-row-metadata": "FULL"}  # noqa: RUF012

    def programs(self) -> Path | None:
        """See `MySQLFamily`; installed if that is possible."""
        if (found := shutil.which("mariadbd", path=_PATH)) is None:
            if os.geteuid() == 0 and shutil.which("apt-get"):
                _install()
                found = shutil.which("mariadbd", path=_PATH)
            elif docker.available():
                return None
        if found is None:
            raise MissingServiceError(
                f"MariaDB is needed: apt-get install mariadb-server, or start Docker, or set {self.variable} to"
                " mysql://user:password@host:port of an administrator of a server for tests"
            )
        return Path(found)

    def prepare(self, programs: Path, data: Path) -> None:
        """See `MySQLFamily`."""
        program = shutil.which("mariadb-install-db", path=_PATH)
        how = ("--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", f"--datadir={data}")
        own = self.folder / "prepare"  # a server that starts empties its folder of temporary files, for others too
        own.mkdir()
        environment = {**os.environ, "TMPDIR": str(own)}
        subprocess.run([str(program), *how], check=True, stdout=subprocess.DEVNULL, env=environment)

    def command(self, programs: Path) -> list[str | Path]:
        """See `MySQLFamily`."""
        return [programs, "--no-defaults"]


class MariaDB11(MariaDB):
    """MariaDB 11.8, the release with long support."""

    name = "mariadb11"
    variable = "LEGACY_EVENTS_TEST_MARIADB11_DSN"
    image = "mariadb:11.8"

    def programs(self) -> Path | None:
        """See `MySQLFamily`; its folder."""
        packages = (debian.Package(release, "mariadb-server-core", (_SERVER,)) for release in ("sid", "trixie"))
        return debian.server(self.variable, *packages)

    def prepare(self, programs: Path, data: Path) -> None:
        """See `MySQLFamily`."""
        names = (
            "mariadb_system_tables",
            "mariadb_performance_tables",
            "mariadb_system_tables_data",
            "fill_help_tables",
        )
        self.bootstrap(programs, data, [programs / f"usr/share/mariadb/{name}.sql" for name in names])

    def command(self, programs: Path) -> list[str | Path]:
        """See `MySQLFamily`; the paths that are built into it are those of the machine."""
        share = programs / "usr/share/mariadb"
        paths = [
            f"--basedir={programs / 'usr'}",
            f"--lc-messages-dir={share}",
            f"--character-sets-dir={share}/charsets",
        ]
        return [programs / _SERVER, "--no-defaults", *paths]


class MariaDBLogs(MariaDB):
    """One for change logs alone: nothing else is written into its binlog."""

    name = "mariadb_logs"
    variable = "LEGACY_EVENTS_TEST_MARIADB_LOGS_DSN"
    settings = {**MariaDB.settings, **LOGGED, "server-id": "101"}  # noqa: RUF012


class MariaDB11Logs(MariaDB11):
    """Likewise, of MariaDB 11.8."""

    name = "mariadb11_logs"
    variable = "LEGACY_EVENTS_TEST_MARIADB11_LOGS_DSN"
    settings = MariaDBLogs.settings


_SERVER = "usr/sbin/mariadbd"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin"


def _install() -> None:
    """The package starts a server of its own unless a policy forbids it."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        apt_install("mariadb-server")
    finally:
        if ours:
            policy.unlink()
