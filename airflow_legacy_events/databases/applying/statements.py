"""Statements over the rows of a table; values are bound by position, since names of columns may hold anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.model.changes import TargetShape

KEY, COLUMN, VERSION = "k", "c", "v"
"""Beginnings of the names of parameters."""


def columns(shape: TargetShape, positions: Sequence[int]) -> list[Any]:
    """Return the columns at positions."""
    every = list(shape.facts.table.c)
    return [every[at] for at in positions]


def of_key(shape: TargetShape) -> Any:
    """Return the condition that a row has the key of the parameters, and is not newer than their version, if any."""
    found = columns(shape, shape.key)
    return sa.and_(*(one == sa.bindparam(f"{KEY}{at}", type_=one.type) for at, one in enumerate(found)))


def below_version(shape: TargetShape, *, versioned: bool) -> list[Any]:
    """Return the condition that a row is not newer than the version of the parameters, where they have one."""
    if not versioned or shape.version is None:
        return []
    [found] = columns(shape, [shape.version])
    return [sa.or_(found.is_(None), found <= sa.bindparam(VERSION, type_=found.type))]


def update(shape: TargetShape, given: Sequence[int], further: Sequence[tuple[int, Any]], *, versioned: bool) -> Any:
    """Return an UPDATE of one row by its key.

    Args:
        shape: of the table.
        given: positions of the columns that get a parameter's value.
        further: positions of other columns, with the SQL of their values.
        versioned: whether a row with a higher version is left as it is.
    """
    every = list(shape.facts.table.c)
    values = {every[at]: sa.bindparam(f"{COLUMN}{at}", type_=every[at].type) for at in given}
    values |= {every[at]: value for at, value in further}
    where = of_key(shape), *below_version(shape, versioned=versioned)
    return _strictly(shape, sa.update(shape.facts.table).where(*where).values(values))


def insert(shape: TargetShape, given: Sequence[int]) -> Any:
    """Return an INSERT of one row with the columns at positions; the others get their defaults."""
    every = list(shape.facts.table.c)
    values = {every[at]: sa.bindparam(f"{COLUMN}{at}", type_=every[at].type) for at in given}
    return _strictly(shape, sa.insert(shape.facts.table).values(values))


def delete(shape: TargetShape, *, versioned: bool) -> Any:
    """Return a DELETE of one row by its key; see `update`."""
    return sa.delete(shape.facts.table).where(of_key(shape), *below_version(shape, versioned=versioned))


def select(shape: TargetShape, by: Sequence[int], keys: Sequence[Sequence[Any]], positions: Sequence[int]) -> Any:
    """Return a SELECT of the columns at positions, of the rows that have one of some values in the columns `by`."""
    found = columns(shape, by)
    if len(found) == 1:
        condition = found[0].in_([one[0] for one in keys])
    else:
        condition = sa.or_(*(sa.and_(*(a == b for a, b in zip(found, one, strict=True))) for one in keys))
    return sa.select(*columns(shape, positions)).where(condition)


def _strictly(shape: TargetShape, statement: Any) -> Any:
    words = shape.facts.conflicting
    return statement.prefix_with(words) if words else statement


def key_parameters(key: Sequence[Any]) -> dict[str, Any]:
    """Return the parameters of `of_key`."""
    return {f"{KEY}{at}": value for at, value in enumerate(key)}
