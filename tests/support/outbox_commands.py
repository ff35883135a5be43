"""`airflow legacy-events outbox` as a person calls it, and the database that its SQL is for."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.airflow import metadata
from tests.services import mysql_family
from tests.support.legacy import Legacy, plain, reused_database

CONN_ID = f"legacy_app_{os.getpid()}"  # workers may share the metadata database
_TYPES = {"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite"}


def caller(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that calls the command and gives what it printed."""
    from airflow.cli.cli_parser import _add_command

    from airflow_legacy_events.cli import get_cli_commands

    parser = argparse.ArgumentParser(prog="airflow")
    commands = parser.add_subparsers()
    for command in get_cli_commands():
        _add_command(commands, command)

    def call(*words: str) -> str:
        args = parser.parse_args(["legacy-events", "outbox", *words])
        capsys.readouterr()  # what Airflow said of itself
        args.func(args)
        return capsys.readouterr().out

    return call


class Application:
    """An application that knows of no outbox, and the commands beside it.

    Attributes:
        legacy: its database.
        call: the command line; gives what it printed.
    """

    def __init__(self, legacy: Legacy, capsys: pytest.CaptureFixture[str]) -> None:
        self.legacy, self.call = legacy, caller(capsys)
        self._printed = lambda: capsys.readouterr().out
        self._connection = self.connect()
        self.mysql = legacy.dialect == "mysql"

    def connect(self, **url: Any) -> Any:
        """Another connection, by the driver's own means."""
        made = self.legacy.url.set(**url)
        if self.legacy.dialect == "mysql":
            return mysql_family.connect(made)
        if self.legacy.dialect == "sqlite":
            return sqlite3.connect(made.database, isolation_level=None)
        return psycopg.connect(plain(made), autocommit=True)

    def run(self, script: str, *parameters: Any, connection: Any = None) -> list[tuple[Any, ...]]:
        """Run statements; the rows of the last one."""
        connection = connection or self._connection
        if self.mysql:
            return mysql_family.run(connection, script, *parameters)
        if self.legacy.dialect == "sqlite" and not parameters and ";" in script:
            connection.executescript(script)
            return []
        cursor = connection.execute(script, parameters or None) if parameters else connection.execute(script)
        return cursor.fetchall() if cursor.description else []

    def trigger(self, table: str, columns: str, *options: str) -> str:
        """Print the triggers of a table."""
        return self.call("trigger", table, "--source-conn-id", CONN_ID, "--columns", columns, *options)

    def check(self, table: str, columns: str, *options: str) -> tuple[str, str]:
        """Check the triggers; how it ended, nothing where they fit, and what was printed."""
        try:
            return "", self.trigger(table, columns, "--check", *options)
        except SystemExit as ended:
            return str(ended), self._printed()

    def install(self, table: str, columns: str, *options: str) -> None:
        """Print the triggers of a table, and let an administrator run them."""
        self.run(self.trigger(table, columns, *options))

    def make_outbox(self, *options: str) -> None:
        """Print the table of the outbox, and let an administrator run that."""
        dialect = {"mysql": "mariadb"}.get(self.legacy.dialect, self.legacy.dialect)
        self.run(self.call("ddl", "debezium", "--dialect", dialect, *options))

    def events(self) -> list[tuple[str, str, Any]]:
        """Type, key and payload of the events so far, in order."""
        found = self.run("SELECT type, aggregateid, payload FROM outbox ORDER BY id")
        return [(type_, key, json.loads(load) if isinstance(load, str) else load) for type_, key, load in found]

    @contextmanager
    def connected_as(self, login: str, password: str) -> Iterator[None]:
        """Let the commands have another user's connection meanwhile."""
        put_connection(self.legacy, login=login, password=password)
        try:
            yield
        finally:
            put_connection(self.legacy)

    def close(self) -> None:
        self._connection.close()


def put_connection(legacy: Legacy, **other: str) -> None:
    """Let `CONN_ID` lead to a database."""
    url = legacy.url
    fields = {"host": url.host, "port": url.port, "login": url.username, "password": url.password}
    if legacy.dialect == "sqlite":
        fields = {"host": url.database}
    else:
        fields["schema"] = url.database
    metadata.put_connection(CONN_ID, conn_type=_TYPES[legacy.dialect], **{**fields, **other})


@contextmanager
def application_on(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], engine: str
) -> Iterator[Application]:
    """An application on an empty database of an engine, behind the connection `CONN_ID`."""
    with reused_database(request, engine) as legacy, metadata.as_server():
        put_connection(legacy)
        made = Application(legacy, capsys)
        try:
            yield made
        finally:
            made.close()
