"""Rows deleted, or marked as deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.databases.applying import statements
from airflow_legacy_events.databases.applying.binding import BoundState
from airflow_legacy_events.databases.applying.looking import There, explain, kept_out, look
from airflow_legacy_events.databases.applying.within import Within
from airflow_legacy_events.databases.applying.writing import executed, not_deleted, with_version


def delete(unit: Within, shape: TargetShape, some: Sequence[BoundState], there: Mapping[Hashable, There]) -> None:
    """Delete rows, or mark them; those that are not there need nothing.

    Args:
        unit: of the transaction.
        shape: of the table.
        some: the rows, none of them newer in the table.
        there: rows that are there.

    Raises:
        TransactionLostError: another writer changed them meanwhile.
        TargetError: the table kept some.
    """
    found = [one for one in some if one.name in there]
    if shape.deleted is None:
        remove(unit, shape, found)
        return
    for versioned in (False, True):
        group = [one for one in found if _is_versioned(shape, one) is versioned]
        if not group:
            continue
        given = () if not versioned or shape.version is None else (shape.version,)
        statement = statements.update(shape, given, [(shape.deleted, mark(shape))], versioned=versioned)
        parameters = [with_version(shape, one, one.parameters(given)) for one in group]
        if executed(unit, statement, parameters) != len(group):
            raise explain(unit, shape, group)


def remove(unit: Within, shape: TargetShape, found: Sequence[BoundState]) -> None:
    """Delete rows that are there, even where others are only marked; see `delete`."""
    for versioned in (False, True):
        group = [one for one in found if _is_versioned(shape, one) is versioned]
        if not group:
            continue
        parameters = [with_version(shape, one, one.parameters(())) for one in group]
        number = executed(unit, statements.delete(shape, versioned=versioned), parameters, counts=False)
        if 0 <= number != len(group):
            raise explain(unit, shape, group)
    if found and look(unit, shape, [one.key for one in found]):
        raise kept_out(shape)


def empty(unit: Within, shape: TargetShape) -> None:
    """Delete all rows of a table, or mark them.

    Raises:
        TargetError: the table kept some.
    """
    table = shape.facts.table
    if shape.deleted is None:
        unit.connection.execute(sa.delete(table))
        if unit.holds(shape):
            raise kept_out(shape)
        return
    [column] = statements.columns(shape, [shape.deleted])
    unmarked = column.is_(None)
    if shape.columns[shape.deleted].kind is Kind.BOOLEAN:
        unmarked = sa.or_(unmarked, column == not_deleted(shape))
    unit.connection.execute(sa.update(table).where(unmarked).values({column: mark(shape)}))


def mark(shape: TargetShape) -> Any:
    """Return the mark of a deleted row: true, or the time in UTC."""
    assert shape.deleted is not None, "a table without marks"  # noqa: S101
    column = shape.columns[shape.deleted]
    if column.kind is Kind.BOOLEAN:
        return sa.true()
    now = dt.datetime.now(dt.UTC)
    digits = 6 if column.scale is None else min(column.scale, 6)
    text = now.strftime("%Y-%m-%d") if column.kind is Kind.DATE else _moment(now, digits)
    text += "+00" if column.kind is Kind.INSTANT else ""
    [found] = statements.columns(shape, [shape.deleted])
    return sa.bindparam("mark", shape.facts.bound(shape.deleted, text), type_=found.type)


def _moment(now: dt.datetime, digits: int) -> str:
    text = now.strftime("%Y-%m-%d %H:%M:%S.%f")
    return text[: len(text) - 6 + digits] if digits else text[:-7]


def _is_versioned(shape: TargetShape, one: BoundState) -> bool:
    return shape.version is not None and one.row[shape.version] is not None
