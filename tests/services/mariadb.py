"""MariaDB: a server of our own, or the one behind LEGACY_EVENTS_TEST_MARIADB_DSN."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.services import docker
from tests.services.base import MissingServiceError, apt_install
from tests.services.mysql_family import MySQLFamily


class MariaDB(MySQLFamily):
    """MariaDB."""

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
        subprocess.run([str(program), *how], check=True, stdout=subprocess.DEVNULL)

    def command(self, programs: Path) -> list[str | Path]:
        """See `MySQLFamily`."""
        return [programs, "--no-defaults"]


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
