"""Every type of a running server, sent by our own envelopes and applied to a table of the same types: equal."""

from __future__ import annotations

import datetime as dt
import os
import random
import re

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.sink.reducing import reduced
from airflow_legacy_events.databases.mysql.target import MysqlTarget
from airflow_legacy_events.databases.postgres.target import PostgresTarget
from airflow_legacy_events.databases.postgres.types import MONEY_FORM
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.decoders.cloudevents import CloudEventsDecoder
from airflow_legacy_events.envelopes.decoders.plain import PlainDecoder
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from tests.services.mysql_family import connect
from tests.support.databases import database_of
from tests.support.decoding import NOTHING, STREAM, batch, step
from tests.support.engines import of
from tests.support.mysql_catalog import SESSION as MYSQL_SESSION
from tests.support.mysql_catalog import known
from tests.support.postgres_catalog import Catalog, prepare
from tests.support.postgres_oracle import SESSION
from tests.support.profile import LONG
from tests.support.streams import Deliveries

ROWS = int(os.environ.get("LEGACY_EVENTS_TEST_ROWS", "8"))
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", str(random.randrange(2**32))))
COLUMNS = 40
BOUNDS = re.compile(r"\A(?:\[-?\d+:-?\d+\])+=")
AMBIGUOUS = ("ints[]", "json[]", "jsonb[]")
"""Arrays whose elements may be arrays: JSON does not say where the elements begin."""

ENVELOPES = [
    (CloudEventsEnvelope(), CloudEventsDecoder()),
    (CloudEventsEnvelope(binary=True), CloudEventsDecoder()),
    (PlainEnvelope(), PlainDecoder()),
]


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
    """Each row as the server's output functions write it."""
    columns = ", ".join(f"CASE WHEN num_nulls(c{at}) = 0 THEN format('%s', c{at}) END" for at in range(width))
    return list(legacy.execute(f"SELECT id, {columns} FROM {table} ORDER BY {table}.id".encode()))


def fill(legacy, types, r):
    columns = ", ".join(f"c{at} {one.type.sql}" for at, one in enumerate(types))
    legacy.execute("DROP TABLE IF EXISTS s, t")
    legacy.execute(f"CREATE TABLE s (id integer PRIMARY KEY, {columns})")
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {columns})")
    marks = ", ".join("%s" for _ in range(len(types) + 1))
    made = [one.values(r, ROWS) for one in types]
    with legacy.cursor() as cursor:
        cursor.executemany(f"INSERT INTO s VALUES ({marks})", list(zip(range(ROWS), *made, strict=True)))


def sent(database, envelope):
    """The messages of table s."""
    broker = MemoryBroker()
    Deliveries(database.url, broker, "t", table="s", envelope=envelope, options={"watermark_columns": ["id"]}).run()
    found = broker.topic("t")
    count = len(found)
    pairs = zip(*((one.key, one.value) for one in found), strict=True)
    encoded = [[None if one is None else one.encode() for one in each] for each in pairs]
    headers = [[(name, text.encode()) for name, text in one.headers] for one in found]
    return Received(["t"] * count, [0] * count, range(count), *encoded, headers, [None] * count)


@pytest.mark.timeout(0 if LONG else 300)
def test_every_type_comes_out_as_it_went_in(legacy, database, target):
    print(f"seed {SEED}: repeat with LEGACY_EVENTS_TEST_SEED={SEED}")
    r = random.Random(SEED)
    usual = [one for one in Catalog(legacy) if one.make is not None and one.storable and not one.catalogs]
    stored = [one for one in usual if not one.type.sql.endswith(AMBIGUOUS)]
    r.shuffle(stored)
    stored = stored if LONG else stored[:COLUMNS]
    for number, start in enumerate(range(0, len(stored), COLUMNS)):
        types = stored[start : start + COLUMNS]
        fill(legacy, types, r)
        envelope, decoder = ENVELOPES[(number + SEED) % len(ENVELOPES)]
        decoding = step(decoder, target)
        decoding.open()
        changes = decoding.compile(NOTHING, STREAM)(batch(sent(database, envelope)))
        assert not changes.poison, [(one.reason) for one in changes.poison]
        with target.transaction() as unit:
            unit.apply(reduced(changes.tables["t"], target.identity_of))
        server, found = said(legacy, "s", len(types)), said(legacy, "t", len(types))
        assert len(found) == len(server) == ROWS
        for one, other in zip(server, found, strict=True):
            for type_, wanted, text in zip(types, one[1:], other[1:], strict=True):
                assert _carried(wanted, type_.type.sql) == text


