"""Streams of PostgreSQL's change log in a database of a test's own; their slots are gone afterwards."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import LogPosition, TableName
from airflow_legacy_events.core.ports import ChangeLog, LogOptions, LogTable
from tests.services.base import wait_until
from tests.support.change_log import drop_slot, flat
from tests.support.databases import fresh_database
from tests.support.engines import ENGINES
from tests.support.legacy import Legacy, connected, legacy_database, reused_database

_RUNS = re.compile(r"^(?:ALTER|COMMIT|CREATE|DROP|GRANT|ROLLBACK|SELECT)\b.*", re.MULTILINE)


@dataclass
class LoggedDatabase:
    """A database with a stream, which has a slot and a publication of one name.

    Attributes:
        legacy: the database.
        name: of slot and publication.
        given: whether the publication is made by somebody else.
        patterns: tables of the stream.
        keys: key columns by table; else the primary key.
        excluded: columns by table.
        stored: facts that the last run kept.
        position: where it ended.
        url: what differs in the stream's connection, such as `username`.
        timeout: of statements, in seconds.
        interval: of the schedule, in seconds.
        before: whether old rows are wanted.
    """

    legacy: Legacy
    name: str
    given: bool = False
    patterns: Sequence[str] = ("public.*",)
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    excluded: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stored: Mapping[str, Any] | None = None
    position: LogPosition | None = None
    url: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 60.0
    interval: float | None = None
    before: bool = False

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the superuser, each in its own transaction; return the rows of the last one."""
        found: list[tuple[Any, ...]] = []
        for one in statements:
            found = self.legacy.execute(one)
        return found

    @property
    def stream(self) -> str:
        return f"crm.{self.name}@log"

    @property
    def options(self) -> LogOptions:
        """Arguments of the stream."""
        return LogOptions(
            *(self.stream, "orders_dag", self.name, self.name),
            given=self.given,
            before=self.before,
            interval_seconds=self.interval,
        )

    @contextmanager
    def log(self) -> Iterator[Log]:
        """The change log, as a run has it."""
        database: Any = self.legacy.database(self.timeout, **self.url)
        change_log = database.change_log(self.options)
        try:
            yield Log(self, change_log, database)
        finally:
            change_log.close()
            database.close()

    def check(self, renewed: Sequence[TableName] = ()) -> list[str]:
        """Check and guard as the opening of a run does; return the lines of the error, none if there was none."""
        with self.log() as log:
            try:
                log.open(renewed)
            except LegacyEventsError as error:
                return str(error).splitlines()
        return []

    def begin(self) -> None:
        """A first run, which saves the empty watermark and then makes publication and slot."""
        with self.log() as log:
            log.begin()

    def run(self, renewed: Sequence[TableName] = ()) -> list[tuple[Any, ...]]:
        """A run that reads the log to its end; return its changes."""
        with self.log() as log:
            return log.run(renewed)

    def slot(self) -> tuple[Any, ...] | None:
        """Plugin, place up to which it is confirmed, and whether it is in use."""
        found = self.execute(
            "SELECT plugin, confirmed_flush_lsn::text, active FROM pg_replication_slots"
            f" WHERE slot_name = '{self.name}'"
        )
        return found[0] if found else None


