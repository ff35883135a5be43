"""The legacy shop: a SQLite file as an old application would leave it."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

ORDERS = 5_000
_SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers,
    status TEXT NOT NULL,
    total_cents INTEGER NOT NULL,
    note TEXT,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX orders_updated ON orders (updated_at, id);
"""
_FIRST = ("Ada", "Jürgen", "Chiara", "Olek", "Zoë", "Mert", "Inês", "Noah")
_LAST = ("Berg", "D'Souza", "Ødegård", "Novák", "Rossi", "Yılmaz", "Smith")
_CITIES = ("Lübeck", "Porto", "Gdańsk", "Bergen", None)
_STATUS = ("new", "paid", "shipped", "delivered", "cancelled")
_NOTES = (None, None, "gift wrap, please", 'the customer said: "by Friday"', "leave at the neighbour's")


def build(path: Path) -> None:
    """Write the shop with a few thousand orders of the last weeks."""
    path.unlink(missing_ok=True)
    dice = random.Random(7)  # noqa: S311  the same shop every time
    with closing(sqlite3.connect(path)) as shop, shop:
        shop.executescript(_SCHEMA)
        people = [(f"{dice.choice(_FIRST)} {dice.choice(_LAST)}", dice.choice(_CITIES)) for _ in range(400)]
        shop.executemany("INSERT INTO customers (name, city) VALUES (?, ?)", people)
        rows = [
            (dice.randint(1, 400), dice.choice(_STATUS), dice.randint(199, 99_900), dice.choice(_NOTES), -at * 311)
            for at in range(ORDERS, 0, -1)
        ]
        shop.executemany(
            "INSERT INTO orders (customer_id, status, total_cents, note, updated_at)"
            " VALUES (?, ?, ?, ?, strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds'))",
            rows,
        )


def work(path: Path) -> dict[str, tuple[str, str]]:
    """Simulate the old application; return the status of each order before and after, by its id."""
    now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    with closing(sqlite3.connect(path)) as shop, shop:
        before = dict(shop.execute("SELECT id, status FROM orders WHERE id IN (17, 4711)"))
        shop.execute(f"UPDATE orders SET status = 'refunded', updated_at = {now} WHERE id = 17")  # noqa: S608
        shop.execute(f"UPDATE orders SET status = 'returned', note = NULL, updated_at = {now} WHERE id = 4711")  # noqa: S608
        new = order(shop)
    return {"17": (before[17], "refunded"), "4711": (before[4711], "returned"), str(new): ("", "new")}


def order(shop: sqlite3.Connection) -> int:
    """Insert an incoming order; return its id."""
    statement = (
        "INSERT INTO orders (customer_id, status, total_cents, note, updated_at)"
        " VALUES (42, 'new', 2499, 'für Zoë', strftime('%Y-%m-%d %H:%M:%f', 'now'))"
    )
    return int(shop.execute(statement).lastrowid or 0)
