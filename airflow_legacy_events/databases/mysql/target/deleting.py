"""Rows deleted, or marked as deleted."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.ports.target import RowState
from airflow_legacy_events.databases.mysql.target.looking import Table
from airflow_legacy_events.databases.mysql.target.rows import key_of, mark


def delete(table: Table, rows: Sequence[RowState], there: Mapping[Hashable, Any] | None) -> None:
    """Delete rows, or mark them as deleted; those that are not there need nothing."""
    if there is not None:
        rows = [one for one in rows if table.identity(one) in there]
    keys = [key_of(table.shape, one.row) for one in rows]
    for condition in table.conditions(keys) if keys else ():
        table.sender.change(deleting(table) + b" WHERE " + condition)


def deleting(table: Table) -> bytes:
    """Return the statement that deletes or marks rows, without its condition."""
    if table.shape.deleted is None:
        return b"DELETE FROM " + table.name
    names = table.literals.names
    moving = [at for at, one in enumerate(table.facts.columns) if one.moves and at != table.shape.deleted]
    sets = [
        b"%b=%b" % (names[table.shape.deleted], mark(table.shape)),
        *(b"%b=%b" % (names[at], names[at]) for at in moving),
    ]
    return b"UPDATE %b SET %b" % (table.name, b",".join(sets))


def empty(table: Table) -> None:
    """Delete all rows of a table, or mark those that are not marked yet."""
    if table.shape.deleted is None:
        table.sender.change(b"DELETE FROM " + table.name)
        return
    name = table.literals.names[table.shape.deleted]
    unmarked = b"%b IS NULL OR %b = 0" if mark(table.shape) == b"1" else b"%b IS NULL"
    condition = unmarked.replace(b"%b", name)
    table.sender.change(deleting(table) + b" WHERE " + condition)