@dataclass
class Log:
    """The change log of one run."""

    stream: LoggedDatabase
    change_log: ChangeLog
    database: Any
    tables: list[LogTable] = field(default_factory=list)

    def look(self) -> list[LogTable]:
        """Return the tables of the stream, described."""
        self.tables = []
        for name in self.change_log.tables(self.stream.patterns):
            written = ".".join(map(self.database.quoted, name))
            found = self.database.reflect(written, None)
            key = tuple(self.stream.keys.get(str(name), found.primary_key))
            excluded = tuple(self.stream.excluded.get(str(name), ()))
            self.tables.append(LogTable(name, found, key, written, excluded))
        return self.tables

    def open(self, renewed: Sequence[TableName] = ()) -> Mapping[str, Any]:
        """Check and guard; return the facts."""
        self.change_log.check(self.look())
        return self.change_log.guard(self.stream.stored, self.stream.position, renewed)

    def begin(self) -> LogPosition:
        """The first run up to its first save."""
        self.stream.stored = self.open()
        self.stream.position = self.change_log.begin(self.tables)
        self.stream.stored = self.change_log.facts()
        return self.stream.position

    def run(self, renewed: Sequence[TableName] = ()) -> list[tuple[Any, ...]]:
        """Read to the end of the log, acknowledge and keep the position."""
        if self.stream.stored is not None:
            self.change_log.recall(self.stream.stored)
        facts = {**self.open(renewed)}
        assert self.stream.position is not None
        position = self.change_log.located(self.stream.position)
        chunks = list(self.change_log.read(position, self.change_log.end(), 1000))
        for one in chunks:
            facts |= one.facts
        self.change_log.acknowledge(chunks[-1].end.place)
        self.stream.stored, self.stream.position = facts, chunks[-1].end
        return flat(chunks)


def statements_in(lines: Sequence[str]) -> list[str]:
    """Return the statements that an error has on lines of their own."""
    return [one for line in _RUNS.findall("\n".join(lines)) for one in line.split("; ")]


@contextmanager
def logged_on(server: Any, engine: str, *statements: str, database: str = "") -> Iterator[LoggedDatabase]:
    """Like `logged_database`, on a server of a test's own; a database that is named is there already, and stays."""
    with ExitStack() as stack:
        if not database:
            database = stack.enter_context(fresh_database(server)).name
        url = sa.make_url(server.url(database))
        application = stack.enter_context(contextlib.closing(connected(url)))
        found = LoggedDatabase(Legacy(ENGINES[engine], url, application), f"legacy_events_{database}")
        found.execute(*statements)
        try:
            yield found
        finally:
            drop_slots(lambda statement: server.execute(statement, database))


@contextmanager
def logged_database(
    request: pytest.FixtureRequest, engine: str, *statements: str, fresh: bool = False
) -> Iterator[LoggedDatabase]:
    """A database in which statements ran, with a stream that has not begun; all its slots are gone afterwards.

    It is used again and again, unless it must be `fresh`, as for a test that changes rights on the database itself.
    """
    with (legacy_database if fresh else reused_database)(request, engine, logs_of(engine)) as legacy:
        found = LoggedDatabase(legacy, f"legacy_events_{legacy.url.database}")
        found.execute(*statements)
        try:
            yield found
        finally:
            drop_slots(legacy.execute)
            for (name,) in legacy.execute("SELECT quote_ident(pubname) FROM pg_publication"):
                legacy.execute(f"DROP PUBLICATION {name}")
            legacy.execute("DROP FOREIGN DATA WRAPPER IF EXISTS none CASCADE")


def logs_of(engine: str) -> str:
    """Return the fixture of an engine's server whose change logs are read."""
    return f"{ENGINES[engine].server}_logs"


def drop_slots(execute: Callable[[str], list[tuple[Any, ...]]]) -> None:
    """Drop every slot of a database; end who uses them, and prepared transactions."""
    for (gid,) in execute("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"):
        execute(f"ROLLBACK PREPARED '{gid}'")
    for (name,) in execute("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"):
        drop_slot(execute, name)


@contextmanager
def role(logged: LoggedDatabase, *rights: str, name: str = "") -> Iterator[str]:
    """A role that may log in and what the rights give it, statements that name `{role}`; it is gone afterwards."""
    role = f"{logged.legacy.url.database}_{name or 'role'}"
    logged.execute(f"CREATE ROLE {role} LOGIN", *(one.format(role=role) for one in rights))
    try:
        yield role
    finally:
        with contextlib.suppress(Exception):
            logged.execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER")
        logged.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def altered(logged: LoggedDatabase, **settings: str) -> None:
    """Alter settings of a server of the test's own, and wait until sessions see them."""
    for name, value in settings.items():
        logged.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    logged.execute("SELECT pg_reload_conf()")
    shown = " AND ".join(f"current_setting('{name}') = '{value}'" for name, value in settings.items())
    wait_until(lambda: logged.execute(f"SELECT {shown}") == [(True,)], f"{settings}")
