"""Our operator over the log, and `IncrementalQueryOperator` over the same rows, as supervised tasks."""

from __future__ import annotations

import uuid
from typing import Any

from tests.benchmarks import operators
from tests.benchmarks.case import Case, Result, counted
from tests.benchmarks.changelog.sender import Sender
from tests.benchmarks.changelog.tables import OURS, READERS, TRANSACTION_ROWS
from tests.benchmarks.changelog.world import LOGGED, LogWorld
from tests.benchmarks.legacy.base import Table

_SCHEMA = "public"


class Stream:
    """A stream that was begun on the empty table.

    Attributes:
        slot: its name.
        arguments: of the operator.
        topic: where its events go.
    """

    def __init__(self, world: LogWorld, table: Table, **arguments: Any) -> None:
        self.slot = f"ours_{uuid.uuid4().hex[:8]}"
        prefix = world.topics.name()
        self.topic = world.topics.make(f"{prefix}.{_SCHEMA}.{table.name}")
        self.arguments = {
            "tables": [f"{_SCHEMA}.{table.name}"],
            "slot": self.slot,
            "topic": f"{prefix}.{{schema}}.{{table}}",
            "first_run": "now",
            **arguments,
        }
        self.run(world, table)

    def run(self, world: LogWorld, table: Table, **specification: Any) -> list[dict[str, Any]]:
        """Run it once; return what the task measured."""
        specification = {"kind": "changelog", "arguments": self.arguments, **specification}
        return world.in_airflow(table.connection, specification)


def prepare(world: LogWorld, reader: str, rows: int, size: int = TRANSACTION_ROWS) -> None:
    """Write the rows, unless this reader has not read those that are there."""

    def begin(table: Table) -> None:
        world.stream = Stream(world, table)

    world.logged.ready(reader, rows, size, begin)


def drain(world: LogWorld, rows: int) -> Result:
    """A run from a slot that was made before the rows; its clock is the report's, which begins before it connects."""
    table, stream = world.logged.written, world.stream
    with Sender(table.dsn, stream.slot) as sender:
        [found] = stream.run(world, table)
    report = found["report"]
    if (report["events"], report["target_reached"]) != (rows, True):
        raise RuntimeError(f"{rows} rows were to be sent, the report says {report}")
    counted(world, stream.topic, rows)
    extra = {"execute_seconds": found["execute_seconds"], "bytes": report["bytes"], "sender": sender.cpu}
    return Result(rows, report["seconds"], found["cpu"], found["rss_mb"], extra=extra)


def query(world: LogWorld, rows: int) -> Result:
    """A first run of the query over the table that the log is of."""
    topic = world.topics.make()
    found = operators.run_query(world, world.logged.written, topic, header=True)
    counted(world, topic, rows)
    return Result(rows, found["report"]["seconds"], found["cpu"], found["rss_mb"])


def written(world: LogWorld, rows: int) -> None:
    """Write the rows if there are none, and leave them for those who read the log."""
    if not world.logged.holds(rows, TRANSACTION_ROWS):
        prepare(world, READERS[0], rows)
        world.logged.unread(READERS[0])


DRAIN, QUERY = "changelog", "query"
CASES = [
    Case(DRAIN, "**`ChangeLogDrainOperator`**", drain, LOGGED, lambda world, rows: prepare(world, OURS, rows)),
    Case(QUERY, "`IncrementalQueryOperator`, the same rows from the table", query, LOGGED, written),
]
