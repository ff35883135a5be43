"""Drains of an outbox, and the incremental query over the same rows, as supervised tasks with the default store."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.benchmarks.case import Case, Result, counted
from tests.benchmarks.outbox.tables import AGGREGATE
from tests.benchmarks.world import World

_WARM_UP_ROWS = 100_000


def drain(world: World, rows: int, database: str, **arguments: Any) -> Result:
    """One pass of `OutboxDrainOperator` over the copy that was prepared; its clock is the report's."""
    found, topic = run_drain(world, database, **arguments)
    report = found["report"]
    if (report["events"], report["backlog"]["rows"]) != (rows, 0):
        raise RuntimeError(f"{rows} rows were to be drained, the report says {report}")
    counted(world, topic, rows)
    return _result(rows, found)


def run_drain(world: World, database: str, **arguments: Any) -> tuple[dict[str, Any], str]:
    """Drain the copy that was prepared; return what the task measured, and the topic of its rows."""
    table, prefix = world.outboxes(database).ready, world.topics.name()
    topic = world.topics.make(f"{prefix}.{AGGREGATE}")
    arguments = {"table": table.name, "topic": f"{prefix}.{{aggregate_type}}", **arguments}
    [found] = world.in_airflow(table.connection, {"kind": "drain", "arguments": arguments})
    return found, topic


def query(world: World, rows: int, database: str) -> Result:
    """A first run of `IncrementalQueryOperator` over the same rows, by their ids, with its default envelope."""
    table, topic = world.outboxes(database).ready, world.topics.make()
    arguments = {"table": table.name, "watermark_columns": ["id"], "topic": topic}
    [found] = world.in_airflow(table.connection, {"kind": "ids", "arguments": arguments})
    report = found["report"]
    if (report["events"], report["target_reached"]) != (rows, True):
        raise RuntimeError(f"{rows} rows were to be sent, the report says {report}")
    counted(world, topic, rows)
    return _result(rows, found)


def warm_up(world: World) -> None:
    """Let the broker's Java compile what it will run."""
    for run in (query, drain):
        world.outboxes("postgres18").prepare("thousands", _WARM_UP_ROWS)
        run(world, _WARM_UP_ROWS, "postgres18")


def _result(rows: int, found: dict[str, Any]) -> Result:
    extra = {"execute_seconds": found["execute_seconds"], "bytes": found["report"]["bytes"]}
    return Result(rows, found["report"]["seconds"], found["cpu"], found["rss_mb"], extra=extra)


def prepared(database: str, kind: str) -> Any:
    """Return what prepares a case: a copy of an outbox."""
    return lambda world, rows: world.outboxes(database).prepare(kind, rows)


def _case(name: str, title: str, run: Any, database: str, kind: str = "thousands", **arguments: Any) -> Case:
    return Case(name, title, partial(run, database=database, **arguments), database, prepared(database, kind))


QUERY, DRAIN = "ids-postgres18", "delete-postgres18"
SINGLES, MARK = "singles-postgres18", "mark-postgres18"
MARIADB_QUERY, MARIADB_DRAIN = "ids-mariadb11", "delete-mariadb11"

CASES = [
    _case(QUERY, "`IncrementalQueryOperator` by id, PostgreSQL", query, "postgres18"),
    _case(DRAIN, '**drain, PostgreSQL**, `after_publish="delete"`', drain, "postgres18"),
    _case(SINGLES, "drain, PostgreSQL, `delete`, each row by a transaction of its own", drain, "postgres18", "singles"),
    _case(MARK, "drain, PostgreSQL, `mark`", drain, "postgres18", "marked", after_publish="mark"),
    _case(MARIADB_QUERY, "`IncrementalQueryOperator` by id, MariaDB", query, "mariadb11"),
    _case(MARIADB_DRAIN, "drain, MariaDB, `delete`", drain, "mariadb11"),
]
