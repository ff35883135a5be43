"""Every type of a running server, whatever it holds: what a plain consumer reads is what PostgreSQL says.

LEGACY_EVENTS_TEST_ROWS sets the rows of each type, LEGACY_EVENTS_TEST_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import psycopg
import pytest

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.databases.postgres.types import find_types
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from tests.support.brokers import opened
from tests.support.databases import database_of
from tests.support.engines import of
from tests.support.json_oracle import members, parsed
from tests.support.postgres_catalog import Catalog, Known, prepare
from tests.support.postgres_oracle import SESSION, expected
from tests.support.streams import Deliveries

ROWS = int(os.environ.get("LEGACY_EVENTS_TEST_ROWS", "16"))
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", str(random.randrange(2**32))))
COLUMNS = 40
CATALOG_ROWS = 3
INSERTED = 500
ODD = (
    "select",
    "A b",
    "größe",
    'q"q',
    "p%s",
    "c:w",
    "d.t",
    "{x}",
    "\\n",
    "e'",
    "日本",
    "x" * 60,
    "%(y)s",
    "--",
    "/*",
    "$1",
)


@pytest.fixture(params=of("postgresql"))
def postgres_database(request):
    with database_of(request, request.param) as found:
        yield found


@pytest.fixture
def legacy(postgres_database):
    with psycopg.connect(postgres_database.dsn, autocommit=True) as connection:
        connection.execute(SESSION)
        prepare(connection.execute)
        yield connection


def test_every_type_of_the_server_is_carried_or_on_the_refusal_list(legacy):
    known = list(Catalog(legacy))
    found = find_types(legacy, [one.oid for one in known])
    wrong = [one.type.sql for one in known if (found[one.oid].kind is None) != (one.make is None)]
    assert not wrong
    assert len(known) > 300


def tables(known: list[Known], r: random.Random) -> Iterator[tuple[list[Known], int]]:
    """Random tables: which types, and how many rows."""
    stored = [one for one in known if one.make is not None and one.storable]
    usual, rest = [one for one in stored if not one.catalogs], [one for one in stored if one.catalogs]
    for group, rows in ((usual, ROWS), (rest, CATALOG_ROWS)):
        r.shuffle(group)
        for start in range(0, len(group), COLUMNS):
            yield group[start : start + COLUMNS], rows


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def fill(legacy, names: list[str], types: list[Known], rows: int, r: random.Random) -> None:
    columns = ", ".join(f"{identifier(name)} {one.type.sql}" for name, one in zip(names, types, strict=True))
    legacy.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id integer PRIMARY KEY, {columns})")
    marks = ", ".join("%s" for _ in range(len(types) + 1))
    for start in range(0, rows, INSERTED):
        count = min(INSERTED, rows - start)
        made = [one.values(r, count) for one in types]
        with legacy.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO t VALUES ({marks})", list(zip(range(start, start + count), *made, strict=True))
            )


def said(legacy, names: list[str]) -> dict[str, tuple[str | None, ...]]:
    """Each row as the server's output functions write it."""
    columns = ", ".join(
        f"CASE WHEN num_nulls({name}) = 0 THEN format('%s', {name}) END" for name in map(identifier, names)
    )
    return {str(row[0]): row[1:] for row in legacy.execute(f"SELECT id, {columns} FROM t".encode())}


@pytest.mark.timeout(0 if "LEGACY_EVENTS_TEST_ROWS" in os.environ else 300)
def test_what_a_consumer_reads_is_what_the_server_says(legacy, postgres_database, kafka, topics):
    print(f"seed {SEED}: repeat with LEGACY_EVENTS_TEST_SEED={SEED}")
    r = random.Random(SEED)
    for types, rows in tables(list(Catalog(legacy)), r):
        names = [f"{name}{at}" for at, name in enumerate(r.choices(ODD, k=len(types)))]
        fill(legacy, names, types, rows, r)
        topic = topics.make(max_message_bytes="10000000")
        broker = opened(kafka, topic)
        stream = Deliveries(postgres_database.url, broker, topic, table="t", envelope=PlainEnvelope())
        report = stream.run(batch_rows=Limits().batch_rows)
        broker.close()
        assert report.events == rows
        server = said(legacy, names)
        for message in topics.read(topic):
            data = members(parsed(message.value))
            assert list(data) == ["id", *names]
            for name, one, text in zip(names, types, server.pop(message.key), strict=True):
                found, wanted = data[name], expected(legacy, one.type, text)
                where = f"seed {SEED}, type {one.type.sql}, the server says {text!r}"
                assert (type(found), found) == (type(wanted), wanted), where
        assert not server
