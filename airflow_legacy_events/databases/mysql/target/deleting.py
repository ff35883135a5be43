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
    plain = [one for one in rows if _version(table, one) is None]
    keys = [key_of(table.shape, one.row) for one in plain]
    for condition in table.conditions(keys) if keys else ():
        table.sender.change(_statement(table) + b" WHERE " + condition)
    for one in rows:
        if _version(table, one) is not None:
            delete_one(table, one, key_of(table.shape, one.row))


def delete_one(table: Table, one: RowState, key: Sequence[Any]) -> None:
    """Delete a row that lies under a key, or mark it, with the version of its deletion."""
    table.sender.change(_statement(table, _version(table, one)) + b" WHERE " + table.is_key(key))


def _version(table: Table, one: RowState) -> str | None:
    """Return the version that a marked row gets; None if its message has none, or rows are not marked."""
    at = table.shape.version
    value = None if at is None or table.shape.deleted is None else one.row[at]
    return value if isinstance(value, str) else None


def _statement(table: Table, version: str | None = None) -> bytes:
    """Return the statement that deletes or marks rows, without its condition."""
    shape, names = table.shape, table.literals.names
    if shape.deleted is None:
        return b"DELETE FROM " + table.name
    sets = {at: names[at] for at, one in enumerate(table.facts.columns) if one.moves}
    if version is not None and shape.version is not None:
        sets[shape.version] = table.literals.one(shape.version, version)
    sets[shape.deleted] = mark(shape)
    return b"UPDATE %b SET %b" % (table.name, b",".join(b"%b=%b" % (names[at], value) for at, value in sets.items()))


def empty(table: Table) -> None:
    """Delete all rows of a table, or mark those that are not marked yet."""
    if table.shape.deleted is None:
        table.sender.change(b"DELETE FROM " + table.name)
        return
    name = table.literals.names[table.shape.deleted]
    unmarked = b"%b IS NULL OR %b = 0" if mark(table.shape) == b"1" else b"%b IS NULL"
    condition = unmarked.replace(b"%b", name)
    table.sender.change(_statement(table) + b" WHERE " + condition)
