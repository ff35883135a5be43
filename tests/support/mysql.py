"""MySQL and MariaDB as an application of the tests writes to them."""

from __future__ import annotations

import re
from typing import Any, Self

import sqlalchemy as sa

from tests.services.mysql_family import connect, end_prepared, end_sessions, wait_gone

# What the tests call a type is called otherwise here; a plain `text` holds 64 kB only.
_TYPES = {
    "timestamp with time zone": "timestamp(6) NULL",
    "timestamp": "datetime",
    "timestamp(6)": "datetime(6)",
    "text": "longtext",
}
_HOSTS = ("localhost", "127.0.0.1", "%")
_TYPE = re.compile(r"(?<= )(timestamp with time zone|timestamp\(6\)|timestamp|text)(?=[ ,)])")


class Application:
    """A connection with the interface of psycopg's and sqlite3's."""

    def __init__(self, url: str | sa.URL, **options: Any) -> None:
        self._connection = connect(url, **options)

    def execute(self, statement: str, parameters: Any = None) -> Any:
        if statement.startswith("CREATE TABLE"):
            statement = _TYPE.sub(lambda found: _TYPES[found[0]], statement)
        cursor = self._connection.cursor()
        cursor.execute(statement, parameters or None)
        return Answer(cursor)

    def empty(self, database: str) -> None:
        """Drop what is in a database, once its other sessions are ended, with their locks."""
        end_sessions(self._connection, database)
        end_prepared(self._connection, database)
        here = "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = %s"
        for name, type_ in self.execute(here, (database,)).fetchall():
            quoted = name.replace("`", "``")
            self.execute(f"DROP {'VIEW' if type_ == 'VIEW' else 'TABLE'} `{database}`.`{quoted}`")

        functions = "SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s"
        for (name,) in self.execute(functions, (database,)).fetchall():
            self.execute(f"DROP FUNCTION `{database}`.`{name}`")

    @property
    def number(self) -> int:
        """The server's number of the session."""
        return int(self.execute("SELECT CONNECTION_ID()").fetchall()[0][0])

    def wait_gone(self, number: int) -> None:
        """Wait until the server knows another session no more."""
        wait_gone(self._connection, number)

    def close(self) -> None:
        if self._connection.open:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Answer:
    """What a statement gave."""

    def __init__(self, cursor: Any) -> None:
        self.description, self._cursor = cursor.description, cursor

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._cursor.fetchall())

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._cursor.fetchone()


class User:
    """A user who may do what it is granted."""

    def __init__(self, legacy: Any) -> None:
        self.legacy, self.name = legacy, f"w{legacy.url.database[-12:]}"
        for host in _HOSTS:
            legacy.execute(f"CREATE USER {self.name}@'{host}' IDENTIFIED BY '{legacy.url.password}'")

    def grant(self, what: str) -> None:
        for host in _HOSTS:
            self.legacy.execute(f"GRANT {what} TO {self.name}@'{host}'")

    def revoke(self, what: str) -> None:
        for host in _HOSTS:
            self.legacy.execute(f"REVOKE {what} FROM {self.name}@'{host}'")

    def drop(self) -> None:
        for host in _HOSTS:
            self.legacy.execute(f"DROP USER {self.name}@'{host}'")
