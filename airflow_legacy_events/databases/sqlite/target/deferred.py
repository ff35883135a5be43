"""Deferred foreign keys, which SQLite judges at COMMIT alone: checked before it, for the rows that were written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import ObjectionError
from airflow_legacy_events.databases.applying import statements
from airflow_legacy_events.databases.applying.facts import TableFacts
from airflow_legacy_events.databases.applying.relations import ForeignKey

_CODE = "SQLITE_CONSTRAINT_FOREIGNKEY"


@dataclass(frozen=True)
class SqliteFacts(TableFacts):
    """Facts of a table of SQLite.

    Attributes:
        own: deferred foreign keys of the table.
        children: deferred foreign keys that point to its key.
    """

    own: tuple[ForeignKey, ...] = ()
    children: tuple[ForeignKey, ...] = ()


def refuse_broken(connection: sa.Connection, shape: TargetShape, keys: Sequence[tuple[Any, ...]], size: int) -> None:
    """Check the foreign keys of rows, and those that point to them.

    Args:
        connection: in the transaction.
        shape: of the table.
        keys: that were written or deleted, as the driver takes them.
        size: how many of them one statement names.

    Raises:
        ObjectionError: a child has no parent.
    """
    for first in range(0, len(keys), size):
        some = keys[first : first + size]
        for foreign, broken in (*_of_rows(shape, some), *_of_children(shape, some)):
            if connection.execute(broken.limit(1)).first() is not None:
                raise ObjectionError(_CODE, f"foreign key {foreign.name} of table {foreign.table.name!r} has no parent")


def _of_rows(shape: TargetShape, keys: Sequence[tuple[Any, ...]]) -> Iterator[tuple[ForeignKey, Any]]:
    for one in shape.facts.own:
        table = shape.facts.table
        query = statements.select(shape, shape.key, keys, shape.key)
        yield one, query.where(*_orphaned(one, [table.c[name] for name in one.columns]))


def _of_children(shape: TargetShape, keys: Sequence[tuple[Any, ...]]) -> Iterator[tuple[ForeignKey, Any]]:
    for one in shape.facts.children:
        child = sa.table(one.table.name, *(sa.column(name) for name in one.columns))
        found = [child.c[name] for name in one.columns]
        ordered = [tuple(key[shape.named(shape.key).index(name)] for name in one.to) for key in keys]
        rows = sa.or_(*(sa.and_(*(a == b for a, b in zip(found, key, strict=True))) for key in ordered))
        yield one, sa.select(sa.literal_column("1")).select_from(child).where(rows, *_orphaned(one, found))


def _orphaned(foreign: ForeignKey, found: Sequence[Any]) -> list[Any]:
    """Return the conditions that a child refers to a parent that is not there."""
    parent = sa.table(foreign.parent.name, *(sa.column(name) for name in foreign.to)).alias("parent_of_it")
    same = (parent.c[name] == column for name, column in zip(foreign.to, found, strict=True))
    there: Any = sa.select(sa.literal_column("1")).select_from(parent).where(*same)
    return [*(one.is_not(None) for one in found), ~sa.exists(there)]
