from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest

from airflow_legacy_events.core.limits import Limits
from tests.support.crashes import STREAM, World
from tests.support.log_runs import Event, LogProcess, rows_of, run, source_of
from tests.support.memory_server import Server


@dataclass
class Shop:
    """A server with tables of orders and names, and a stream of its log."""

    server: Server
    world: World = field(default_factory=World)
    process: LogProcess | None = None

    def run(self, **options: Any) -> list[Event]:
        """Run once; return what was sent."""
        events, self.process = run(self.world, self.source(**options))
        return events

    def source(self, **options: Any) -> Any:
        return source_of(self.server, **{"limits": Limits(batch_rows=3), **options})

    def put(self, *rows: tuple[Any, ...], table: str = "orders") -> None:
        self.server.commit(*((table, "put", row, None) for row in rows))

    def delete(self, *keys: tuple[Any, ...], table: str = "orders") -> None:
        self.server.commit(*((table, "delete", key, None) for key in keys))

    def happen(self, what: str, table: str = "orders") -> None:
        """Commit a truncation, or a gap of the log."""
        self.server.commit((table, what, (), None))

    @property
    def saved(self) -> Any:
        return self.world.store.load(STREAM.name)

    def told(self, table: str = "orders") -> dict[str, Any]:
        """The fact of a table in the saved watermark."""
        return self.saved.facts["tables"][f"main.{table}"]

    @property
    def equal(self) -> bool:
        """Whether the topics rebuild their tables."""
        return all(
            found == rows for found, rows in (rows_of(self.world, self.server, one) for one in self.server.tables)
        )


@pytest.fixture
def shop(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    server = Server(tmp_path / "legacy.db")
    server.create("orders", {"id": "INTEGER", "note": "TEXT"}, ["id"])
    server.create("names", {"a": "TEXT", "b": "INTEGER", "v": "INTEGER"}, ["a", "b"])
    found = Shop(server)
    found.put((1, "one"), (2, "two"), (3, "three"), (4, "four"))
    return found
