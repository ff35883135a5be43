"""PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from tests.benchmarks.legacy.base import TABLE, Table
from tests.benchmarks.processes import cpu_of_tree, parent_of
from tests.services.postgres import Postgres

ORDERS = (Path(__file__).parent.parent / "orders.sql").read_text()
_TIES = "ALTER TABLE orders ALTER updated_at TYPE timestamptz USING timestamptz '2026-01-01 00:00:00.5+00'"
_BIG = """
CREATE TABLE orders (id bigint PRIMARY KEY, updated_at timestamptz NOT NULL, {columns});
INSERT INTO orders SELECT g, timestamptz '2026-01-01' + g * interval '1 second', {values}
  FROM generate_series(1, {rows}) g;
CREATE INDEX ON orders (updated_at, id);
VACUUM (ANALYZE, FREEZE) orders
"""
_WIDE = {"int": "g", "text": "md5(g::text)", "numeric(12,2)": "g / 7.0", "timestamptz": "now()"}

_MEGABYTE = "(SELECT string_agg(md5((g * 100000 + n)::text), '') FROM generate_series(1, 31250) n)"


def _statements(kind: str, rows: int) -> list[str]:
    if kind == "orders":
        text = ORDERS.replace("{rows}", str(rows))
    elif kind == "ties":
        text = f"{ORDERS.replace('{rows}', str(rows))};{_TIES};VACUUM (ANALYZE, FREEZE) orders"
    elif kind == "wide":
        types = (list(_WIDE) * 25)[:98]
        columns = ", ".join(f"c{at} {type_}" for at, type_ in enumerate(types))
        text = _BIG.format(rows=rows, columns=columns, values=", ".join(_WIDE[type_] for type_ in types))
    else:
        text = _BIG.format(rows=rows, columns="body text", values=_MEGABYTE)
    return [statement for statement in text.split(";") if statement.strip()]


class PostgresLegacy:
    """See `Legacy`."""

    made: type[Postgres] = Postgres

    def __init__(self) -> None:
        self._server = self.made()
        version = self._server.execute("SHOW server_version")[0][0].split()[0]
        self.title = f"PostgreSQL {version}"
        self.pid = self._find()

    def table(self, kind: str, rows: int) -> Table:
        """See `Legacy`; the database gets its name when it is complete."""
        name = f"legacy_events_bench_{kind}_{rows}"
        if not self._server.execute(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            self._server.execute(f"DROP DATABASE IF EXISTS {name}_loading WITH (FORCE)")
            self._server.execute(f"CREATE DATABASE {name}_loading")
            for statement in _statements(kind, rows):
                self._server.execute(statement, f"{name}_loading")
            self._server.execute(f"ALTER DATABASE {name}_loading RENAME TO {name}")
        return self.opened(name, rows)

    def opened(self, name: str, rows: int, table: str = TABLE) -> Table:
        """Return a table of the database `name`."""
        dsn = self._server.dsn(name)
        parts = conninfo_to_dict(dsn)
        connection = {
            "conn_type": "postgres",
            "host": parts["host"],
            "port": int(parts["port"]),
            "login": parts["user"],
            "password": parts.get("password", ""),
            "schema": name,
        }
        return Table(connection, self._server.url(name), dsn, rows, table)

    def cpu(self) -> float | None:
        """See `Legacy`: the postmaster, its processes and those that have ended."""
        return None if self.pid is None else cpu_of_tree(self.pid)

    def stop(self) -> None:
        """See `Legacy`."""
        self._server.stop()

    def _find(self) -> int | None:
        [(local, backend)] = self._server.execute("SELECT inet_client_addr() = inet_server_addr(), pg_backend_pid()")
        if self._server.process is not None:
            return self._server.process.pid
        return parent_of(backend) if local else None
