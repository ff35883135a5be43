"""Where attempts are made: a database with an owner, and a reader who alone may write to one table."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from airflow_legacy_events.core import names
from airflow_legacy_events.databases.mysql import MysqlDatabase
from airflow_legacy_events.databases.postgres import PostgresDatabase
from airflow_legacy_events.databases.sqlite import SqliteDatabase
from tests.support.databases import Database
from tests.support.legacy import plain
from tests.support.mysql import Application

PASSWORD = "hunter2-secret"
_HOSTS = ("localhost", "127.0.0.1", "%")
TABLE = (
    "CREATE TABLE t (id integer PRIMARY KEY, v varchar(99) NOT NULL, at timestamp NOT NULL)",
    "CREATE UNIQUE INDEX t_v ON t (v)",
    "CREATE INDEX t_at ON t (at, id)",
    (
        "INSERT INTO t VALUES (1, 'a', '2026-01-01 00:00:00'), (2, 'b', '2026-01-02 00:00:00'),"
        " (3, 'c', '2026-01-03 00:00:00')"
    ),
)


STREAM = "attempted"
HOLDER = {"dag": "d", "task": "t", "run": "r0", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}


def database_of(place: Any) -> Any:
    """The reader's database, of ours."""
    made = {"postgresql": PostgresDatabase, "mysql": MysqlDatabase, "sqlite": SqliteDatabase}
    url = place.reader_url
    return made[url.get_backend_name()](url, conn_id="two_roles", statement_timeout_seconds=30)


class Postgres:
    """A database with the schema `app` of its owner; `vault.written` is the reader's."""

    drivers = "postgresql+psycopg"
    conn_type = "postgres"

    def __init__(self, database: Database) -> None:
        self.name = database.name
        self.owner_name, self.reader_name = f"{self.name}_owner", f"{self.name}_reader"
        self._url = sa.make_url(database.url)
        self.admin = psycopg.connect(plain(self._url), autocommit=True)
        for role in (self.owner_name, self.reader_name):
            self.admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
        self.admin.execute(f"ALTER DATABASE {self.name} OWNER TO {self.owner_name}")
        self.admin.execute("CREATE SCHEMA vault; CREATE TABLE vault.written (x text); CREATE SEQUENCE vault.numbers")
        self.admin.execute(f"GRANT ALL ON SCHEMA vault TO {self.reader_name}")
        self.admin.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA vault TO {self.reader_name}")
        self.admin.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA vault TO {self.reader_name}")

    @property
    def reader_url(self) -> sa.URL:
        """As the reader connects."""
        return self._url.set(username=self.reader_name, password=PASSWORD)

    @contextlib.contextmanager
    def owner(self) -> Iterator[psycopg.Connection[Any]]:
        """A session of the owner."""
        with psycopg.connect(plain(self._url.set(username=self.owner_name)), autocommit=True) as connection:
            connection.execute("SET search_path = app")
            yield connection

    def plant(self, statements: tuple[Any, ...]) -> None:
        """Make the schema anew, as the owner wants it."""
        self.admin.execute(f"DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app AUTHORIZATION {self.owner_name}")
        self.admin.execute(f"ALTER DATABASE {self.name} RESET ALL")
        self.admin.execute(f"ALTER DATABASE {self.name} SET search_path = app, public")
        with self.owner() as owner:
            owner.execute(f"GRANT USAGE ON SCHEMA app TO {self.reader_name}")
            owner.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO {self.reader_name}")
            for one in (*TABLE, *statements):
                owner.execute(one.replace("<database>", self.name).replace("<reader>", self.reader_name))

    def lock_keys(self) -> list[tuple[int, int, int]]:
        """The numbers of the stream's lock, which anybody may see while it is held."""
        with contextlib.closing(database_of(self)) as database, database.lock(STREAM, HOLDER):
            return self.admin.execute(
                "SELECT classid::bigint::bit(32)::int, objid::bigint::bit(32)::int, objsubid"
                " FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                " WHERE locktype = 'advisory' AND datname = current_database()"
            ).fetchall()

    def written(self) -> list[Any]:
        """What was written by anybody but the owner's own sessions."""
        found = self.admin.execute("SELECT x FROM vault.written").fetchall()
        found += self.admin.execute("SELECT oid FROM pg_largeobject_metadata").fetchall()
        found += self.admin.execute("SELECT last_value FROM vault.numbers WHERE is_called").fetchall()
        if self.admin.execute("SELECT to_regclass('app.log')").fetchone() != (None,):
            found += self.admin.execute("SELECT x FROM app.log").fetchall()
        return found

    def close(self) -> None:
        """End what still runs there, and drop the roles."""
        self.end_sessions()
        self.admin.execute("DROP SCHEMA IF EXISTS app CASCADE")
        self.admin.execute(f"DROP OWNED BY {self.owner_name}, {self.reader_name} CASCADE")
        self.admin.execute(f"ALTER DATABASE {self.name} OWNER TO CURRENT_USER")
        self.admin.execute(f"DROP ROLE {self.owner_name}, {self.reader_name}")
        self.admin.close()

    def end_sessions(self) -> None:
        """End the reader's sessions at the server: one may not have noticed that nobody waits for it any more."""
        self.admin.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{self.reader_name}'"
        )


