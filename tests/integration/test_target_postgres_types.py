"""Every type of a running server: what the server says of a value goes into a table of that type and comes back."""

from __future__ import annotations

import datetime as dt
import random

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.ports.target import Counts, TableStates, Wanted
from airflow_legacy_events.databases.postgres.target import PostgresTarget
from airflow_legacy_events.databases.postgres.target.staging import FEW
from airflow_legacy_events.databases.postgres.types import MONEY_FORM
from tests.support.databases import database_of
from tests.support.engines import of
from tests.support.postgres_catalog import Catalog, prepare
from tests.support.postgres_oracle import SESSION
from tests.support.profile import LONG
from tests.support.targets import upsert

ROWS = 3
COLUMNS = 40
MANY = FEW


@pytest.fixture(params=of("postgresql"))
def database(request):
    with database_of(request, request.param) as found:
        yield found


@pytest.fixture
def legacy(database):
    with psycopg.connect(database.dsn, autocommit=True, prepare_threshold=None) as connection:
        connection.execute(SESSION)
        prepare(connection.execute)
        connection.execute(MONEY_FORM)
        yield connection


@pytest.fixture
def target(database):
    made = PostgresTarget("dwh", sa.make_url(database.url), statement_timeout=dt.timedelta(seconds=60))
    yield made
    made.close()


def said(legacy, table, width):
    columns = ", ".join(f"CASE WHEN num_nulls(c{at}) = 0 THEN format('%s', c{at}) END" for at in range(width))
    return [
        tuple(row) for row in legacy.execute(f"SELECT id::text, {columns} FROM {table} ORDER BY {table}.id".encode())
    ]


def test_every_type_comes_back_as_it_was(legacy, target):
    r = random.Random()
    stored = [one for one in Catalog(legacy) if one.make is not None and one.storable]
    assert len(stored) > 300
    r.shuffle(stored)
    stored = stored if LONG else stored[:COLUMNS]
    for start in range(0, len(stored), COLUMNS):
        types = stored[start : start + COLUMNS]
        columns = ", ".join(f"c{at} {one.type.sql}" for at, one in enumerate(types))
        legacy.execute("DROP TABLE IF EXISTS s, t")
        legacy.execute(f"CREATE TABLE s (id integer PRIMARY KEY, {columns})")
        legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {columns})")
        marks = ", ".join("%s" for _ in range(len(types) + 1))
        with legacy.cursor() as cursor:
            made = [one.values(r, ROWS) for one in types]
            cursor.executemany(f"INSERT INTO s VALUES ({marks})", list(zip(range(ROWS), *made, strict=True)))
        rows = said(legacy, "s", len(types))
        shape = target.reflect("t", Wanted())
        assert all(one.written for one in shape.columns)
        few = [upsert(*row) for row in rows]
        many = [upsert(str(at), *row[1:]) for at, row in enumerate(rows * MANY)][: FEW + 1]
        for states in (few, many):
            with target.transaction() as unit:
                assert unit.apply(TableStates(shape, states)) == Counts(len(states))
            assert said(legacy, "t", len(types))[: len(rows)] == rows


FITS = {
    "numeric(5,2)": (Kind.DECIMAL, 5, 2, None),
    "numeric(3,-2)": (Kind.DECIMAL, 3, -2, None),
    "numeric": (Kind.DECIMAL, None, None, None),
    "numeric(7,3)[]": (Kind.ARRAY, 7, 3, None),
    "cents": (Kind.DECIMAL, 9, 2, None),
    "varchar(7)": (Kind.TEXT, None, None, 7),
    "char(3)": (Kind.TEXT, None, None, 3),
    "text": (Kind.TEXT, None, None, None),
    "name": (Kind.TEXT, None, None, 63),
    "bit(4)": (Kind.TEXT, None, None, 4),
    "varbit": (Kind.TEXT, None, None, None),
    "timestamp(3)": (Kind.TIMESTAMP, None, 3, None),
    "timestamptz": (Kind.INSTANT, None, 6, None),
    "time(0)": (Kind.TIME, None, 0, None),
    "timetz": (Kind.TIME, None, 6, None),
    "real": (Kind.SINGLE, None, None, None),
    "double precision": (Kind.FLOAT, None, None, None),
    "mood": (Kind.TEXT, None, None, None),
    "interval": (Kind.TEXT, None, None, None),
    "int4range": (Kind.TEXT, None, None, None),
    "inet": (Kind.TEXT, None, None, None),
    "bytea": (Kind.BYTES, None, None, None),
    "jsonb": (Kind.JSON, None, None, None),
    "uuid": (Kind.UUID, None, None, None),
    "money": (Kind.MONEY, None, None, None),
}
"""Kind, precision, scale and length of each type."""


def test_what_fits_into_a_column_is_known(legacy, target):
    legacy.execute("CREATE DOMAIN cents AS numeric(9,2) NOT NULL DEFAULT 7")
    legacy.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
    columns = ", ".join(f'"{type_}" {type_}' for type_ in FITS)
    legacy.execute(f"CREATE TABLE f (id bigint PRIMARY KEY, g int GENERATED ALWAYS AS (1) STORED, b int, {columns})")
    key, generated, plain, *typed = target.reflect("f", Wanted()).columns
    assert {one.name: (one.kind, one.precision, one.scale, one.length) for one in typed} == FITS
    assert [one.name for one in typed if one.has_default and not one.nullable] == ["cents"]
    assert (key.low, key.high, key.nullable) == (-(2**63), 2**63 - 1, False)
    assert (plain.written, generated.written, generated.has_default) == (True, False, True)
