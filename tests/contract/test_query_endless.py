"""Watermarks above which no row can ever lie, on the databases that hold them."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support.engines import of
from tests.support.legacy import reused_database

ENDLESS = {"sqlite": ["9e999"], "postgresql": ["'Infinity'", "'NaN'"]}


@pytest.fixture(params=of(*ENDLESS))
def measured(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, level double precision NOT NULL)")
        found.execute("INSERT INTO t VALUES (1, 1.5), (2, 2.5)")
        yield found


def levels(legacy, at=None, **options):
    with legacy.source(watermark_columns=("level",), **options) as source:
        horizon, reading = source.open(at)
        batches = list(reading)
    return [row[0] for batch in batches for row in batch.rows], batches[-1].after._replace(facts=horizon.facts)


def test_a_watermark_that_nothing_can_follow_is_refused_before_reading(measured):
    found, after = levels(measured)
    assert [int(one) for one in found] == [1, 2]
    for endless in ENDLESS[measured.dialect]:
        measured.execute(f"INSERT INTO t VALUES (3, {endless})")
        for at in (None, after):
            with pytest.raises(ConfigurationError, match=r"'level' of table 't' .* no later row could lie above"):
                levels(measured, at)
        with measured.source(watermark_columns=("level",)) as source, pytest.raises(ConfigurationError):
            source.pending(after)
        measured.execute("DELETE FROM t WHERE id = 3")


def test_by_a_query_without_it_the_stream_goes_on(measured):
    measured.execute(f"INSERT INTO t VALUES (3, {ENDLESS[measured.dialect][0]})")
    query = {"table": None, "sql": "SELECT * FROM t WHERE level < 1000", "key_columns": ("id",)}
    assert [int(one) for one in levels(measured, **query)[0]] == [1, 2]