def _carried(text, type_):
    """What JSON can carry: no other bounds of an array than 1, no JSON null that differs from NULL, no outer spaces."""
    if type_ in ("json", "jsonb") and text is not None:
        return None if text.strip() == "null" else text.strip()
    return BOUNDS.sub("", text) if isinstance(text, str) and type_.endswith(("[]", "ints")) else text


FEW_TYPES = 3
LEFT_OUT = re.compile("geo|point|multi|line|polygon|enum|set")
"""Types whose messages lack a part of the value, its SRID, and those whose labels not every server can describe."""

NO_TIMES = re.compile(r"(0000|-00)")
"""A day that no calendar has, which the servers take where their mode is not strict."""


@pytest.fixture(params=of("mysql"))
def mysql_database(request):
    with database_of(request, request.param) as found:
        yield found


@pytest.fixture
def mysql_target(mysql_database):
    made = MysqlTarget("dwh", sa.make_url(mysql_database.url), statement_timeout=dt.timedelta(seconds=60))
    yield made
    made.close()


def run(connection, statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()


def stored_in(connection, one, r):
    """Fill a table with values of a type, next to an empty one."""
    for table in "st":
        run(connection, f"DROP TABLE IF EXISTS {table}")
        columns = f"(id int PRIMARY KEY, c {one.sql}) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET utf8mb4"
        connection.query(f"CREATE TABLE {table} {columns}".encode())
    for row in zip(range(ROWS), one.values(r, ROWS), strict=True):
        run(connection, f"INSERT INTO s VALUES (%s, {one.mark})", *row)


@pytest.mark.timeout(0 if LONG else 300)
def test_every_type_of_mysql_and_mariadb_comes_out_as_it_went_in(mysql_database, mysql_target):
    print(f"seed {SEED}: repeat with LEGACY_EVENTS_TEST_SEED={SEED}")
    r, connection = random.Random(SEED), connect(mysql_database.url)
    run(connection, MYSQL_SESSION)
    connection.autocommit(True)
    types = [one for one in known(connection) if not LEFT_OUT.match(one.sql)]
    r.shuffle(types)
    for number, one in enumerate(types if LONG else types[:FEW_TYPES]):
        stored_in(connection, one, r)
        envelope, decoder = ENVELOPES[(number + SEED) % len(ENVELOPES)]
        decoding = step(decoder, mysql_target)
        decoding.open()
        changes = decoding.compile(NOTHING, STREAM)(batch(sent(mysql_database, envelope)))
        refused = [changes.received.values[bad.place].decode() for bad in changes.poison]
        assert all(map(NO_TIMES.search, refused)), one.sql
        with mysql_target.transaction() as unit:
            unit.apply(reduced(changes.tables["t"], mysql_target.identity_of))
        server, found = (dict(run(connection, f"SELECT id, hex(CAST(c AS binary)) FROM {name}")) for name in "st")
        assert len(found) == ROWS - len(refused)
        for id_, text in found.items():
            assert text == _written(server[id_], one.sql), one.sql
    connection.close()


def _written(text, type_):
    """What JSON can carry of bytes in hex: no JSON null that differs from NULL, no spaces around a document."""
    if type_ != "json" or text is None:
        return text
    plain = bytes.fromhex(text).strip()
    return None if plain == b"null" else plain.hex().upper()
