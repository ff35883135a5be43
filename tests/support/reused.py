"""A database of PostgreSQL that tests use one after another: to empty one takes a quarter of the time to make one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

from tests.support.databases import Database, fresh_database

_FIRST_OF_USERS = 16384
"""What a server itself brings has lower numbers."""
_MADE = (
    *("pg_am", "pg_cast", "pg_class", "pg_default_acl", "pg_event_trigger", "pg_extension", "pg_foreign_data_wrapper"),
    *("pg_foreign_server", "pg_language", "pg_largeobject_metadata", "pg_proc", "pg_publication", "pg_transform"),
    "pg_type",
)
"""Where everything is listed that a test may have made, whether it lies in a schema or not."""
_GRANTED = {"pg_class": "relacl", "pg_proc": "proacl", "pg_type": "typacl", "pg_language": "lanacl"}
_HERE = "(SELECT oid FROM pg_database WHERE datname = current_database())"
_OTHERS = "'{oid,datname,datfrozenxid,datminmxid}'"
_FACTS = " UNION ALL ".join(
    (
        f"SELECT (to_jsonb(d) - {_OTHERS}::text[])::text FROM pg_database d WHERE oid = {_HERE}",
        f"SELECT s::text FROM pg_db_role_setting s WHERE setdatabase = {_HERE}",
        f"SELECT d::text FROM pg_shdepend d WHERE dbid = {_HERE}",
        "SELECT (nspname, nspowner, nspacl)::text FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'",
        "SELECT rolname FROM pg_roles WHERE position(current_database() IN rolname) > 0",
        "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()",
        "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()",
        f"SELECT subname FROM pg_subscription WHERE subdbid = {_HERE}",
        *(f"SELECT '{one} ' || oid FROM {one} WHERE oid >= {_FIRST_OF_USERS}" for one in _MADE),
        *(f"SELECT oid || {acl}::text FROM {one} WHERE {acl} IS NOT NULL" for one, acl in _GRANTED.items()),
    )
)


class Reused:
    """The database of one server that is lent to one test after another.

    It is lent again only if it is as it was made: a test may also have changed what emptying does not restore, such as
    the rights on the database itself. Then the next test gets another one.
    """

    def __init__(self, server: Any) -> None:
        self._server, self._stack = server, ExitStack()
        self._database: Database | None = None
        self._as_made: list[str] = []

    @contextmanager
    def lent(self) -> Iterator[Database]:
        """Give the database to one test."""
        if self._database is None:
            self._database = self._stack.enter_context(fresh_database(self._server))
            self._as_made = facts(self._database)
        try:
            yield self._database
        finally:
            if not self._emptied(self._database):
                self.close()

    def close(self) -> None:
        """Drop the database."""
        self._database = None
        self._stack.close()

    def _emptied(self, database: Database) -> bool:
        try:
            with psycopg.connect(database.dsn, autocommit=True) as connection:
                _empty(connection, database.name)
                return _facts(connection) == self._as_made
        except psycopg.Error:
            return False


def facts(database: Database) -> list[str]:
    """Return everything by which a database can differ from a new one, but for the data of the server's own tables."""
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        return _facts(connection)


def _facts(connection: psycopg.Connection[Any]) -> list[str]:
    connection.execute("SET search_path = pg_catalog")
    return sorted(fact for (fact,) in connection.execute(_FACTS.encode()))


def _empty(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    connection.execute("SET search_path = pg_catalog")
    for (gid,) in connection.execute("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"):
        connection.execute(f"ROLLBACK PREPARED '{gid}'".encode())
    schemas = connection.execute(
        "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
    ).fetchall()
    schema = ", ".join(one for (one,) in schemas)
    connection.execute(
        f"SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS {schema} CASCADE; ALTER DATABASE {name} RESET ALL;"
        " CREATE SCHEMA public AUTHORIZATION pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC".encode()
    )
