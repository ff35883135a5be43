"""Conditions on single rows and the database's time, on every database."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from tests.support.engines import EACH
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
MANY = 1_000
QUOTE = "'"


@pytest.fixture(params=EACH)
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


def remove(database, condition) -> int:
    with database.lock("s", HOLDER) as lease:
        [answer] = lease.execute([sa.delete(sa.table("t")).where(condition)])
    return answer.number


def bound(database, table, keys, rows):
    columns = {one.name: one for one in database.reflect(table, None).columns}
    return [sa.column(key) for key in keys], [
        [database.bind(text, columns[key]) for key, text in zip(keys, row, strict=True)] for row in rows
    ]


@pytest.mark.parametrize("keys", [("a",), ("c",), ("a", "b"), ("a", "b", "c")])
def test_a_thousand_rows_are_found_by_their_keys(legacy, database, keys):
    columns = "a integer NOT NULL, b varchar(20) NOT NULL, c char(36) NOT NULL"
    legacy.execute(f"CREATE TABLE t ({columns}, PRIMARY KEY (a, b, c))")
    rows = [(number, f"it's %s :b{number % 7}", str(uuid.UUID(int=number * 2**99 + 1))) for number in range(MANY + 5)]
    for at in range(0, len(rows), 201):
        values = ", ".join(f"({a}, '{b.replace(QUOTE, QUOTE * 2)}', '{c}')" for a, b, c in rows[at : at + 201])
        legacy.execute(f"INSERT INTO t VALUES {values}")
    wanted = [[str({"a": a, "b": b, "c": c}[key]) for key in keys] for a, b, c in rows[:MANY]]
    assert remove(database, database.among(*bound(database, "t", keys, wanted))) == MANY
    assert legacy.execute("SELECT count(*), min(a) FROM t") == [(5, MANY)]


@pytest.mark.parametrize("keys", [("a",), ("a", "b")])
def test_without_rows_none_is_found(legacy, database, keys):
    legacy.execute("CREATE TABLE t (a integer NOT NULL, b varchar(20) NOT NULL, PRIMARY KEY (a, b))")
    legacy.execute("INSERT INTO t VALUES (1, 'x')")
    assert remove(database, database.among([sa.column(key) for key in keys], [])) == 0
    assert legacy.execute("SELECT count(*) FROM t") == [(1,)]


def test_the_clock_is_in_utc(database):
    now = database.now()
    assert now.utcoffset() == dt.timedelta(0)
    assert abs(now - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    "type_", ["timestamp", "timestamp(6)", "timestamp with time zone", "date", "text", "timestamp(0)", "timestamp(3)"]
)
def test_a_mark_is_the_time_of_the_database_in_utc(legacy, database, type_):
    if legacy.dialect == "firebird" and type_.startswith("timestamp"):
        type_ = "timestamp"
    if legacy.dialect == "mysql" and type_ in ("timestamp(0)", "timestamp(3)"):
        type_ = type_.replace("timestamp", "datetime")
    if legacy.dialect == "mysql":
        legacy.execute("SET time_zone = '+00:00'")
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, marked {type_})")
    legacy.execute("INSERT INTO t (id) VALUES (1)")
    _, marked = database.reflect("t", None).columns
    before = database.now() - dt.timedelta(seconds=1.5)
    mark = sa.update(sa.table("t", sa.column("marked"))).values(marked=database.marking(marked))
    found = sa.select(sa.column("marked")).select_from(sa.table("t"))
    with database.lock("s", HOLDER) as lease:
        [changed, answer] = lease.execute([mark, found])
    after = database.now() + dt.timedelta(milliseconds=1)
    assert changed.number == 1
    [(text,)] = answer.rows
    assert answer.rows == database.read(found)
    if type_ == "date":
        assert text in (str(before.date()), str(after.date()))
        return
    moment = dt.datetime.fromisoformat(text)
    assert before <= (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) <= after


def test_only_postgresql_has_versions(legacy, database):
    versioned = Column("xmin", Kind.INTEGER, "xid", nullable=False)
    assert database.version == (versioned if legacy.dialect == "postgresql" else None)
