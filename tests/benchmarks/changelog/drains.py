"""Our operator over the log, and `IncrementalQueryOperator` over the same rows, as supervised tasks."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.benchmarks import operators
from tests.benchmarks.case import Case, Result, counted
from tests.benchmarks.changelog.logged import OURS, TRANSACTION_ROWS
from tests.benchmarks.changelog.world import LOGGED, MARIADB, LogWorld
from tests.benchmarks.legacy.base import Table


class Stream:
    """A stream that was begun on the empty table.

    Attributes:
        slot: its name; None where there is none.
        arguments: of the operator.
        topic: where its events go.
    """

    def __init__(self, world: LogWorld, table: Table, on: str = LOGGED, **arguments: Any) -> None:
        logged, prefix = world.logged(on), world.topics.name()
        schema = logged.schema(table)
        self._task = f"publish_{uuid.uuid4().hex[:8]}"
        self.topic = world.topics.make(f"{prefix}.{schema}.{table.name}")
        self.arguments = {
            "tables": [f"{schema}.{table.name}"],
            "topic": f"{prefix}.{{schema}}.{{table}}",
            "first_run": "now",
            **logged.arguments(),
            **arguments,
        }
        self.slot = self.arguments.get("slot")
        self.run(world, table)

    def run(self, world: LogWorld, table: Table, **specification: Any) -> list[dict[str, Any]]:
        """Run it once; return what the task measured."""
        specification = {"kind": "changelog", "task": self._task, "arguments": self.arguments, **specification}
        return world.in_airflow(table.connection, specification)


def prepare(world: LogWorld, rows: int, reader: str, on: str = LOGGED, size: int = TRANSACTION_ROWS) -> None:
    """Write the rows, unless this reader has not read those that are there."""
    logged = world.logged(on)

    def begin(table: Table) -> None:
        logged.stream = Stream(world, table, on)

    logged.ready(reader, rows, size, begin)


def drain(world: LogWorld, rows: int, on: str = LOGGED) -> Result:
    """A run from a place that lies before the rows; its clock is the report's, which begins before it connects."""
    logged = world.logged(on)
    table, stream = logged.written, logged.stream
    with logged.watch(table, stream.slot) as sender:
        [found] = stream.run(world, table)
    report = found["report"]
    if (report["events"], report["target_reached"]) != (rows, True):
        raise RuntimeError(f"{rows} rows were to be sent, the report says {report}")
    counted(world, stream.topic, rows)
    extra = {"execute_seconds": found["execute_seconds"], "bytes": report["bytes"], "sender": sender.cpu}
    return Result(rows, report["seconds"], found["cpu"], found["rss_mb"], extra=extra)


def query(world: LogWorld, rows: int, on: str = LOGGED) -> Result:
    """A first run of the query over the table that the log is of."""
    topic = world.topics.make()
    found = operators.run_query(world, world.logged(on).written, topic, header=True)
    counted(world, topic, rows)
    return Result(rows, found["report"]["seconds"], found["cpu"], found["rss_mb"])


def written(world: LogWorld, rows: int, on: str = LOGGED) -> None:
    """Write the rows if there are none, and leave them for those who read the log."""
    logged = world.logged(on)
    if not logged.holds(rows, TRANSACTION_ROWS):
        first = logged.readers[0]
        prepare(world, rows, first, on)
        logged.unread(first)


DRAIN, QUERY = "changelog", "query"
BINLOG, BINLOG_QUERY, BINLOG_ONE = "binlog", "binlog-query", "binlog-one"
_TITLE = "**`ChangeLogDrainOperator`**"


def _prepared(on: str) -> Callable[[Any, int], None]:
    return partial(prepare, reader=OURS, on=on)


def _prepared_in_one(world: Any, rows: int) -> None:
    """The same rows in one transaction, which nobody else reads."""
    prepare(world, rows, OURS, MARIADB, rows)


CASES = [
    Case(DRAIN, _TITLE, drain, LOGGED, _prepared(LOGGED)),
    Case(QUERY, "`IncrementalQueryOperator`, the same rows from the table", query, LOGGED, written),
]
BINLOG_CASES = [
    Case(BINLOG, f"{_TITLE}, MariaDB", partial(drain, on=MARIADB), MARIADB, _prepared(MARIADB)),
    Case(
        BINLOG_QUERY,
        "`IncrementalQueryOperator`, MariaDB, the same rows from the table",
        partial(query, on=MARIADB),
        MARIADB,
        partial(written, on=MARIADB),
    ),
    Case(BINLOG_ONE, f"{_TITLE}, MariaDB, in one transaction", partial(drain, on=MARIADB), MARIADB, _prepared_in_one),
]
