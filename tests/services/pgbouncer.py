"""PgBouncer in front of a PostgreSQL server: one process for each test, which says how it pools."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
from pathlib import Path

import sqlalchemy as sa

from tests.services.base import MissingServiceError, Service, apt_install, free_port, group_of

PACKAGE = "pgbouncer"
_PROGRAM = Path("/usr/sbin/pgbouncer")


def install() -> str:
    """Return the program, installed where that is possible.

    Raises:
        MissingServiceError: it is not there, and can't be installed.
    """
    if (found := _found()) is None:
        apt_install(PACKAGE)
        found = _found()
    if found is None:
        raise MissingServiceError(f"pgbouncer was not found after installing {PACKAGE}")
    return found


def _found() -> str | None:
    return shutil.which(PACKAGE) or (str(_PROGRAM) if _PROGRAM.exists() else None)


class PgBouncer(Service):
    """A running pooler; `url` leads through it, with the roles of the server and no passwords.

    Args:
        url: of a database of the server, as SQLAlchemy takes it.
        pool_mode: session, transaction or statement.
        settings: further ones of its file.
    """

    name = "pgbouncer"

    def __init__(self, url: sa.URL, pool_mode: str, **settings: object) -> None:
        super().__init__()
        self._port = free_port()
        self.url = url.set(host="127.0.0.1", port=self._port)
        users, file = self.folder / "users", self.folder / "pgbouncer.ini"
        users.write_text(f'"{url.username}" ""\n')
        lines = {
            "listen_addr": "127.0.0.1",
            "listen_port": self._port,
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": users,
            "pool_mode": pool_mode,
            **settings,
        }
        listed = "\n".join(f"{name} = {value}" for name, value in lines.items())
        file.write_text(f"[databases]\n* = host={url.host} port={url.port}\n[pgbouncer]\n{listed}\n")
        program, user = install(), None
        if os.geteuid() == 0:  # it refuses to run as root
            known = {entry.pw_name for entry in pwd.getpwall()}
            user = next(name for name in ("postgres", "nobody") if name in known)
            for path in (self.folder, users, file):
                shutil.chown(path, user, group_of(user))
        self.spawn([program, file], user=user)
        self.wait_ready(self._answers)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True
