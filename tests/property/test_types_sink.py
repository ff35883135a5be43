"""Every type of a running server, sent by a query and applied to a table of the same types elsewhere: both are equal.

LEGACY_EVENTS_TEST_ROWS sets the rows of each type, LEGACY_EVENTS_TEST_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import psycopg
import pytest

from tests.services.mysql_family import connect
from tests.support.databases import database_of
from tests.support.engines import of
from tests.support.mysql_catalog import SESSION as MYSQL_SESSION
from tests.support.mysql_catalog import known
from tests.support.mysql_values import SPATIAL
from tests.support.postgres_catalog import Catalog, prepare
from tests.support.postgres_oracle import SESSION
from tests.support.postgres_values import clock, day, document, text
from tests.support.profile import LONG
from tests.support.way_back import AMBIGUOUS, applied, carried, equal, json_of_mysql, sent

ALL = LONG or "LEGACY_EVENTS_TEST_ROWS" in os.environ
ROWS = int(os.environ.get("LEGACY_EVENTS_TEST_ROWS", "30"))
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", str(random.randrange(2**32))))
COLUMNS = 40
CATALOG_ROWS = 3
SPECIAL = ("date", "datetime(6)", "timestamp(6) NULL", "float")
"""Types that hold days without a month, and a number that is near the end of its range."""

ENVELOPES = ("cloudevents", "plain")
pytestmark = pytest.mark.timeout(0 if ALL else 300)


@pytest.fixture
def r() -> random.Random:
    print(f"seed {SEED}: repeat with LEGACY_EVENTS_TEST_SEED={SEED}")
    return random.Random(SEED)


def both(request: Any, stack: ExitStack) -> list[Any]:
    """Two new databases on the server of the engine that the test is for."""
    return [stack.enter_context(database_of(request, request.param)) for _ in range(2)]


@pytest.fixture(params=of("postgresql"))
def postgres(request) -> Iterator[Any]:
    with ExitStack() as stack:
        found = both(request, stack)
        # Another table has the same statements, whose parameters are of other types.
        made = [psycopg.connect(one.dsn, autocommit=True, prepare_threshold=None) for one in found]
        sessions = [stack.enter_context(one) for one in made]
        for one in sessions:
            one.execute(SESSION)
            prepare(one.execute)
        yield found, sessions


@pytest.fixture(params=of("mysql"))
def mysql(request) -> Iterator[Any]:
    with ExitStack() as stack:
        found = both(request, stack)
        sessions = [stack.enter_context(closing(connect(one.url))) for one in found]
        for one in sessions:
            run(one, MYSQL_SESSION)
        yield found, sessions


def run(session: Any, statement: str, *parameters: Any) -> Any:
    with session.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()


def parts(types: list[Any], r: random.Random, first: tuple[str, ...] = ()) -> Iterator[tuple[list[Any], str]]:
    """Random tables, each with the envelope that carries it; some types come first."""
    r.shuffle(types)
    types.sort(key=lambda one: one.sql not in first if first else 0)
    types = types if ALL else types[:COLUMNS]
    for start in range(0, len(types), COLUMNS):
        yield types[start : start + COLUMNS], r.choice(ENVELOPES)


def columns(types: list[str]) -> str:
    return ", ".join(f"c{at} {one}" for at, one in enumerate(types))


def test_every_type_of_postgresql(postgres, r):
    databases, sessions = postgres
    stored = [one for one in Catalog(sessions[0]) if one.make is not None and one.storable]
    stored = [one for one in stored if not one.type.sql.endswith(AMBIGUOUS)]
    for group, rows in (
        ([one for one in stored if not one.catalogs], ROWS),
        ([one for one in stored if one.catalogs] if ALL else [], CATALOG_ROWS),
    ):
        for types, envelope in parts(group, r):
            names = [one.type.sql for one in types]
            for session in sessions:
                session.execute("DROP TABLE IF EXISTS t, legacy_events_watermarks")
                session.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {columns(names)})")
            marks = ", ".join("%s" for _ in range(len(types) + 1))
            with sessions[0].cursor() as cursor:
                made = zip(range(rows), *(one.values(r, rows) for one in types), strict=True)
                cursor.executemany(f"INSERT INTO t VALUES ({marks})", list(made))
            applied(sent(databases[0].url, envelope), databases[1].url, envelope)
            equal(*([_postgres_rows(one, len(types)) for one in sessions]), names, carried, SEED)


def _postgres_rows(session: Any, width: int) -> list[Any]:
    texts = ", ".join(f"CASE WHEN num_nulls(c{at}) = 0 THEN format('%s', c{at}) END" for at in range(width))
    return list(session.execute(f"SELECT id, {texts} FROM t ORDER BY id".encode()))


def test_every_type_of_mariadb_and_mysql(mysql, r):
    databases, sessions = mysql
    for types, envelope in parts(known(sessions[0]), r, SPECIAL):
        names = [one.sql for one in types]
        for session in sessions:
            run(session, "DROP TABLE IF EXISTS t, legacy_events_watermarks")
            made = f"CREATE TABLE t (id int PRIMARY KEY, {columns(names)}) ROW_FORMAT = DYNAMIC DEFAULT CHARSET utf8mb4"
            session.query(made.encode())
        statement = f"INSERT INTO t VALUES ({', '.join(['%s', *(one.mark for one in types)])})"
        run(sessions[0], "BEGIN")
        for row in zip(range(ROWS), *(one.values(r, ROWS) for one in types), strict=True):
            run(sessions[0], statement, *row)
        run(sessions[0], "COMMIT")
        applied(sent(databases[0].url, envelope), databases[1].url, envelope)
        reads = ", ".join(one.oracle.reads.format(f"c{at}") for at, one in enumerate(types))
        equal(*([run(one, f"SELECT id, {reads} FROM t ORDER BY id") for one in sessions]), names, json_of_mysql, SEED)
        for at, name in enumerate(names):
            if name != "json" and name not in SPATIAL:
                assert not _unequal(sessions[0], databases, f"c{at}"), f"seed {SEED}, type {name}"


def _unequal(session: Any, databases: Any, column: str) -> Any:
    """Rows that the server itself calls unequal."""
    one, other = (database.name for database in databases)
    joined = f"{one}.t AS a JOIN {other}.t AS b ON a.id = b.id"
    return run(session, f"SELECT a.id FROM {joined} WHERE NOT a.{column} <=> b.{column}")


FINITE = {
    "INTEGER": lambda r: r.choice((0, -1, 2**63 - 1, -(2**63), r.randint(-(2**63), 2**63 - 1))),
    "BIGINT UNSIGNED": lambda r: r.randint(0, 2**63 - 1),
    "BOOLEAN": lambda r: r.choice((0, 1)),
    "DECIMAL(10,2)": lambda r: r.choice((r.randint(-(10**8), 10**8), r.randint(-(10**9), 10**9) / 100)),
    "REAL": lambda r: r.choice((0.1, -0.5, 1e300, 5e-324, 0.30000000000000004, r.uniform(-1e6, 1e6))),
    "VARCHAR(20)": text,
    "TEXT": text,
    "DATE": day,
    "TIME": clock,
    "TIMESTAMP": lambda r: f"{day(r)} {clock(r)[:8]}.{r.randint(0, 999_999):06}",
    "TIMESTAMPTZ": lambda r: f"{day(r)} {clock(r)[:8]}.{r.randint(0, 999_999):06}+00:00",
    "UUID": lambda r: re.sub(r"(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", r.randbytes(16).hex()),
    "JSON": lambda r: document(r).replace("1E+400", "1E+300"),
    "BLOB": lambda r: r.randbytes(r.randint(0, 9)),
}
"""Values of SQLite's columns in the form that the package itself writes: another spelling of a time becomes it."""


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_every_type_of_sqlite(tmp_path, r, envelope):
    files = [tmp_path / name for name in ("one.db", "other.db")]
    with ExitStack() as stack:
        sessions = [stack.enter_context(closing(sqlite3.connect(one, isolation_level=None))) for one in files]
        for session in sessions:
            session.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns(list(FINITE))})")
        rows = [(at, *(None if r.random() < 0.1 else make(r) for make in FINITE.values())) for at in range(ROWS)]
        sessions[0].execute("BEGIN")
        sessions[0].executemany(f"INSERT INTO t VALUES ({', '.join('?' * (len(FINITE) + 1))})", rows)
        sessions[0].execute("COMMIT")
        applied(sent(f"sqlite:///{files[0]}", envelope), f"sqlite:///{files[1]}", envelope)
        reads = ", ".join(
            f"c{at}" if name == "JSON" else f"typeof(c{at}) || '=' || hex(c{at}) || '=' || quote(c{at})"
            for at, name in enumerate(FINITE)
        )
        found = [session.execute(f"SELECT id, {reads} FROM t ORDER BY id").fetchall() for session in sessions]
        equal(*found, [name.lower() for name in FINITE], carried, SEED)
