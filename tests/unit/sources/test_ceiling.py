"""The upper bound of a run, whatever the database's clock does while it is asked for."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pytest
import sqlalchemy as sa
import time_machine

from airflow_legacy_events.databases.sqlite import SqliteDatabase
from airflow_legacy_events.sources.query import QuerySource

BEFORE_IT_BEGINS = dt.datetime(2025, 10, 25, 23, 59, 59, 500_000, tzinfo=dt.UTC)
BEFORE_IT_ENDS = dt.datetime(2025, 10, 26, 0, 59, 59, 500_000, tzinfo=dt.UTC)


class Slow(SqliteDatabase):
    """A second passes between two looks at the clock."""

    clock: time_machine.Traveller

    def ceiling(self, *arguments, **options):
        found = super().ceiling(*arguments, **options)
        self.clock.shift(1)
        return found

    def reached(self, *arguments):
        found = super().reached(*arguments)
        self.clock.shift(1)
        return found


@pytest.mark.parametrize("moment", [BEFORE_IT_BEGINS, BEFORE_IT_ENDS])
def test_no_row_of_a_repeated_hour_passes_while_the_clock_is_asked(tmp_path, moment):
    path = tmp_path / "legacy.db"
    with sqlite3.connect(path) as application:
        application.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
        application.execute("INSERT INTO t VALUES (1, '2025-10-26 01:59:00'), (2, '2025-10-26 02:00:00')")
        application.execute("INSERT INTO t VALUES (3, '2025-10-26 02:30:00'), (4, '2025-10-26 02:59:59')")
    application.close()
    database = Slow(sa.make_url(f"sqlite:///{path}"), conn_id="crm", statement_timeout_seconds=5)
    source = QuerySource(
        database=database,
        stream="s",
        source="crm",
        table="t",
        watermark_columns=("at",),
        source_timezone="Europe/Berlin",
    )
    with time_machine.travel(moment, tick=False) as database.clock:
        rows = [row for batch in source.open(None).batches for row in batch.rows]
    database.close()
    assert [row[0] for row in rows] == [1]
