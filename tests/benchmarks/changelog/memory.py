"""One transaction of many rows: memory must not grow with it, and a run killed inside it goes on inside it."""

from __future__ import annotations

from functools import partial

from tests.benchmarks.budgets import Budget
from tests.benchmarks.case import Case, Result, counted
from tests.benchmarks.changelog import killed
from tests.benchmarks.changelog.drains import Stream
from tests.benchmarks.changelog.world import LOGGED, LogWorld

_SIZES = {"100k": 100_000, "1m": 1_000_000}
_LONG = {"5m": 5_000_000}
_FEW, _MANY, _MOST = (f"transaction-{size}" for size in (*_SIZES, *_LONG))


def _write(world: LogWorld, _: int, size: int) -> None:
    world.stream = Stream(world, world.logged.empty())
    world.logged.write(size, size)


def _run(world: LogWorld, _: int, size: int) -> Result:
    stream = world.stream
    [found] = stream.run(world, world.logged.opened_last(size))
    report = found["report"]
    if (report["events"], report["target_reached"]) != (size, True):
        raise RuntimeError(f"{size} rows were to be sent, the report says {report}")
    counted(world, stream.topic, size)
    return Result(size, report["seconds"], found["cpu"], found["rss_mb"])


def _case(name: str, size: int) -> Case:
    title = f"one transaction of {size:,} rows"
    return Case(f"transaction-{name}", title, partial(_run, size=size), LOGGED, partial(_write, size=size))


_KILLED = Case(
    "killed-1m",
    "the same of 1,000,000 rows, killed at half: the next run",
    partial(killed.run, size=1_000_000),
    LOGGED,
    partial(_write, size=1_000_000),
)
CASES = [*(_case(*one) for one in _SIZES.items()), _KILLED]
LONG_CASES = [*CASES, *(_case(*one) for one in _LONG.items())]


def _memory(name: str, rows: str) -> Budget:
    title = f"memory beyond Airflow, one transaction of {rows} rows"
    return Budget(title, (name,), lambda one: one[name].rss_mb or 0.0, 120, 90, "{:.0f} MB", low=True)


def _growth(name: str, rows: str) -> Budget:
    return Budget(
        f"memory, one transaction of {rows} rows against 100 k",
        (name, _FEW),
        lambda one: (one[name].rss_mb or 0.0) / (one[_FEW].rss_mb or 1.0),
        1.1,
        1.0,
        low=True,
    )


def _repeated(one: dict[str, Result]) -> float:
    return float((one["killed-1m"].extra or {})["repeated"])


BUDGETS = [
    _memory(_FEW, "100 k"),
    _memory(_MANY, "1 M"),
    _growth(_MANY, "1 M"),
    Budget("rows repeated after a kill at half of 1 M", ("killed-1m",), _repeated, 30_000, 20_000, "{:,.0f}", low=True),
    _memory(_MOST, "5 M"),
    _growth(_MOST, "5 M"),
]
