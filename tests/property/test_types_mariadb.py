"""Every type of a running server, whatever it holds: what a plain consumer reads is what MariaDB or MySQL says.

LEGACY_EVENTS_TEST_ROWS sets the rows of each type, LEGACY_EVENTS_TEST_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.databases.mysql import MysqlDatabase
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from tests.services.mysql_family import connect
from tests.support.brokers import opened
from tests.support.databases import database_of
from tests.support.engines import of
from tests.support.json_oracle import members, parsed
from tests.support.mysql_catalog import REFUSED, SESSION, Known, declarable, known
from tests.support.streams import Deliveries

ROWS = int(os.environ.get("LEGACY_EVENTS_TEST_ROWS", "16"))
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", str(random.randrange(2**32))))
COLUMNS = 40
ODD = (
    "select",
    "A b",
    "größe",
    "q`q",
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


REFUSALS = [(name, REFUSED[name]) for name in of("mysql") if name in REFUSED]


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def database(request):
    with database_of(request, request.param) as found:
        yield found


def run(connection, statement: str, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()


@pytest.fixture
def legacy(database):
    connection = connect(database.url)
    run(connection, SESSION)
    yield connection
    connection.close()


def identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def data_type(declared: str) -> str:
    return re.match(r"[a-z0-9]+", declared)[0]


@pytest.mark.parametrize(("database", "refused"), REFUSALS, indirect=["database"])
def test_every_type_of_the_server_is_made_here_or_on_the_refusal_list(legacy, refused):
    found = declarable(legacy)
    assert len(found) > 35
    called = {"json": "longtext"} if "inet6" in found else {"geometrycollection": "geomcollection"}
    made = [data_type(one.sql) for one in known(legacy)]
    assert set(found) == {called.get(name, name) for name in made} | refused


def test_every_type_of_the_server_is_carried(legacy, database):
    types = known(legacy)
    columns = ", ".join(f"c{at} {one.sql}" for at, one in enumerate(types))
    legacy.query(f"CREATE TABLE t ({columns}) ENGINE = MyISAM".encode())
    source = MysqlDatabase(sa_url(database), conn_id="legacy", statement_timeout_seconds=60)
    found = source.reflect("t", None)
    source.close()
    assert not found.refused
    assert len(found.columns) == len(types)


def sa_url(database):
    return sa.make_url(database.url)


def tables(types: list[Known], r: random.Random) -> Iterator[list[Known]]:
    """Random tables: which types."""
    r.shuffle(types)
    for start in range(0, len(types), COLUMNS):
        yield types[start : start + COLUMNS]


def fill(legacy, names: list[str], types: list[Known], r: random.Random) -> None:
    columns = ", ".join(f"{identifier(name)} {one.sql}" for name, one in zip(names, types, strict=True))
    run(legacy, "DROP TABLE IF EXISTS t")
    legacy.query(
        f"CREATE TABLE t (id int PRIMARY KEY, {columns}) ROW_FORMAT = DYNAMIC DEFAULT CHARSET utf8mb4".encode()
    )
    statement = f"INSERT INTO t VALUES ({', '.join(['%s', *(one.mark for one in types)])})"
    run(legacy, "BEGIN")
    for row in zip(range(ROWS), *(one.values(r, ROWS) for one in types), strict=True):
        run(legacy, statement, *row)
    run(legacy, "COMMIT")


def said(legacy, names: list[str], types: list[Known]) -> dict[str, tuple[str | None, ...]]:
    """Each row as the server itself puts it into text."""
    columns = ", ".join(one.oracle.reads.format(identifier(name)) for name, one in zip(names, types, strict=True))
    return {str(row[0]): row[1:] for row in run(legacy, f"SELECT id, {columns} FROM t")}


@pytest.mark.timeout(0 if "LEGACY_EVENTS_TEST_ROWS" in os.environ else 300)
def test_what_a_consumer_reads_is_what_the_server_says(legacy, database, kafka, topics):
    print(f"seed {SEED}: repeat with LEGACY_EVENTS_TEST_SEED={SEED}")
    r = random.Random(SEED)
    for types in tables(known(legacy), r):
        names = [f"{name}{at}" for at, name in enumerate(r.choices(ODD, k=len(types)))]
        fill(legacy, names, types, r)
        topic = topics.make(max_message_bytes="10000000")
        broker = opened(kafka, topic)
        report = Deliveries(database.url, broker, topic, table="t", envelope=PlainEnvelope()).run(
            batch_rows=Limits().batch_rows
        )
        broker.close()
        assert report.events == ROWS
        server = said(legacy, names, types)
        for message in topics.read(topic):
            data = members(parsed(message.value))
            assert list(data) == ["id", *names]
            for name, one, text in zip(names, types, server.pop(message.key), strict=True):
                compared = one.oracle.compared
                found, wanted = compared(data[name]), None if text is None else compared(one.oracle.expected(text))
                where = f"seed {SEED}, type {one.sql}, the server says {str(text)[:200]!r}"
                assert (type(found), found) == (type(wanted), wanted), where
        assert not server
