"""Ticks: what a database says is the smallest step of a column's times is the step of the values that it stores."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import pytest

from airflow_legacy_events.core.ports import Written
from airflow_legacy_events.sources.query.horizons.ticks import bound_text
from tests.support.engines import of
from tests.support.legacy import reused_database

SERVERS = of("postgresql", "mysql")
MOMENT = dt.datetime(2026, 3, 2, 10, 20, 30, 987_654, tzinfo=dt.UTC)
SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
TYPES = {
    "postgresql": {"timestamp(0)": SECOND, "timestamptz(3)": SECOND / 1_000, "timestamp": SECOND / 10**6, "date": DAY},
    "mysql": {"datetime": SECOND, "datetime(3)": SECOND / 1_000, "timestamp(6) NULL": SECOND / 10**6, "date": DAY},
}


@pytest.fixture(params=SERVERS)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def test_every_stored_value_is_a_whole_tick_and_not_below_the_bound_of_its_moment(legacy):
    types = TYPES[legacy.dialect]
    columns = ", ".join(f"c{at} {type_}" for at, type_ in enumerate(types))
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {columns})")
    text = MOMENT.replace(tzinfo=None).isoformat(sep=" ")
    zoned = "SET TIME ZONE 'UTC'" if legacy.dialect == "postgresql" else "SET time_zone = '+00:00'"
    legacy.execute(zoned)
    legacy.execute(f"INSERT INTO t VALUES (1, {', '.join(repr(text) for _ in types)})")
    legacy.execute("CREATE VIEW v AS SELECT * FROM t")
    with closing(legacy.database()) as database:
        for table, sql in (("t", None), ("v", None), (None, "SELECT * FROM t")):
            found = database.reflect(table, sql)
            for column, expected in zip(found.columns[1:], types.values(), strict=True):
                tick = database.writers(Written(table, column, "UTC", found.state)).tick
                assert tick == expected
                stored = legacy.execute(f"SELECT {column.name} FROM t")[0][0]
                at = dt.datetime.fromisoformat(str(stored)).replace(tzinfo=dt.UTC)
                bound = dt.datetime.fromisoformat(bound_text(MOMENT, column, "UTC", tick)).replace(tzinfo=dt.UTC)
                assert bound <= at
                assert MOMENT - bound < tick
