"""What the benchmark asks of a legacy database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

CONN_ID = "legacy_crm"
TABLE = "orders"
POSITION = ("updated_at", "id")


@dataclass(frozen=True)
class Table:
    """A loaded table in a database of its own.

    Attributes:
        connection: an Airflow connection to it, as JSON.
        url: the same for SQLAlchemy.
        dsn: the same for the database's own programs.
        rows: how many it holds.
        name: of the table.
    """

    connection: dict[str, Any]
    url: str
    dsn: str
    rows: int
    name: str = TABLE


class Legacy(Protocol):
    """A running server, or whatever stands in for it.

    Attributes:
        title: for people.
        pid: of the server's first process; None where it is another machine's, or there is none.
    """

    title: str
    pid: int | None

    def table(self, kind: str, rows: int) -> Table:
        """Return a table, loaded once: `orders`, `ties` (one timestamp), `wide` (100 columns) or `large` (1 MB)."""

    def cpu(self) -> float | None:
        """CPU seconds that the server has used; None where it can't be told."""

    def stop(self) -> None:
        """End what was started."""
