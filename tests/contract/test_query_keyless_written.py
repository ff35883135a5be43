"""Watermarks of rows without a key that the database takes for equal, and that are written in different ways."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from tests.support.crashes import Process, World
from tests.support.engines import EACH
from tests.support.keyless import ids_of
from tests.support.legacy import reused_database

TEXTS = {
    "postgresql": "varchar(9) NOT NULL COLLATE no_case",
    "mysql": "varchar(9) CHARACTER SET utf8mb4 NOT NULL COLLATE utf8mb4_general_ci",
    "sqlite": "text NOT NULL COLLATE NOCASE",
    "firebird": "varchar(9) NOT NULL",
}
WRITTEN = {
    "texts": (None, ("'a'", "'A'", "'a'", "'b'", "'B'", "'B'")),
    "numbers": ({"postgresql": "numeric NOT NULL", "sqlite": ""}, ("1", "1.0", "1", "2", "2.0", "2.00")),
    "zeros": ({"postgresql": "float8 NOT NULL", "mysql": "double NOT NULL"}, ("0", "-0e0", "0", "1", "1e0", "1")),
}


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        if found.dialect == "postgresql":
            found.execute(
                "CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
            )
        yield found


def delivered(legacy, batch_rows, **options):
    world = World()
    for _ in range(2):
        with legacy.source(key_columns=(), batch_rows=batch_rows, **options) as source:
            process = Process(world, source, None)
            process.envelope = CloudEventsEnvelope()
            process.run()
    return world


@pytest.mark.parametrize("what", WRITTEN)
def test_each_row_of_a_tick_arrives_in_whatever_way_its_watermark_is_written(legacy, what):
    types, values = WRITTEN[what]
    kind = (types or TEXTS).get(legacy.dialect, "double precision NOT NULL")
    legacy.execute(f"CREATE TABLE written (w {kind}, v integer)")
    for at, value in enumerate(values):
        legacy.execute(f"INSERT INTO written VALUES ({value}, {at % 2})")
    for columns in (("w",), ("w", "v"), ("v", "w")):
        for batch_rows in (2, 5):
            world = delivered(legacy, batch_rows, table="written", watermark_columns=columns)
            rows = Counter(json.loads(value)["data"]["v"] for _, value in world.topic)
            assert (rows, len(set(ids_of(world)))) == ({0: 3, 1: 3}, 6)


def test_ids_do_not_depend_on_the_size_of_a_page(legacy):
    kind = TEXTS[legacy.dialect]
    legacy.execute(f"CREATE TABLE written (w {kind}, v integer)")
    for value in ("a", "A", "a", "A", "b", "b"):
        legacy.execute(f"INSERT INTO written VALUES ('{value}', 1)")
    small, large = (
        delivered(legacy, rows, table="written", watermark_columns=("w",), columns=("v",)) for rows in (1, 100)
    )
    assert set(ids_of(small)) == set(ids_of(large))
    assert len(set(ids_of(large))) == 6
