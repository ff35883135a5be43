"""Empty databases on the servers that tests share."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.engines import ENGINES

_numbers = itertools.count()


@dataclass(frozen=True)
class Database:
    """An empty database on a shared server."""

    server: Any
    name: str

    @property
    def dsn(self) -> str:
        return self.server.dsn(self.name)

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        return self.server.execute(statement, self.name)


@contextmanager
def database_of(request: pytest.FixtureRequest, engine: str) -> Iterator[Database]:
    """A new database of the engine with this name."""
    with fresh_database(request.getfixturevalue(str(ENGINES[engine].server))) as found:
        yield found


@contextmanager
def fresh_database(server: Any) -> Iterator[Database]:
    """A new database, gone afterwards with its sessions and its prepared transactions."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    server.execute(f"CREATE DATABASE {name}")
    try:
        yield Database(server, name)
    finally:
        server.discard(name)
