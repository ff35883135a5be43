"""MariaDB."""

from __future__ import annotations

import sqlalchemy as sa

from tests.benchmarks.legacy.base import TABLE, Table
from tests.benchmarks.processes import cpu_of_tree
from tests.services.mariadb import MariaDB

ORDERS = """
CREATE TABLE orders (id bigint AUTO_INCREMENT PRIMARY KEY, customer_id int NOT NULL, status varchar(20) NOT NULL,
 amount decimal(12,2) NOT NULL, currency char(3) NOT NULL, created_at timestamp(6) NOT NULL DEFAULT '2026-01-01',
 updated_at timestamp(6) NOT NULL DEFAULT '2026-01-01', note text, attrs json);
SET time_zone = '+00:00';
INSERT INTO orders SELECT seq, rand() * 500000, elt(1 + seq % 5, 'NEW', 'PAID', 'SHIPPED', 'DELIVERED', 'CANCELLED'),
 rand() * 10000, elt(1 + seq % 4, 'EUR', 'USD', 'GBP', 'JPY'), '2026-01-01' + INTERVAL seq * 2 SECOND,
 {updated_at},
 CASE WHEN seq % 50 = 0 THEN NULL
      WHEN seq % 97 = 0 THEN concat('customer said "d\u00e9j\u00e0 vu"', char(92), 'back, line', char(10), md5(seq))
      ELSE concat('note ', md5(seq), ' lorem ipsum dolor sit') END,
 json_object('channel', elt(1 + seq % 3, 'web', 'app', 'pos'), 'items', 1 + seq % 7, 'gift', seq % 10 = 0,
             'coupon', concat('C', seq % 1000))
 FROM seq_1_to_{rows};
CREATE INDEX orders_wm ON orders (updated_at, id);
ANALYZE TABLE orders
"""
MOVING = "'2026-01-01' + INTERVAL seq * 2 SECOND + INTERVAL floor(rand() * 259200e6) MICROSECOND"
_BIG = """
CREATE TABLE orders (id bigint PRIMARY KEY, updated_at timestamp NOT NULL DEFAULT '2026-01-01', {columns});
SET time_zone = '+00:00';
INSERT INTO orders SELECT seq, '2026-01-01' + INTERVAL seq SECOND, {values} FROM seq_1_to_{rows};
CREATE INDEX orders_wm ON orders (updated_at, id);
ANALYZE TABLE orders
"""
_WIDE = {"int": "seq", "varchar(40)": "md5(seq)", "decimal(12,2)": "seq / 7", "timestamp NULL": "now()"}


def _statements(kind: str, rows: int) -> str:
    if kind in ("orders", "ties"):
        return ORDERS.format(rows=rows, updated_at=MOVING if kind == "orders" else "'2026-01-01 00:00:00.5'")
    if kind == "wide":
        types = (list(_WIDE) * 25)[:98]
        columns = ", ".join(f"c{at} {type_}" for at, type_ in enumerate(types))
        return _BIG.format(rows=rows, columns=columns, values=", ".join(_WIDE[type_] for type_ in types))
    return _BIG.format(rows=rows, columns="body longtext", values="repeat(md5(seq), 31250)")


class MariaDBLegacy:
    """See `Legacy`."""

    made: type[MariaDB] = MariaDB

    def __init__(self) -> None:
        self._server = self.made()
        version = str(self._server.execute("SELECT VERSION()")[0][0])
        self.title = f"MariaDB {version.partition('-')[0]}"
        self.pid = None if self._server.process is None else self._server.process.pid

    def table(self, kind: str, rows: int) -> Table:
        """See `Legacy`; a database whose table has its index is complete."""
        name = f"legacy_events_bench_{kind}_{rows}"
        complete = (
            "SELECT 1 FROM information_schema.statistics"
            f" WHERE table_schema = '{name}' AND index_name = 'orders_wm' LIMIT 1"
        )
        if not self._server.execute(complete):
            self._server.execute(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}")
            self._server.execute(_statements(kind, rows), name)
        return self.opened(name, rows)

    def opened(self, name: str, rows: int, table: str = TABLE) -> Table:
        """Return a table of the database `name`."""
        url = self._server.url(name)
        parts = sa.make_url(url)
        connection = {
            "conn_type": "mysql",
            "host": parts.host,
            "port": parts.port,
            "login": parts.username,
            "password": parts.password or "",
            "schema": name,
        }
        return Table(connection, url, url, rows, table)

    def cpu(self) -> float | None:
        """See `Legacy`."""
        return None if self.pid is None else cpu_of_tree(self.pid)

    def stop(self) -> None:
        """See `Legacy`."""
        self._server.stop()
