"""SQLite: a file."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.benchmarks.legacy.base import Table
from tests.services.base import cache

_SERIES = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
_TIME = "strftime('%Y-%m-%d %H:%M:%f', '2026-01-01', '+' || ({seconds}) || ' seconds')"
_ORDERS = f"""
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status TEXT NOT NULL,
 amount DECIMAL(12,2) NOT NULL, currency TEXT NOT NULL, created_at TIMESTAMPTZ NOT NULL,
 updated_at TIMESTAMPTZ NOT NULL, note TEXT, attrs JSON);
{_SERIES} INSERT INTO orders SELECT i, abs(random()) % 500000,
 CASE i % 5 WHEN 0 THEN 'NEW' WHEN 1 THEN 'PAID' WHEN 2 THEN 'SHIPPED' WHEN 3 THEN 'DELIVERED' ELSE 'CANCELLED' END,
 printf('%.2f', abs(random()) % 1000000 / 100.0),
 CASE i % 4 WHEN 0 THEN 'EUR' WHEN 1 THEN 'USD' WHEN 2 THEN 'GBP' ELSE 'JPY' END,
 {_TIME.format(seconds="i * 2")} || '000+00', {{updated_at}} || '000+00',
 CASE WHEN i % 50 = 0 THEN NULL
      WHEN i % 97 = 0 THEN 'customer said "d\u00e9j\u00e0 vu"\\back, line' || char(10) || lower(hex(randomblob(16)))
      ELSE 'note ' || lower(hex(randomblob(16))) || ' lorem ipsum dolor sit' END,
 json_object('channel', CASE i % 3 WHEN 0 THEN 'web' WHEN 1 THEN 'app' ELSE 'pos' END, 'items', 1 + i % 7,
             'gift', json(CASE WHEN i % 10 = 0 THEN 'true' ELSE 'false' END), 'coupon', 'C' || (i % 1000)) FROM n;
CREATE INDEX orders_wm ON orders (updated_at, id);
ANALYZE
"""
_MOVING = _TIME.format(seconds="i * 2 + abs(random()) % 259200000 / 1000.0")
_BIG = f"""
CREATE TABLE orders (id INTEGER PRIMARY KEY, updated_at TIMESTAMP NOT NULL, {{columns}});
{_SERIES} INSERT INTO orders SELECT i, {_TIME.format(seconds="i")}, {{values}} FROM n;
CREATE INDEX orders_wm ON orders (updated_at, id);
ANALYZE
"""
_WIDE = {"INTEGER": "i", "TEXT": "lower(hex(randomblob(16)))", "REAL": "i / 7.0", "TIMESTAMP": "'2026-01-01 00:00:00'"}


def _script(kind: str, rows: int) -> str:
    if kind in ("orders", "ties"):
        return _ORDERS.format(rows=rows, updated_at=_MOVING if kind == "orders" else "'2026-01-01 00:00:00.500'")
    if kind == "wide":
        types = (list(_WIDE) * 25)[:98]
        columns = ", ".join(f"c{at} {type_}" for at, type_ in enumerate(types))
        return _BIG.format(rows=rows, columns=columns, values=", ".join(_WIDE[type_] for type_ in types))
    return _BIG.format(rows=rows, columns="body TEXT", values="hex(randomblob(500000))")


class SqliteLegacy:
    """See `Legacy`."""

    def __init__(self) -> None:
        self.title = f"SQLite {sqlite3.sqlite_version}"
        self.pid = None

    def table(self, kind: str, rows: int) -> Table:
        """See `Legacy`; the file gets its name when it is complete."""
        file = cache("benchmarks") / f"{kind}-{rows}.db"
        if not file.exists():
            loading = file.with_suffix(".loading")
            loading.unlink(missing_ok=True)
            with closing(sqlite3.connect(loading, isolation_level=None)) as connection:
                connection.executescript(
                    f"PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; {_script(kind, rows)}"
                )
            loading.rename(file)
        return Table({"conn_type": "sqlite", "host": str(file)}, f"sqlite:///{file}", str(file), rows)

    def cpu(self) -> float | None:
        """See `Legacy`: it has no process of its own."""
        return None

    def stop(self) -> None:
        """See `Legacy`."""
