"""Operators inside Airflow: ours over each legacy database, and the one of the Kafka provider."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.benchmarks.case import Case, Result, counted
from tests.benchmarks.legacy import DATABASES
from tests.benchmarks.legacy.base import Table
from tests.benchmarks.world import World

POLLS = 20
_MOST_ROWS = {True: 20_000, False: 100_000}


def run_query(
    world: World, table: Table, topic: str, *, header: bool, versioned: bool = True, **arguments: Any
) -> dict[str, Any]:
    """Send a table as a first run does; return what the task measured."""
    arguments = {"topic": topic, **arguments}
    specification = {"kind": "query", "header": header, "versioned": versioned, "arguments": arguments}
    [found] = world.in_airflow(table.connection, specification)
    report = found["report"]
    if (report["events"], report["target_reached"]) != (table.rows, True):
        raise RuntimeError(f"{table.rows} rows were to be sent, the report says {report}")
    return found


def query(world: World, rows: int, database: str, header: bool, kind: str = "orders", **arguments: Any) -> Result:
    """A first run of `IncrementalQueryOperator` with the default store; its clock is the report's."""
    table = world.legacy(database).table(kind, rows)
    topic = world.topics.make()
    found = run_query(world, table, topic, header=header, **arguments)
    report = found["report"]
    counted(world, topic, rows)
    extra = {"execute_seconds": found["execute_seconds"], "bytes": report["bytes"]}
    return Result(rows, report["seconds"], found["cpu"], found["rss_mb"], extra=extra)


def produce(world: World, rows: int, synchronous: bool, log_level: str) -> Result:
    """`ProduceToTopicOperator` over a typed cursor; few rows, its clock is around `execute`."""
    wanted = min(rows, _MOST_ROWS[synchronous])
    table = world.legacy("postgres").table("orders", rows)
    topic = world.topics.make()
    arguments = {"topic": topic, "synchronous": synchronous, "producer_function_args": [table.url, wanted]}
    specification = {"kind": "produce", "arguments": arguments, "log_level": log_level}
    [found] = world.in_airflow(table.connection, specification)
    counted(world, topic, wanted)
    return Result(wanted, found["execute_seconds"], found["cpu"], found["rss_mb"])


def poll(world: World, rows: int, database: str) -> Result:
    """Runs that find nothing new; the first one, which delivers the table, does not count."""
    legacy = world.legacy(database)
    table, topic = legacy.table("orders", rows), world.topics.make()
    specification = {"kind": "poll", "header": True, "arguments": {"topic": topic}, "runs_in_process": POLLS + 1}
    specification |= {"server": legacy.pid, "url": table.url}
    found = world.in_airflow(table.connection, specification)[1:]
    if any(one["report"]["rows"] or not one["report"]["watermark_from"] for one in found):
        raise RuntimeError(f"a quiet poll found rows: {found}")
    counted(world, topic, rows)
    calls = {name: _median([one["calls"].get(name, 0.0) * 1000 for one in found]) for name in found[0]["calls"]}
    inside = _median([sum(one["calls"].values()) for one in found])
    before, after = found[0]["server"][0], found[-1]["server"][1]
    extra = {
        "server_ms": None if before is None else (after - before) / len(found) * 1000,
        "session_ms": _median([one["session"] for one in found]) * 1000,
        "source_ms": _median([one["answers"] for one in found]) * 1000,
        "inside_ms": inside * 1000,
        "relay_ms": _median([one["report"]["seconds"] for one in found]) * 1000,
        "execute_ms": _median([one["execute_seconds"] for one in found]) * 1000,
        "cpu_ms": _median([one["cpu"] for one in found]) * 1000,
        "calls_ms": calls,
    }
    return Result(1, inside, extra=extra)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _ours(name: str) -> list[Case]:
    return [
        Case(f"{name}", f"**ours, {name}**, no header", partial(query, database=name, header=False), name),
        Case(f"{name}-header", f"**ours, {name}**", partial(query, database=name, header=True), name),
    ]


def _theirs(name: str, title: str, *, synchronous: bool, log_level: str) -> Case:
    run = partial(produce, synchronous=synchronous, log_level=log_level)
    return Case(name, f"`ProduceToTopicOperator`, {title}", run, "postgres")


CASES = [
    *(case for name in DATABASES for case in _ours(name)),
    _theirs("produce-async", "asynchronous, its log at WARNING", synchronous=False, log_level="WARNING"),
    _theirs("produce-sync-quiet", "synchronous, its log at WARNING", synchronous=True, log_level="WARNING"),
    _theirs("produce-sync", "default: synchronous, its log at INFO", synchronous=True, log_level="INFO"),
]
POLL_CASES = [Case(f"poll-{name}", f"quiet poll, {name}", partial(poll, database=name), name) for name in DATABASES]
