"""Targets of all databases, with a table each, as the contract of targets sees them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.ports.target import Counts, RowState, TableStates, Wanted
from airflow_legacy_events.hooks.registry import TARGETS, resolve
from tests.support.engines import of
from tests.support.fake_target import FakeTarget
from tests.support.fake_target import shape as fake_shape
from tests.support.legacy import Legacy, reused_database

APPLYING = of("sqlite")
"""Engines whose targets keep the contract; a new one is one name more."""

NAMES = {"postgresql": "postgres", "firebird": "generic"}
_places = itertools.count()


class World:
    """A target over a database of its own."""

    def __init__(self, legacy: Legacy) -> None:
        self.legacy, self.dialect = legacy, legacy.dialect
        self.target = self.another()

    def another(self, seconds: float = 20) -> Any:
        made = resolve(TARGETS[NAMES.get(self.dialect, self.dialect)])
        return made("dwh", self.legacy.url, statement_timeout=dt.timedelta(seconds=seconds))

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
        return sorted(map(tuple, self.execute(f"SELECT {columns} FROM {table}")), key=lambda row: (row[0] is None, row))


class FakeWorld:
    """The same over a target in memory, for what it can do."""

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
