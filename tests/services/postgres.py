"""PostgreSQL: a cluster of our own, or the server behind LEGACY_EVENTS_TEST_POSTGRES_DSN."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.services import docker
from tests.services.base import MissingServiceError, Service, apt_install, free_port

VARIABLE = "LEGACY_EVENTS_TEST_POSTGRES_DSN"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "max_prepared_transactions": "10",
    "fsync": "off",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}


class Postgres(Service):
    """A running server; `dsn()` leads to one of its databases."""

    name = "postgres"

    def __init__(self) -> None:
        super().__init__()
        self._admin = os.environ.get(VARIABLE, "")
        self._container: str | None = None
        if not self._admin:
            self._start()
        self.wait_ready(self._answers)

    @property
    def address(self) -> str:
        """See `Service`."""
        return self._admin

    def dsn(self, database: str = "postgres", **options: Any) -> str:
        """A libpq connection string."""
        return make_conninfo(self._admin, dbname=database, **options)

    def url(self, database: str = "postgres", **options: Any) -> str:
        """The same as a SQLAlchemy URL."""
        parts = {**conninfo_to_dict(self._admin), **options}
        secret = f":{parts['password']}" if parts.get("password") else ""
        return f"postgresql+psycopg://{parts['user']}{secret}@{parts['host']}:{parts['port']}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the superuser, outside of a transaction."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def stop(self) -> None:
        """End what was started here."""
        if self._container:
            docker.remove(self._container)
        super().stop()

    def _start(self) -> None:
        port = free_port()
        self._admin = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
        programs = _programs()
        if programs is None:
            settings = [
                part
                for name, value in _SETTINGS.items()
                if name != "listen_addresses"
                for part in ("-c", f"{name}={value}")
            ]
            self._container = docker.run("postgres:16", port, 5432, {"POSTGRES_HOST_AUTH_METHOD": "trust"}, settings)
            return
        user = _server_user()
        data = self.folder / "data"
        if user is not None:
            shutil.chown(self.folder, user, user)
        how = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        subprocess.run(
            [programs / "initdb", "-D", data, *how],
            check=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        self.spawn([programs / "postgres", "-D", data, "-p", str(port), f"-k{self.folder}", *settings], user=user)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._admin, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _programs() -> Path | None:
    """The folder of the server's programs; installed if that is possible; None where Docker must do."""
    if (found := _installed()) is not None:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        settings = Path("/etc/postgresql-common/createcluster.conf")
        if not settings.exists():  # the package would make and start a cluster of its own
            settings.parent.mkdir(parents=True, exist_ok=True)
            settings.write_text("create_main_cluster = false\n")
        apt_install("postgresql")
        return _installed()
    if docker.available():
        return None
    raise MissingServiceError(
        f"PostgreSQL is needed: apt-get install postgresql, or start Docker, or set {VARIABLE} to the DSN of a"
        " superuser of a server for tests"
    )


def _installed() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    folders += [Path(found).parent for found in [shutil.which("initdb")] if found]
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError as error:
        raise MissingServiceError("PostgreSQL does not run as root and there is no user 'postgres'") from error
