"""What an outbox costs the application: an insert alone, with a row of the outbox beside it, and with the trigger."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import psycopg

from tests.benchmarks.case import Case, Result
from tests.benchmarks.legacy.base import CONN_ID, Table
from tests.benchmarks.world import World

TRANSACTIONS, _BLOCK = 6_000, 200
_ORDERS = """
CREATE TABLE {name} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL,
  amount numeric(12,2) NOT NULL, note text, updated_at timestamptz NOT NULL DEFAULT now())
"""
_COLUMNS = "id,customer_id,status,amount,note,updated_at"
_INSERT = "INSERT INTO {} (customer_id, status, amount, note) VALUES (17, 'PAID', 19.90, %s)"
_EVENT = "INSERT INTO {} (aggregatetype, aggregateid, type, payload) VALUES ('order', '17', 'OrderPaid', %s)"
_NOTE = "note " + "x" * 200
_PAYLOAD = '{"customer_id": 17, "status": "PAID", "amount": "19.90", "note": "' + "x" * 250 + '"}'


def prices(world: World, _: int) -> Result:
    """Transactions of each form, in turn, a block at a time."""
    table = world.outboxes("postgres18").ready
    with psycopg.connect(table.dsn, autocommit=True) as application:
        for name in ("orders", "orders_beside", "orders_captured"):
            application.execute(_ORDERS.format(name=name).encode())
        application.execute(_trigger(world, table).encode())
        forms: dict[str, Callable[[], Any]] = {
            "alone": lambda: application.execute(_INSERT.format("orders").encode(), (_NOTE,)),
            "beside": lambda: _both(application, table),
            "trigger": lambda: application.execute(_INSERT.format("orders_captured").encode(), (_NOTE,)),
        }
        began = time.perf_counter()
        found = {name: list[float]() for name in forms}
        for _ in range(TRANSACTIONS // _BLOCK):
            for name, insert in forms.items():
                found[name].append(_block(application, insert))
        seconds = time.perf_counter() - began
        [(events,)] = application.execute(f"SELECT count(*) FROM {table.name}".encode()).fetchall()
    if events != 2 * TRANSACTIONS:
        raise RuntimeError(f"{2 * TRANSACTIONS} events were to be in the outbox, there are {events}")
    extra = {name: statistics.median(every) for name, every in found.items()}
    return Result(len(forms) * TRANSACTIONS, seconds, extra=extra)


def _block(application: psycopg.Connection[Any], insert: Callable[[], Any]) -> float:
    """Return microseconds of one transaction."""
    started = time.perf_counter()
    for _ in range(_BLOCK):
        with application.transaction():
            insert()
    return (time.perf_counter() - started) / _BLOCK * 1e6


def _both(application: psycopg.Connection[Any], table: Table) -> None:
    application.execute(_INSERT.format("orders_beside").encode(), (_NOTE,))
    application.execute(_EVENT.format(table.name).encode(), (_PAYLOAD,))


def _trigger(world: World, table: Table) -> str:
    """Return what the command prints for the table whose inserts are captured."""
    words = ["legacy-events", "outbox", "trigger", "orders_captured", "--source-conn-id", CONN_ID]
    return world.airflow_prints(table.connection, [*words, "--columns", _COLUMNS, "--outbox", table.name])


CASE = Case(
    "inserts-postgres18",
    "what an insert costs",
    prices,
    "postgres18",
    lambda world, _: world.outboxes("postgres18").prepare("empty", 0),
)
