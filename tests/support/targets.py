"""Targets of all databases, with a table each, as the contract of targets sees them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.ports.target import Counts, RowState, TableStates, Wanted
from airflow_legacy_events.hooks.registry import TARGETS, resolve
from tests.support.engines import ENGINES, of
from tests.support.fake_target import FakeTarget
from tests.support.fake_target import shape as fake_shape
from tests.support.legacy import Legacy, reused_database
from tests.support.profile import LONG

APPLYING = of("sqlite", "postgresql", "mysql", *(["firebird"] if LONG else []))
"""Engines whose targets keep the contract; a new one is one name more."""

WITH_ROWS = of("sqlite", "postgresql", "mysql", "firebird")
"""Engines whose rows are looked at in the short form too."""

DEFERRING = tuple(one for one in APPLYING if ENGINES[one].dialect in ("sqlite", "postgresql"))
KEEPING_OUT = DEFERRING
"""Engines with constraints that are judged at COMMIT, and with triggers that keep rows out without an error."""

_FOLDING = {
    "sqlite": "varchar(40) COLLATE NOCASE",
    "postgresql": "varchar(40) COLLATE folding",
    "mysql": "varchar(40) COLLATE utf8mb4_general_ci",
    "firebird": "folding",
}
_EXACT = {"mysql": "varchar(40) COLLATE utf8mb4_bin", "firebird": "varchar(40) CHARACTER SET UTF8"}
_KEPT_OUT = {
    "sqlite": ("CREATE TRIGGER kept_out BEFORE INSERT ON {} BEGIN SELECT RAISE(IGNORE); END",),
    "postgresql": (
        "CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER kept_out BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION keep_out()",
    ),
}
NAMES = {"postgresql": "postgres", "firebird": "generic"}
_places = itertools.count()


class World:
    """A target over a database of its own."""

    def __init__(self, legacy: Legacy) -> None:
        self.legacy, self.dialect = legacy, legacy.dialect
        self.target = self.another()
        self.timestamp = "datetime(6)" if self.dialect == "mysql" else "timestamp"
        self.many = (
            10_000 if LONG else 300 if self.dialect == "firebird" else 2_000
        )  # its driver takes a millisecond a row
        self.key_text = "varchar(40)"
        self.exact_text = _EXACT.get(self.dialect, "varchar(40)")

    def another(self, seconds: float = 20) -> Any:
        made = resolve(TARGETS[NAMES.get(self.dialect, self.dialect)])
        return made("dwh", self.legacy.url, statement_timeout=dt.timedelta(seconds=seconds))

    @property
    def folding(self) -> str:
        """A type of keys that takes two spellings for one."""
        if self.dialect == "postgresql":
            self.execute("CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        if self.dialect == "firebird":
            self.execute("CREATE DOMAIN folding AS varchar(40) CHARACTER SET UTF8 COLLATE UNICODE_CI")
        return _FOLDING[self.dialect]

    def keep_out(self, table: str) -> None:
        """Let a trigger `kept_out` keep new rows out without an error."""
        for one in _KEPT_OUT[self.dialect]:
            self.execute(one.format(table))

    @contextmanager
    def cut_at_commit(self) -> Iterator[None]:
        """The target's connection is gone right when a transaction is committed."""
        sa.event.listen(self.target.engine, "commit", self.cut)
        yield
        sa.event.remove(self.target.engine, "commit", self.cut)

    def cut(self, connection: sa.Connection) -> None:
        """End a connection of the target, as a server or a network does."""
        driver: Any = connection.connection.driver_connection
        if self.dialect == "firebird":
            driver._att.detach()
        elif self.dialect == "mysql":
            self.execute(f"KILL {driver.thread_id()}")
        elif self.dialect == "postgresql":
            self.execute(f"SELECT pg_terminate_backend({driver.info.backend_pid}, 5000)")
        else:
            driver.close()

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        return self.legacy.execute(statement)

    def q(self, name: str) -> str:
        return self.legacy.quoted(name)

    def shape(self, table: str = "t", **wanted: Any) -> Any:
        return self.target.reflect(table, Wanted(**wanted))

    def apply(self, shape: Any, *states: RowState, truncated: bool = False) -> Counts:
        with self.target.transaction() as unit:
            return unit.apply(TableStates(shape, list(states), truncated))

    def rows(self, table: str = "t", columns: str = "*") -> list[tuple[Any, ...]]:
        return sorted(map(tuple, self.execute(f"SELECT {columns} FROM {table}")), key=_order)


class FakeWorld:
    """The same over a target in memory, for what it can do."""

    many = 1_000

    def __init__(self) -> None:
        self.target = FakeTarget()

    def shape(self) -> Any:
        return fake_shape("id", "a", "b")

    apply = World.apply

    def rows(self) -> list[tuple[Any, ...]]:
        return sorted((int(row[0]), *row[1:]) for row in self.target.tables.get("t", {}).values())


@contextmanager
def world_of(request: pytest.FixtureRequest, engine: str) -> Iterator[Any]:
    if engine == "fake":
        yield FakeWorld()
        return
    with reused_database(request, engine) as legacy:
        world = World(legacy)
        yield world
        world.target.close()


def _order(row: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    return [(one is None, one) for one in row]


def upsert(*row: Any, **options: Any) -> RowState:
    return RowState(row, next(_places), **options)


def delete(shape: Any, *key: Any, **options: Any) -> RowState:
    row: list[Any] = [ABSENT] * len(shape.columns)
    for at, value in zip(shape.key, key, strict=True):
        row[at] = value
    return RowState(tuple(row), next(_places), deleted=True, **options)


def named(shape: Any, **values: Any) -> tuple[Any, ...]:
    """A row by the names of its columns; all others are absent."""
    names: Sequence[str] = shape.named(range(len(shape.columns)))
    assert set(values) <= set(names), names
    return tuple(values.get(name, ABSENT) for name in names)
