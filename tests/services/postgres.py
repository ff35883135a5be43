"""PostgreSQL: clusters of our own, or the servers behind LEGACY_EVENTS_TEST_POSTGRES_DSN and …_POSTGRES18_DSN."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.services import debian, docker
from tests.services.base import MissingServiceError, Service, apt_install, free_port, group_of

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "max_prepared_transactions": "10",
    "max_replication_slots": "50",
    "max_wal_senders": "50",
    "fsync": "off",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}


class Postgres(Service):
    """A running server, of the release that the machine's own packages have; `dsn()` leads to one of its databases."""

    name = "postgres"
    variable = "LEGACY_EVENTS_TEST_POSTGRES_DSN"
    instead = ""
    """Variable of a server that serves where there is none of this kind."""
    image = "postgres:16"

    def __init__(self) -> None:
        super().__init__()
        self._admin = os.environ.get(self.variable, "") or os.environ.get(self.instead, "")
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

    def discard(self, database: str) -> None:
        """Drop a database with its slots, sessions, which may not come again, and what they prepared."""
        with psycopg.connect(self._admin, autocommit=True) as connection:
            for (gid,) in connection.execute("SELECT gid FROM pg_prepared_xacts WHERE database = %s", (database,)):
                self.execute(f"ROLLBACK PREPARED '{gid}'", database)
            connection.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false'.encode())
            connection.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = %s", (database,)
            )
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)'.encode())

    def stop(self) -> None:
        """End what was started here."""
        if self._container:
            docker.remove(self._container)
        super().stop()

    def programs(self, user: str | None) -> Path | None:
        """Return the folder of the server's programs, which `user` may run; None where Docker must do."""
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
            f"PostgreSQL is needed: apt-get install postgresql, or start Docker, or set {self.variable} to the DSN of a"
            " superuser of a server for tests"
        )

    def _start(self) -> None:
        port = free_port()
        self._admin = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
        user = _server_user()
        programs = self.programs(user)
        if programs is None:
            settings = [
                part
                for name, value in _SETTINGS.items()
                if name != "listen_addresses"
                for part in ("-c", f"{name}={value}")
            ]
            self._container = docker.run(self.image, port, 5432, {"POSTGRES_HOST_AUTH_METHOD": "trust"}, settings)
            return
        data = self.folder / "data"
        if user is not None:
            shutil.chown(self.folder, user, group_of(user))
        how = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        subprocess.run(
            [programs / "initdb", "-D", data, *how],
            check=True,
            user=user,
            group=group_of(user),
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


class Postgres18(Postgres):
    """PostgreSQL 18, with the extensions that come with it."""

    name = "postgres18"
    variable = "LEGACY_EVENTS_TEST_POSTGRES18_DSN"
    image = "postgres:18"

    def programs(self, user: str | None) -> Path | None:
        """See `Postgres`."""
        if (found := debian.server(self.variable, _package("sid", 18), _package("trixie", 17))) is None:
            return None
        if user is not None:  # it may not look into root's cache
            found = Path(shutil.copytree(found, self.folder / "server", symlinks=True))
        [programs] = found.glob(_PROGRAMS.format("*"))
        return programs


class PostgresLogs(Postgres):
    """One for change logs alone: a slot is made once all open transactions of its server have ended."""

    name = "postgres_logs"
    variable = "LEGACY_EVENTS_TEST_POSTGRES_LOGS_DSN"
    instead = Postgres.variable


class Postgres18Logs(Postgres18):
    """Likewise, of PostgreSQL 18."""

    name = "postgres18_logs"
    variable = "LEGACY_EVENTS_TEST_POSTGRES18_LOGS_DSN"
    instead = Postgres18.variable


_PROGRAMS = "usr/lib/postgresql/{}/bin"


def _package(release: str, version: int) -> debian.Package:
    programs = _PROGRAMS.format(version)
    return debian.Package(release, f"postgresql-{version}", (f"{programs}/initdb", f"{programs}/postgres"))


def _installed() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    folders += [Path(found).parent for found in [shutil.which("initdb")] if found]
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)
