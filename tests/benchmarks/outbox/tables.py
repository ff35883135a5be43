"""Outboxes as `airflow legacy-events outbox ddl` prints them, filled once, and copied for each run that empties one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from airflow_legacy_events.cli.outbox.ddl import debezium
from tests.benchmarks.legacy.base import Legacy, Table
from tests.benchmarks.legacy.mariadb import MariaDBLegacy
from tests.benchmarks.legacy.postgres import PostgresLegacy
from tests.services.mariadb import MariaDB11
from tests.services.postgres import Postgres18

AGGREGATE = "order"
"""Whose events all rows are, so that they go to one topic, as those of the query do."""
TRANSACTION_ROWS = {"thousands": 1_000, "singles": 1, "marked": 1_000, "empty": 1}
"""Rows of one transaction, by the kind of an outbox; those that are `marked` are not deleted."""

_EVENT = """'order', {key}, 'OrderPaid', json_object(
 'order_id'{is_} n, 'customer_id'{is_} n % 500000, 'status'{is_} 'PAID', 'currency'{is_} 'EUR',
 'amount'{is_} n % 999983 / 100.0,
 'note'{is_} concat('note ', md5({text}), ' lorem ipsum dolor sit amet, consectetur'), 'items'{is_} json_array(
 json_object('sku'{is_} concat('SKU-', n % 1000), 'quantity'{is_} 1 + n % 7, 'price'{is_} '19.90'),
 json_object('sku'{is_} concat('SKU-', n % 777), 'quantity'{is_} 1 + n % 5, 'price'{is_} '4.50')))"""
_ON_POSTGRES = _EVENT.format(key="(1 + n % 20011)::text", text="n::text", is_=":")
_ON_MARIADB = _EVENT.format(key="1 + n % 20011", text="n", is_=",")
_COLUMNS = "aggregatetype, aggregateid, type, payload"
_FILL = """
DO $fill$ BEGIN
  PERFORM set_config('synchronous_commit', 'off', false);
  FOR start IN 1 .. {rows} BY {size} LOOP
    INSERT INTO outbox ({columns}) SELECT {event} FROM generate_series(start, least(start + {size} - 1, {rows})) n;
    COMMIT;
  END LOOP;
END $fill$
"""


class OutboxServer(Legacy, Protocol):
    """A server that has outboxes.

    Attributes:
        ready: the copy that the next run drains.
    """

    ready: Table

    def prepare(self, kind: str, rows: int) -> None:
        """Copy an outbox under a name of its own, since a stream is known by it; the copy before it is dropped."""


def named() -> str:
    """Return a name that no other copy has."""
    return f"outbox_{uuid.uuid4().hex[:12]}"


class OutboxPostgres(PostgresLegacy):
    """See `OutboxServer`. A copy of a whole database keeps which transaction wrote each row."""

    made = Postgres18
    ready: Table
    _copy = "legacy_events_bench_outbox_copy"

    def prepare(self, kind: str, rows: int) -> None:
        """See `OutboxServer`."""
        filled, name = f"legacy_events_bench_outbox_{kind}_{rows}", named()
        if not self._server.execute(f"SELECT 1 FROM pg_database WHERE datname = '{filled}'"):
            self._fill(f"{filled}_loading", kind, rows)
            self._server.execute(f"ALTER DATABASE {filled}_loading RENAME TO {filled}")
        self._server.execute(f"DROP DATABASE IF EXISTS {self._copy} WITH (FORCE)")
        self._server.execute(f"CREATE DATABASE {self._copy} TEMPLATE {filled} STRATEGY FILE_COPY")
        self._server.execute(f"ALTER TABLE outbox RENAME TO {name}", self._copy)
        self.ready = self.opened(self._copy, rows, name)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Give the URL of an empty database that lasts as long as the context."""
        self._server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._server.execute(f"CREATE DATABASE {name}")
        try:
            yield self._server.url(name)
        finally:
            self._server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _fill(self, database: str, kind: str, rows: int) -> None:
        self._server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self._server.execute(f"CREATE DATABASE {database}")
        self._server.execute(debezium("postgresql", "outbox", mark=kind == "marked"), database)
        fill = _FILL.format(rows=rows, size=TRANSACTION_ROWS[kind], columns=_COLUMNS, event=_ON_POSTGRES)
        for statement in (fill, "VACUUM (ANALYZE) outbox"):
            self._server.execute(statement, database)


class OutboxMariaDB(MariaDBLegacy):
    """See `OutboxServer`; rows tell nothing of the transaction that wrote them."""

    made = MariaDB11
    ready: Table
    _filled, _copy = "legacy_events_bench_outbox_{}_{}", "legacy_events_bench_outbox_copy"

    def prepare(self, kind: str, rows: int) -> None:
        """See `OutboxServer`; a database whose table is named `outbox` is complete."""
        filled, name = self._filled.format(kind, rows), named()
        complete = f"SELECT 1 FROM information_schema.tables WHERE table_schema = '{filled}' AND table_name = 'outbox'"
        if not self._server.execute(complete):
            self._server.execute(f"DROP DATABASE IF EXISTS {filled}; CREATE DATABASE {filled}")
            self._server.execute(debezium("mariadb", "loading", mark=kind == "marked"), filled)
            self._server.execute(
                f"INSERT INTO loading (id, {_COLUMNS}) SELECT n, {_ON_MARIADB}"
                f" FROM (SELECT seq n FROM seq_1_to_{rows}) s; RENAME TABLE loading TO outbox",
                filled,
            )
        self._server.execute(f"DROP DATABASE IF EXISTS {self._copy}; CREATE DATABASE {self._copy}")
        self._server.execute(
            f"CREATE TABLE {name} LIKE {filled}.outbox; INSERT INTO {name} SELECT * FROM {filled}.outbox;"
            f" ANALYZE TABLE {name}",
            self._copy,
        )
        self.ready = self.opened(self._copy, rows, name)


OUTBOXES: dict[str, Callable[[], OutboxServer]] = {"postgres18": OutboxPostgres, "mariadb11": OutboxMariaDB}
