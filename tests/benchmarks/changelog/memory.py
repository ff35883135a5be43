"""One transaction of many rows: memory must not grow with it, and a run killed inside it goes on inside it."""

from __future__ import annotations

from functools import partial

from tests.benchmarks.budgets import Budget
from tests.benchmarks.case import Case, Result, counted
from tests.benchmarks.changelog import killed
from tests.benchmarks.changelog.drains import Stream
from tests.benchmarks.changelog.world import LOGGED, MARIADB, LogWorld

_SIZES = {"100k": 100_000, "1m": 1_000_000}
_LONG = {"5m": 5_000_000}
_PREFIXES = {LOGGED: "", MARIADB: "binlog-"}
_NAMES = {LOGGED: "", MARIADB: "MariaDB, "}


def _write(world: LogWorld, _: int, size: int, on: str) -> None:
    logged = world.logged(on)
    logged.stream = Stream(world, logged.empty(), on)
    logged.write(size, size)


def _run(world: LogWorld, _: int, size: int, on: str) -> Result:
    logged = world.logged(on)
    [found] = logged.stream.run(world, logged.opened_last(size))
    report = found["report"]
    if (report["events"], report["target_reached"]) != (size, True):
        raise RuntimeError(f"{size} rows were to be sent, the report says {report}")
    counted(world, logged.stream.topic, size)
    return Result(size, report["seconds"], found["cpu"], found["rss_mb"])


def _case(on: str, name: str, size: int) -> Case:
    title = f"{_NAMES[on]}one transaction of {size:,} rows"
    run, write = partial(_run, size=size, on=on), partial(_write, size=size, on=on)
    return Case(f"{_PREFIXES[on]}transaction-{name}", title, run, on, write)


def _killed(on: str) -> Case:
    title = f"{_NAMES[on]}the same of 1,000,000 rows, killed at half: the next run"
    run, write = partial(killed.run, size=1_000_000, on=on), partial(_write, size=1_000_000, on=on)
    return Case(f"{_PREFIXES[on]}killed-1m", title, run, on, write)


CASES = [case for on in _PREFIXES for case in (*(_case(on, *one) for one in _SIZES.items()), _killed(on))]
LONG_CASES = [*CASES, *(_case(on, *one) for on in _PREFIXES for one in _LONG.items())]


def _memory(on: str, size: str, rows: str) -> Budget:
    name, title = f"{_PREFIXES[on]}transaction-{size}", f"{_NAMES[on]}memory beyond Airflow, one transaction of {rows}"
    return Budget(f"{title} rows", (name,), lambda one: one[name].rss_mb or 0.0, 120, 90, "{:.0f} MB", low=True)


def _growth(on: str, size: str, rows: str) -> Budget:
    name, few = (f"{_PREFIXES[on]}transaction-{one}" for one in (size, "100k"))
    return Budget(
        f"{_NAMES[on]}memory, one transaction of {rows} rows against 100 k",
        (name, few),
        lambda one: (one[name].rss_mb or 0.0) / (one[few].rss_mb or 1.0),
        1.1,
        1.0,
        low=True,
    )


def _repeated(on: str) -> Budget:
    name = f"{_PREFIXES[on]}killed-1m"
    return Budget(
        f"{_NAMES[on]}rows repeated after a kill at half of 1 M",
        (name,),
        lambda one: float((one[name].extra or {})["repeated"]),
        30_000,
        20_000,
        "{:,.0f}",
        low=True,
    )


def _budgets(on: str) -> list[Budget]:
    many = [_memory(on, "1m", "1 M"), _growth(on, "1m", "1 M"), _repeated(on)]
    return [_memory(on, "100k", "100 k"), *many, _memory(on, "5m", "5 M"), _growth(on, "5m", "5 M")]


BUDGETS = [one for on in _PREFIXES for one in _budgets(on)]
