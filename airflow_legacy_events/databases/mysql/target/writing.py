"""Rows written: by one statement where only the key is unique, else those that are there and those that are missing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import MySQLdb

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.ports.target import ObjectionError, RowState, TransactionLostError
from airflow_legacy_events.databases.mysql.target.faults import duplicated_in
from airflow_legacy_events.databases.mysql.target.looking import Table
from airflow_legacy_events.databases.mysql.target.rows import Group, key_of
from airflow_legacy_events.databases.mysql.target.staging import Staging

_MOST_PER_ROW = 2
"""Rows that ON DUPLICATE KEY UPDATE counts for one that it changed."""


def upsert(table: Table, staging: Staging, rows: Sequence[RowState], there: Mapping[Hashable, Any] | None) -> None:
    """Write rows.

    Args:
        table: that they belong to.
        staging: for rows that are there.
        rows: none of them deleted, nor newer in the table.
        there: rows that are there, by the identity of their keys; None: that was not looked up.

    Raises:
        TransactionLostError: another writer inserted a key meanwhile.
        TargetError: the table did not take all rows.
    """
    for group in table.literals.groups(rows):
        if there is None:
            _insert(table, group, _on_duplicate(table, group))
            continue
        old = [one for one in group.rows if table.identity(one) in there]
        new = [one for one in group.rows if table.identity(one) not in there]
        for one in (*new, *(one for one in old if one.whole)):
            _refuse_incomplete(table, one)
        _update(table, staging, group._replace(rows=old))
        _insert(table, group._replace(rows=new), b"")


def insert(table: Table, rows: Sequence[RowState]) -> None:
    """Insert rows; see `upsert`."""
    for group in table.literals.groups(rows):
        _insert(table, group, b"")


def assignments(table: Table, group: Group, of: bytes) -> bytes:
    """Return what an UPDATE sets: the columns beside the key, and those that would move to the current time.

    Args:
        table: that is written.
        group: of the rows.
        of: format of a column's new value.
    """
    names, shape = table.literals.names, table.shape
    given = [at for at in group.positions if at not in shape.key]
    kept = [at for at, one in enumerate(table.facts.columns) if one.moves and at not in group.positions]
    return b",".join(
        [b"%b=%b" % (names[at], of % names[at]) for at in given]
        + [b"%b=%b.%b" % (names[at], table.name, names[at]) for at in kept]
    )


def _on_duplicate(table: Table, group: Group) -> bytes:
    key = table.literals.names[table.shape.key[0]]
    found = assignments(table, group, b"VALUES(%b)") or b"%b=%b" % (key, key)
    return b" ON DUPLICATE KEY UPDATE " + found


def _insert(table: Table, group: Group, behind: bytes) -> None:
    if not group.rows:
        return
    names = b",".join(table.literals.names[at] for at in group.positions)
    before = b"INSERT INTO %b (%b) VALUES " % (table.name, names)
    around = len(before) + len(behind)
    for values, count in table.sender.pieces(table.literals.values(group, group.positions), around):
        changed = _inserted(table, before + values + behind)
        if not count <= changed <= count * (_MOST_PER_ROW if behind else 1):
            raise table.kept_out()


def _inserted(table: Table, statement: bytes) -> int:
    try:
        return table.sender.change(statement)
    except MySQLdb.Error as error:
        if table.facts.key_index and duplicated_in(error) == table.facts.key_index:
            raise TransactionLostError(
                f"another writer inserted a key into table {table.shape.table!r} meanwhile"
            ) from None
        raise


def _update(table: Table, staging: Staging, group: Group) -> None:
    if not group.rows or not assignments(table, group, b"%b"):
        return
    has_defaults = any(ABSENT in [one.row[at] for at in group.positions] for one in group.rows if one.whole)
    if not has_defaults and staging.update(table, group):
        return
    for one in group.rows:
        update_one(table, Group(group.positions, [one]), key_of(table.shape, one.row))


def update_one(table: Table, group: Group, key: Sequence[Any], *, with_key: bool = False) -> None:
    """Update one row that is there.

    Args:
        table: that it belongs to.
        group: of the row alone.
        key: that it has now.
        with_key: whether the columns of the key are set too.

    Raises:
        TargetError: the table did not take it.
    """
    columns = [at for at in group.positions if with_key or at not in table.shape.key]
    names = table.literals.names
    given = [
        b"%b=%b" % (names[at], value)
        for at, (value,) in zip(columns, table.literals.columns(group, columns), strict=True)
    ]
    kept = [
        b"%b=%b" % (names[at], names[at])
        for at, one in enumerate(table.facts.columns)
        if one.moves and at not in group.positions
    ]
    statement = b"UPDATE %b SET %b WHERE %b" % (table.name, b",".join(given + kept), table.is_key(key))
    [(whole, _)] = table.sender.pieces([statement], 0)
    if (given or kept) and table.sender.change(whole) != 1:
        raise table.kept_out()


def _refuse_incomplete(table: Table, one: RowState) -> None:
    lacking = [
        column.name
        for at, column in enumerate(table.shape.columns)
        if column.name in one.partial and one.row[at] is ABSENT
    ]
    if lacking:
        raise ObjectionError(
            "INCOMPLETE",
            f"the row is not there, and the source left out {', '.join(lacking)} since they did not change; let the"
            " source send the whole row, such as by a snapshot",
        )
