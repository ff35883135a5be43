"""What MariaDB and MySQL have in common as servers of tests."""

from __future__ import annotations

import contextlib
import getpass
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import MySQLdb
import sqlalchemy as sa
from MySQLdb.constants import CLIENT

from tests.services import docker
from tests.services.base import Service, free_port, wait_until

_UNSHOWN = 3854
"""MySQL shows no session while one of them runs a statement with certain characters."""
_SETTINGS = {
    "bind-address": "127.0.0.1",
    "server-id": "1",
    "log-bin": "binlog",
    "binlog-format": "ROW",
    "sync-binlog": "0",
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-buffer-pool-size": "256M",
    "max-allowed-packet": "128M",
    "character-set-server": "utf8mb4",
}
LOGGED = {"log-slave-updates": "ON", "innodb-flush-log-at-trx-commit": "2"}
"""Settings of a server whose binlog is read: what a killed server committed is there when it is started again."""

_USERS = """
CREATE USER admin@'localhost' IDENTIFIED BY 'admin'; CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'admin';
GRANT ALL ON *.* TO admin@'localhost' WITH GRANT OPTION; GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION
"""


class MySQLFamily(Service):
    """A running server whose user `admin` may do everything; `url()` leads to one of its databases.

    Args:
        shared: use the server that the environment names, if it names one; a test that kills its server does not.
        settings: further ones of the server, by their names as options.
    """

    variable: str
    image: str
    settings: dict[str, str]

    def __init__(self, *, shared: bool = True, settings: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._admin = os.environ.get(self.variable, "") if shared else ""
        self._container: str | None = None
        self._command: list[str | Path] = []
        self._settings: dict[str, Any] = {**_SETTINGS, **self.settings, **(settings or {})}
        if not self._admin:
            self._start()
        self.wait_ready(self._answers)

    @property
    def address(self) -> str:
        """See `Service`."""
        return self._admin

    def url(self, database: str = "", **changed: Any) -> str:
        """A SQLAlchemy URL."""
        url = sa.make_url(self._admin).set(drivername="mysql+mysqldb", database=database, **changed)
        return url.render_as_string(hide_password=False)

    def execute(self, statement: str, database: str = "") -> list[tuple[Any, ...]]:
        """Run statements as the administrator; return the rows of the last one."""
        connection = connect(self.url(database))
        try:
            return run(connection, statement)
        finally:
            connection.close()

    def discard(self, database: str) -> None:
        """Drop a database; end what a failed test left, whose locks this would wait for: sessions and prepared ones."""
        connection = connect(self.url())
        try:
            end_sessions(connection, database)
            end_prepared(connection, database)
            run(connection, f"DROP DATABASE {database}")
        finally:
            connection.close()

    def stop(self) -> None:
        """End what was started here."""
        if self._container:
            docker.remove(self._container)
        super().stop()

    def restart(self, **settings: str) -> None:
        """Start a server again that was killed or ended.

        Args:
            settings: that it gets from here on; underscores in their names stand for hyphens.
        """
        self._settings |= {name.replace("_", "-"): value for name, value in settings.items()}
        self._spawn()
        self.wait_ready(self._answers)

    def end(self) -> None:
        """End the server as an administrator does, and keep its folder."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    def programs(self) -> Path | None:
        """Where the server's programs are; None where Docker must do."""
        raise NotImplementedError

    def prepare(self, programs: Path, data: Path) -> None:
        """Make the data folder of a new server."""
        raise NotImplementedError

    def command(self, programs: Path) -> list[str | Path]:
        """The server's program, and what it needs to find its own files."""
        raise NotImplementedError

    def bootstrap(self, programs: Path, data: Path, scripts: Sequence[Path]) -> None:
        """Make the tables of the server itself, by the scripts that its packages bring."""
        (data / "mysql").mkdir()
        script = "use mysql;\n" + "".join(path.read_text() for path in scripts)
        user = f"--user={getpass.getuser()}"
        command = [
            *self.command(programs),
            "--bootstrap",
            f"--datadir={data}",
            f"--tmpdir={data}",
            "--skip-log-bin",
            user,
        ]
        with (self.folder / "bootstrap.log").open("wb") as log:
            subprocess.run(command, input=script.encode(), check=True, stdout=log, stderr=log)

    def _start(self) -> None:
        port = free_port()
        programs = self.programs()
        if programs is None:
            arguments = [f"--{name}={value}" for name, value in self._settings.items() if name != "bind-address"]
            self._container = docker.run(self.image, port, 3306, {"MYSQL_ROOT_PASSWORD": "admin"}, arguments)
            self._admin = f"mysql://root:admin@127.0.0.1:{port}"
            return
        self._admin = f"mysql://admin:admin@127.0.0.1:{port}"
        data = self.folder / "data"
        data.mkdir()
        self.prepare(programs, data)
        users = self.folder / "users.sql"
        users.write_text("".join(f"{line.strip()};\n" for line in _USERS.split(";")))
        temporary = self.folder / "tmp"  # a server that starts empties its own
        temporary.mkdir()
        files = {
            "datadir": data,
            "tmpdir": temporary,
            "socket": self.folder / "s",
            "pid-file": self.folder / "pid",
            "init-file": users,
        }
        # Both refuse to run as root unless they are told to by name.
        self._command = [*self.command(programs), f"--user={getpass.getuser()}"]
        self._settings |= {**files, "port": port}
        self._spawn()
        self._settings.pop("init-file")

    def _spawn(self) -> None:
        arguments = [f"--{name}={value}" for name, value in self._settings.items()]
        self.spawn([*self._command, *arguments], cwd=self.folder)

    def _answers(self) -> bool:
        try:
            connect(self.url(), connect_timeout=2).close()
        except MySQLdb.OperationalError:
            return False
        return True


def connect(url: str | sa.URL, **options: Any) -> Any:
    """A connection of an application, autocommitting; statements of one call may be several."""
    url = sa.make_url(url)
    return MySQLdb.connect(
        host=url.host or "",
        port=url.port or 3306,
        user=url.username or "",
        password=url.password or "",
        database=url.database or "",
        charset="utf8mb4",
        autocommit=True,
        client_flag=CLIENT.MULTI_STATEMENTS,
        **options,
    )


def end_sessions(connection: Any, database: str) -> None:
    """End the other sessions of a database, and wait until the server knows them no more."""
    others = "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> CONNECTION_ID()"

    def are_gone() -> bool:
        found = _shown(connection, others, database)
        for (number,) in found or ():
            with contextlib.suppress(MySQLdb.OperationalError):  # gone by itself
                run(connection, f"KILL {number}")
        return found == []

    wait_until(are_gone, f"the sessions of {database} being gone")


def wait_gone(connection: Any, number: int) -> None:
    """Wait until the server knows a session no more.

    A prepared transaction that is decided while its session ends stays half open on MariaDB until a restart.
    """
    there = "SELECT 1 FROM information_schema.processlist WHERE id = %s"
    wait_until(lambda: _shown(connection, there, number) == [], f"session {number} being gone")


def _shown(connection: Any, statement: str, *parameters: Any) -> list[tuple[Any, ...]] | None:
    """Return rows of the list of sessions; None while MySQL can't show it."""
    try:
        return run(connection, statement, *parameters)
    except MySQLdb.OperationalError as error:
        if error.args[0] != _UNSHOWN:
            raise
        return None


def end_prepared(connection: Any, begin: str) -> None:
    """Roll back the prepared transactions whose names begin with this, so that nothing waits for them."""
    for *_, name in run(connection, "XA RECOVER"):
        text = name.decode() if isinstance(name, bytes) else name
        if text.startswith(begin):
            with contextlib.suppress(MySQLdb.OperationalError):  # it ended meanwhile
                run(connection, f"XA ROLLBACK '{text}'")


def run(connection: Any, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run statements on a connection; return the rows of the last one."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        rows = list(cursor.fetchall())
        while cursor.nextset() is not None:
            rows = list(cursor.fetchall())
        return rows
