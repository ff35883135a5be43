"""Histories of a table applied to every target: it equals a model of ten lines, however they are cut into batches."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from airflow_legacy_events.core.columns import ABSENT, Shape
from airflow_legacy_events.core.model import Batch, Watermark
from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, Changes, Received, TableChanges
from airflow_legacy_events.core.sink.delivery import AppliedDelivery
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.support.profile import LONG
from tests.support.targets import WITH_ROWS, world_of

NOTHING = Shape((), (), ())
LEASE = SimpleNamespace(check=lambda: None)
COUNT = 200 if LONG else 4


@pytest.fixture(params=WITH_ROWS)
def world(request):
    with world_of(request, request.param) as found:
        found.execute(
            "CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a varchar(9) DEFAULT 'd', b varchar(9) DEFAULT 'd')"
        )
        yield found


def history(chance, length=40):
    """Messages that are possible where they stand: only a row that is there gets another key, one that is free."""
    there, found = set(), []
    for _ in range(length):
        key, kind = chance.randint(1, 6), chance.random()
        values = [chance.choice((ABSENT, None, "x", "y")) for _ in "ab"]
        if kind < 0.04:
            found.append((TRUNCATE, (ABSENT,) * 3, None))
            there.clear()
        elif kind < 0.2:
            found.append((DELETE, (str(key), ABSENT, ABSENT), None))
            there.discard(key)
        elif kind < 0.35 and key in there and (new := chance.randint(1, 6)) not in there:
            found.append((UPSERT, (str(new), *values), (str(key),)))
            there.discard(key)
            there.add(new)
        else:
            found.append((UPSERT, (str(key), *values), None))
            there.add(key)
    return found


def model(log):
    rows = {}
    for op, row, former in log:
        if op == TRUNCATE:
            rows.clear()
            continue
        before = rows.pop(row[0] if former is None else former[0], ("d", "d", "d"))
        if op == UPSERT:
            rows[row[0]] = tuple(old if new is ABSENT else new for old, new in zip(before, row, strict=True))
    return sorted((int(key), *row[1:]) for key, row in rows.items())


def changes(shape, some, first):
    nothing = [None] * len(some)
    received = Received(
        ["t"] * len(some), [0] * len(some), range(first, first + len(some)), nothing, nothing, [()] * len(some), nothing
    )
    found = TableChanges(shape)
    for at, (op, row, former) in enumerate(some):
        found.ops.append(op)
        found.rows.append(row)
        found.places.append(at)
        if former is not None:
            found.moved[at] = former
    return Changes(received, {"t": found})


def run(world, log, size):
    """Deliver what lies above the saved position, as a run does."""
    shape = world.shape()
    made = AppliedDelivery("s", LEASE, target=world.target, positions=TargetPositions(world.target.engine, "dwh"))
    made.load()
    made.begin({})
    for first in range(int((made.values or ("0",))[0]), len(log), size):
        some = log[first : first + size]
        after = Watermark((str(first + len(some)),), None, {})
        made.deliver(Batch(NOTHING, some, len(some), after, "c"), changes(shape, some, first))
    return made.delivered


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_the_table_equals_the_model(world, size):
    for seed in range(COUNT):
        log = [(TRUNCATE, (ABSENT,) * 3, None), *history(random.Random(seed * 1_000 + size))]
        half = run(world, log[:20], size)
        rest = run(world, log, size)
        assert half.rejected == rest.rejected == 0, seed
        assert half.rows + rest.rows == len(log)
        assert world.rows() == model(log), seed
        TargetPositions(world.target.engine, "dwh").forget("s")
