"""Random histories applied to a table of PostgreSQL: it equals a model of ten lines, in batches of any size."""

from __future__ import annotations

import logging
import random
from types import SimpleNamespace

import pytest

from airflow_legacy_events.core.columns import ABSENT, Shape
from airflow_legacy_events.core.model import Batch, Watermark
from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, Changes, Received, TableChanges
from airflow_legacy_events.core.sink.delivery import AppliedDelivery
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.support.engines import of
from tests.support.profile import LONG
from tests.support.targets import world_of

NOTHING = Shape((), (), ())
LEASE = SimpleNamespace(check=lambda: None)
KEYS = 250
COLUMNS = "id int PRIMARY KEY, n serial, a text DEFAULT 'a', b numeric(9,2), c jsonb"
DEFAULTS = ("a", None, None)


@pytest.fixture(params=of("postgresql"))
def world(request):
    with world_of(request, request.param) as found:
        yield found


def history(r, messages):
    """Messages as (op, row, former key); a key changes only to one that is free, from one that is there."""
    there = set()
    for _ in range(messages):
        key, kind = str(r.randrange(KEYS)), r.random()
        if kind < 0.001:
            there.clear()
            yield TRUNCATE, (ABSENT,) * 5, None
            continue
        if kind < 0.2:
            there.discard(key)
            yield DELETE, (key, *(ABSENT,) * 4), None
            continue
        former = r.choice(sorted(there)) if there and kind < 0.3 and key not in there else None
        there.discard(former)
        there.add(key)
        values = (
            ["x", "", "\t\\N\n", None, ABSENT],
            ["1.50", "-0.01", None, ABSENT],
            ['{"a": 1}', "null", None, ABSENT],
        )
        yield UPSERT, (key, ABSENT, *map(r.choice, values)), None if former is None else (former,)


def model(log):
    rows = {}
    for op, row, former in log:
        if op == TRUNCATE:
            rows.clear()
            continue
        before = rows.pop(row[0] if former is None else former[0], None)
        if op == UPSERT:
            kept = DEFAULTS if before is None else before
            rows[row[0]] = tuple(old if new is ABSENT else new for old, new in zip(kept, row[2:], strict=True))
    return rows


def batches(shape, log, size):
    for first in range(0, len(log), size):
        some = log[first : first + size]
        nothing = [None] * len(some)
        received = Received(
            ["t"] * len(some),
            [0] * len(some),
            range(first, first + len(some)),
            nothing,
            nothing,
            [()] * len(some),
            nothing,
        )
        found = TableChanges(shape)
        for at, (op, row, former) in enumerate(some):
            found.ops.append(op)
            found.rows.append(row)
            found.places.append(at)
            if former is not None:
                found.moved[at] = former
        after = Watermark((f"t[0]={first + len(some)}",), None, {})
        yield Batch(NOTHING, some, len(some), after, "c"), Changes(received, {"t": found})


@pytest.mark.parametrize("size", [7, 400, 5_000] if LONG else [30, 400])
@pytest.mark.parametrize("number", range(20 if LONG else 1))
def test_the_table_equals_the_model(world, size, number):
    seed = random.randrange(2**32)
    logging.getLogger(__name__).warning("seed %d, number %d", seed, number)
    log = list(history(random.Random(seed), 5_000 if LONG else 1_200))
    world.execute(f"CREATE TABLE t ({COLUMNS})")
    positions = TargetPositions(world.target.engine, "dwh")
    delivery = AppliedDelivery("s", LEASE, target=world.target, positions=positions)
    delivery.load()
    delivery.begin({})
    for batch, changes in batches(world.shape(), log, size):
        delivery.deliver(batch, changes)
    found = world.execute("SELECT id::text, a, b::text, c::text FROM t")
    assert {row[0]: row[1:] for row in found} == model(log)
    assert delivery.delivered.rows == len(log) == delivery.delivered.events
    assert positions.load("s").values == (f"t[0]={len(log)}",)
