"""Memory must not grow with the rows, nor with ties."""

from __future__ import annotations

from functools import partial

from tests.benchmarks.case import Case, Result
from tests.benchmarks.legacy import DATABASES
from tests.benchmarks.operators import query
from tests.benchmarks.world import World

_SIZES = {"500k": ("orders", 500_000), "5m": ("orders", 5_000_000), "ties": ("ties", 2_000_000)}


def _run(world: World, rows: int, database: str, kind: str, own_rows: int) -> Result:
    return query(world, own_rows, database, header=True, kind=kind)


CASES = [
    Case(
        f"memory-{name}-{size}",
        f"memory, {name}, {size}",
        partial(_run, database=name, kind=kind, own_rows=rows),
        name,
    )
    for name in DATABASES
    for size, (kind, rows) in _SIZES.items()
]
