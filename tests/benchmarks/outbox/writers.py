"""How long the application waits for its inserts into an outbox, alone and while the outbox is drained."""

from __future__ import annotations

import statistics
import threading
import time
from typing import Any, Self

import psycopg

from tests.benchmarks.case import Case, Result, counted
from tests.benchmarks.legacy.base import Table
from tests.benchmarks.outbox.drains import prepared, run_drain
from tests.benchmarks.world import World

WRITERS, PER_SECOND = 4, 100
_ALONE_SECONDS = 10.0
_INSERT = "INSERT INTO {} (aggregatetype, aggregateid, type, payload) VALUES ('order', '17', 'OrderPaid', %s)"
_PAYLOAD = '{"note": "' + "x" * 300 + '"}'


class Writers:
    """Connections that each insert so many rows a second, each row by a transaction of its own, while this lasts."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._over = threading.Event()
        self._found: list[tuple[float, float]] = []
        self._threads = [threading.Thread(target=self._write, daemon=True) for _ in range(WRITERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def milliseconds(self, begin: float, end: float) -> list[float]:
        """Return how long each insert took that was begun between two times of the clock."""
        return sorted(seconds * 1_000 for at, seconds in list(self._found) if begin <= at <= end)

    def _write(self) -> None:
        statement = _INSERT.format(self._table.name)
        with psycopg.connect(self._table.dsn, autocommit=True) as connection:
            due = time.monotonic()
            while not self._over.wait(max(0.0, due - time.monotonic())):
                due += 1 / PER_SECOND
                at, started = time.time(), time.perf_counter()
                connection.execute(statement.encode(), (_PAYLOAD,))
                self._found.append((at, time.perf_counter() - started))


def latency(world: World, rows: int) -> Result:
    """Inserts alone, then while a drain works off a backlog of `rows`."""
    with Writers(world.outboxes("postgres18").ready) as writers:
        began = time.time()
        time.sleep(_ALONE_SECONDS)
        alone = writers.milliseconds(began, time.time())
        found, topic = run_drain(world, "postgres18")
    report, ended = found["report"], found["ended"]
    beside = writers.milliseconds(ended - report["seconds"], ended)
    counted(world, topic, report["events"])
    extra = {"alone": _told(alone), "beside": _told(beside)}
    return Result(report["events"], report["seconds"], extra=extra)


def _told(milliseconds: list[float]) -> dict[str, Any]:
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return {"inserts": len(milliseconds), "p50": cuts[49], "p99": cuts[98]}


CASE = Case("writers-postgres18", "writers beside a drain", latency, "postgres18", prepared("postgres18", "thousands"))