class Mysql:
    """The database of the owner; the table `written` of another one is the reader's."""

    drivers = "mysql+mysqldb"
    conn_type = "mysql"

    def __init__(self, database: Database, vault: Database) -> None:
        self.name, self.vault = database.name, vault.name
        self._url = sa.make_url(database.url)
        self.admin = Application(self._url)
        self.reader_name = f"r{self.name}"[:32]
        self.admin.execute(f"CREATE TABLE {self.vault}.written (x varchar(99))")
        for host in _HOSTS:
            user = f"{self.reader_name}@'{host}'"
            self.admin.execute(f"CREATE USER {user} IDENTIFIED BY '{PASSWORD}'")
            self.admin.execute(f"GRANT SELECT, EXECUTE, SHOW VIEW ON {self.name}.* TO {user}")
            self.admin.execute(f"GRANT SELECT, INSERT ON {self.vault}.* TO {user}")

    @property
    def reader_url(self) -> sa.URL:
        """As the reader connects."""
        return self._url.set(username=self.reader_name, password=PASSWORD)

    @contextlib.contextmanager
    def owner(self) -> Iterator[Application]:
        """A session of the owner."""
        with Application(self._url) as found:
            yield found

    def plant(self, statements: tuple[Any, ...]) -> None:
        """Make the tables anew, as the owner wants them."""
        self.admin.empty(self.name)
        for one in (*TABLE, *statements):
            statement = one.replace("<lock>", self.lock_name()).replace("<vault>", self.vault)
            cursor = self.admin._connection.cursor()  # as mysqlclient sends it: several statements may be one
            cursor.execute(statement)
            while cursor.nextset() == 1:
                pass
            cursor.close()

    def lock_name(self) -> str:
        """The name of the stream's lock."""
        return f"legacy-events-{names.digest(self.name + chr(0) + STREAM, 40)}"

    def written(self) -> list[Any]:
        """What was written by anybody but the owner's own sessions."""
        found = self.admin.execute(f"SELECT x FROM {self.vault}.written").fetchall()
        tables = self.admin.execute("SHOW TABLES LIKE 'log'").fetchall()
        return found + (self.admin.execute("SELECT x FROM log").fetchall() if tables else [])

    def end_sessions(self) -> None:
        """End the reader's sessions at the server."""
        mine = "SELECT id FROM information_schema.processlist WHERE user = %s"
        for (number,) in self.admin.execute(mine, (self.reader_name,)).fetchall():
            with contextlib.suppress(Exception):  # it has ended
                self.admin.execute(f"KILL {number}")

    def close(self) -> None:
        """End what still runs there, and drop the user."""
        self.end_sessions()
        for host in _HOSTS:
            self.admin.execute(f"DROP USER {self.reader_name}@'{host}'")
        self.admin.close()


class Sqlite:
    """A file in a folder that the owner may write to."""

    drivers = "sqlite"
    conn_type = "sqlite"

    def __init__(self, folder: Path, via: str) -> None:
        self.folder, self.via = folder, via
        self.file, self.precious = folder / "app" / "legacy.db", folder / "precious"
        self.precious.write_text("a key that nobody else has")
        self._before: dict[str, Any] = {}

    @property
    def reader_url(self) -> sa.URL:
        """As the reader connects."""
        return sa.URL.create("sqlite", database=str(self.file))

    @contextlib.contextmanager
    def owner(self) -> Iterator[Any]:
        """A session of the owner."""
        import sqlite3

        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            yield connection

    def plant(self, statements: tuple[Any, ...]) -> None:
        """Make the file anew, as the owner wants it."""
        self.file.parent.mkdir()
        with self.owner() as owner:
            for one in (*TABLE, *(one for one in statements if isinstance(one, str))):
                owner.execute(one)
        for one in statements:
            if callable(one):
                one(self)
        self._before = self._contents()

    def _contents(self) -> dict[str, Any]:
        if self.via == "generic":  # the lock of a stream is a row of a table
            with self.owner() as owner:
                lines = {line: "" for line in owner.iterdump() if "legacy_events_locks" not in line}
            return {**lines, self.precious.name: self.precious.read_text()}
        return {
            one.name: hashlib.sha256(one.read_bytes()).hexdigest()
            for one in (self.precious, *self.file.parent.iterdir())
            if one.is_file() and not one.name.endswith((".lock", "-wal", "-shm", "-journal"))
        }

    def written(self) -> list[Any]:
        """Files that are others by now."""
        now = self._contents()
        return [name for name in {**self._before, **now} if self._before.get(name) != now.get(name)]

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody holds the lock of the stream."""
        with contextlib.closing(database_of(self)) as database, database.lock(STREAM, HOLDER):
            yield

    def end_sessions(self) -> None:
        """Nothing runs elsewhere."""

    def close(self) -> None:
        """The folder goes with its test."""


def connection_of(place: Any, via: str) -> dict[str, Any]:
    """The fields of an Airflow connection of the reader.

    Args:
        place: that it leads to.
        via: `own`, or `generic`: through the SQLAlchemy dialect alone.
    """
    url = place.reader_url
    if via == "generic":
        extra = {"sqlalchemy_url": url.set(drivername=place.drivers).render_as_string(hide_password=False)}
        return {"conn_type": "generic", "extra": json.dumps(extra)}
    if place.conn_type == "sqlite":
        return {"conn_type": "sqlite", "host": url.database}
    fields = {"host": url.host, "port": url.port, "login": url.username, "password": url.password}
    return {"conn_type": place.conn_type, "schema": url.database, **fields}
