"""Histories of a table, sent by each envelope and applied to real databases: the table equals a model."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.property.test_histories import ENVELOPES, maxwell, model, possible, steps, topic
from tests.support.applying import applied
from tests.support.engines import of
from tests.support.profile import LONG
from tests.support.targets import world_of

SHORT = ("sqlite", "postgresql-18", "mariadb-10.11")
COLUMNS = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "integer PRIMARY KEY", "mysql": "INT PRIMARY KEY"}
FIREBIRD = "INTEGER NOT NULL PRIMARY KEY"


@pytest.fixture(params=[*of("sqlite", "postgresql", "mysql"), "firebird"] if LONG else SHORT)
def world(request):
    with world_of(request, request.param) as found:
        key = COLUMNS.get(found.dialect, FIREBIRD)
        found.execute(f"CREATE TABLE t (id {key}, a VARCHAR(20), b VARCHAR(20))")
        yield found


@pytest.mark.parametrize("name", sorted(ENVELOPES))
@settings(max_examples=60 if LONG else 5, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    some=st.lists(steps, min_size=10, max_size=60).map(possible),
    size=st.sampled_from([1, 7, 10_000]),
    runs=st.lists(st.integers(0, 40), max_size=2),
    seed=st.integers(0, 2**16),
)
def test_the_table_equals_the_model(world, name, some, size, runs, seed):
    make, encode = ENVELOPES[name]
    if encode is maxwell:  # its messages always have whole rows
        some = [("put" if one[0] == "part" else one[0], *one[1:]) for one in some]
    positions = TargetPositions(world.target.engine, "dwh")
    positions.forget("s")
    world.execute("DELETE FROM t")
    messages = topic(some, encode, seed)
    for end in [*sorted(runs), len(messages)]:
        applied(make(), world.target, messages[:end], size=size, positions=positions)
    assert {str(row[0]): (str(row[0]), *row[1:]) for row in world.rows("t", "id, a, b")} == model(some)
