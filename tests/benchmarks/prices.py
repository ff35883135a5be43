"""What single features cost, each beside the same run without it, in turn."""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from tests.benchmarks.case import counted
from tests.benchmarks.delay import delayed
from tests.benchmarks.legacy.base import CONN_ID, Table
from tests.benchmarks.operators import run_query
from tests.benchmarks.world import World
from tests.services.base import free_port
from tests.services.kafka import Kafka

ROUNDS, ROWS = 3, 200_000
WIDE_ROWS, LARGE_ROWS = 50_000, 300
LATENCY_MS = 5
STORES = ("variable", f"table:{CONN_ID}", "asset", "xcom")


def table(world: World) -> str:
    """Measure all prices; return them as a table."""
    postgres = world.legacy("postgres")
    orders, wide, large = (
        postgres.table(kind, rows) for kind, rows in (("orders", ROWS), ("wide", WIDE_ROWS), ("large", LARGE_ROWS))
    )
    lines = ["| what | without, rows/s | with, rows/s | price |", "|---|---|---|---|"]
    plain = _rate(world, orders)
    lines.append(_line("the version in the event id", _rate(world, orders, versioned=False), plain))
    with ExitStack() as opened:
        slow = opened.enter_context(delayed(int(orders.connection["port"]), LATENCY_MS))
        far = Table({**orders.connection, "port": slow}, orders.url, orders.dsn, orders.rows)
        lines.append(_line(f"{LATENCY_MS} ms to the database", plain, _rate(world, far)))
    with ExitStack() as opened:
        far_world = _far_broker(world, opened)
        lines.append(_line(f"{LATENCY_MS} ms to the broker", plain, _rate(far_world, orders)))
    lines.append(f"| rows of 100 columns | | {_rate(world, wide):,.0f} | |")
    rate = _rate(world, large)
    lines.append(f"| rows of 1 MB | | {rate:,.0f} | {rate:,.0f} MB/s |")
    return "\n".join([*lines, "", "| a save in the store | median |", "|---|---|", *_saves(world, orders)])


def _rate(world: World, rows: Table, *, versioned: bool = True) -> float:
    """Rows a second, the median of some runs."""
    return statistics.median(_once(world, rows, versioned) for _ in range(ROUNDS))


def _once(world: World, rows: Table, versioned: bool) -> float:
    topic = world.topics.make()
    found = run_query(world, rows, topic, header=True, versioned=versioned)
    counted(world, topic, rows.rows)
    return rows.rows / found["report"]["seconds"]


def _far_broker(world: World, opened: ExitStack) -> World:
    """The same legacy databases, and a broker that is only reached through a delay."""
    near, far = free_port(), free_port()
    opened.enter_context(delayed(near, LATENCY_MS, far))
    kafka = Kafka(shared=False, port=near, advertised=far)
    opened.callback(kafka.stop)
    return world.beside(kafka)


def _line(what: str, without: float, with_it: float) -> str:
    return f"| {what} | {without:,.0f} | {with_it:,.0f} | {1 - with_it / without:.0%} |"


def _saves(world: World, rows: Table) -> list[str]:
    lines = []
    for store in STORES:
        [found] = world.in_airflow(rows.connection, {"kind": "saves", "store": store, "facts": {"topic": "t"}})
        lines.append(f"| `{store.partition(':')[0]}` | {found['save_ms']:.1f} ms |")
    return lines
