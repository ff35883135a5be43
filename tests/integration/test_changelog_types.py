"""Every type of a running server: the change log gives the columns and texts that a query gives."""

from __future__ import annotations

import os
import random

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from airflow_legacy_events.core.model.log import LogRows
from tests.support.change_log import changed_database, only
from tests.support.databases import fresh_database
from tests.support.engines import ENGINES
from tests.support.legacy import Legacy
from tests.support.postgres_catalog import Catalog, prepare
from tests.support.postgres_oracle import SESSION
from tests.support.slots import logs_of

SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", str(random.randrange(2**32))))
ROWS = 12


@pytest.fixture(params=["postgresql-18", "postgresql-15"])
def legacy(request):
    engine = ENGINES[request.param]
    with (
        fresh_database(request.getfixturevalue(logs_of(engine.name))) as database,
        psycopg.connect(database.dsn, autocommit=True) as connection,
    ):
        connection.execute(SESSION)
        prepare(connection.execute)
        with changed_database(database) as log:
            yield Legacy(engine, sa.make_url(database.url), connection), log


def made(connection, types, r):
    columns = ", ".join(f"c{at} {one.type.sql}" for at, one in enumerate(types))
    connection.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {columns})")
    values = [one.values(r, ROWS) for one in types]
    marks = sql.SQL(", ").join(sql.Placeholder() * (len(types) + 1))
    with connection.cursor() as cursor:
        cursor.executemany(
            sql.SQL("INSERT INTO t VALUES ({})").format(marks), list(zip(range(ROWS), *values, strict=True))
        )


def test_the_log_has_the_columns_and_texts_of_a_query(legacy):
    database, log = legacy
    print(f"seed {SEED}: repeat with LEGACY_EVENTS_TEST_SEED={SEED}")
    types = [one for one in Catalog(database.connection) if one.make is not None and one.storable and not one.catalogs]
    made(database.connection, types, random.Random(SEED))
    with database.source(key_columns=("id",)) as source:
        batches = list(source.open(None).batches)
    columns, count = batches[0].shape.columns, len(types) + 1
    rows = [row[:count] for batch in batches for row in batch.rows]
    chunk = only(log.read())
    [part] = chunk.parts
    assert isinstance(part, LogRows)
    assert [one._replace(nullable=True) for one in part.form.columns] == [
        one._replace(nullable=True) for one in columns[:count]
    ]
    for at, one in enumerate(types, start=1):
        assert [row[at] for row in part.rows] == [row[at] for row in rows], f"seed {SEED}, type {one.type.sql}"


def test_a_type_that_was_dropped_since_is_text(legacy):
    database, log = legacy
    database.execute("CREATE TYPE soon AS ENUM ('gone')")
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, a soon)")
    database.execute("INSERT INTO t VALUES (1, 'gone')")
    database.execute("ALTER TABLE t DROP COLUMN a")
    database.execute("DROP TYPE soon")
    chunk = only(log.read())
    [part] = chunk.parts
    assert (part.rows[0][:2], part.form.columns[1].type, part.form.numbers) == (("1", "gone"), "public.soon", (1, 2))


def test_a_table_that_was_dropped_since_has_its_rows(legacy):
    database, log = legacy
    database.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    database.execute("INSERT INTO t VALUES (1)")
    database.execute("DROP TABLE t")
    chunk = only(log.read())
    assert [(part.form.numbers, len(part.rows)) for part in chunk.parts] == [((None,), 1)]
