"""Versions of rows in PostgreSQL: a row that was changed after it was read is not the one that was read."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.engines import of
from tests.support.legacy import legacy_database, plain

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
SHAPES = {
    "by number": "(id bigint PRIMARY KEY, body text)",
    "by text": "(id varchar(9) PRIMARY KEY, body text)",
    "by two": "(at timestamptz DEFAULT '2026-01-01', id numeric(9,2), body text, PRIMARY KEY (at, id))",
    "by an odd type": '(id "Od d" PRIMARY KEY, body text)',
    "partitioned": "(id bigint PRIMARY KEY, body text) PARTITION BY HASH (id)",
}


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


def remove(database, condition) -> int:
    with database.lock("s", HOLDER) as lease:
        [answer] = lease.execute([sa.delete(sa.table("t")).where(condition)])
    return answer.number


def seen(database, keys):
    names = [one.name for one in keys]
    query = sa.select(*map(sa.column, (*names, "xmin"))).select_from(sa.table("t")).order_by(*map(sa.column, names))
    return database.read(query)


def keys_of(database):
    facts = database.reflect("t", None)
    return [one for name in facts.primary_key for one in facts.columns if one.name == name]


def unchanged(database, keys, rows):
    return database.unchanged(keys, [row[:-1] for row in rows], [int(row[-1]) for row in rows])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("writers", ["one", "one with gaps", "many"])
def test_a_row_that_was_changed_is_another_version(legacy, database, shape, writers):
    legacy.execute(f'CREATE TYPE "Od d" AS ENUM ({", ".join(repr(str(number)) for number in range(200))})')
    legacy.execute(f"CREATE TABLE t {SHAPES[shape]}")
    if shape == "partitioned":
        for at in (0, 1):
            legacy.execute(f"CREATE TABLE t{at} PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER {at})")
    numbers = range(70, 140, 7) if writers == "one with gaps" else range(70, 80)
    values = [f"('{number}')" for number in numbers]
    for one in values if writers == "many" else [", ".join(values)]:
        legacy.execute(f"INSERT INTO t (id) VALUES {one}")
    keys = keys_of(database)
    rows = seen(database, keys)
    assert len({row[-1] for row in rows}) == (10 if writers == "many" else 1)
    legacy.execute(f"UPDATE t SET body = 'y' WHERE id IN ('{numbers[1]}', '{numbers[3]}')")

    assert remove(database, unchanged(database, keys, rows)) == 8
    assert legacy.execute("SELECT id::text::numeric::int FROM t ORDER BY id") == [(numbers[1],), (numbers[3],)]


def test_without_rows_none_is_unchanged(legacy, database):
    legacy.execute("CREATE TABLE t (id bigint PRIMARY KEY, body text)")
    legacy.execute("INSERT INTO t VALUES (1, 'x')")
    assert remove(database, database.unchanged(keys_of(database), [], [])) == 0


def test_a_thousand_rows_of_a_thousand_writers_are_found_by_their_index(legacy, database):
    legacy.execute("CREATE TABLE t (id bigint PRIMARY KEY, body text)")
    legacy.execute("INSERT INTO t SELECT n, 'x' FROM generate_series(1, 200000) n")
    legacy.execute(
        "DO $$ BEGIN FOR n IN 1..1000 LOOP UPDATE t SET body = 'y' WHERE id = n * 200; COMMIT; END LOOP; END $$"
    )
    legacy.execute("VACUUM ANALYZE t")
    keys = keys_of(database)
    rows = [row for row in seen(database, keys) if int(row[0]) % 200 == 0]
    assert len({version for _, version in rows}) == 1000
    condition = unchanged(database, keys, rows)
    statement, parameters = database._compiled(sa.select(sa.func.count()).select_from(sa.table("t")).where(condition))

    with psycopg.connect(plain(legacy.url), cursor_factory=psycopg.RawCursor) as connection:
        plan = connection.execute(f"EXPLAIN {statement}".encode(), parameters).fetchall()

    assert any("using t_pkey on t" in line for (line,) in plan)
    assert len(parameters) == 2
    assert remove(database, condition) == 1000
