"""Rows whose key changes: one UPDATE each, so that what refers to them can follow."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_legacy_events.core.ports.target import Counts, RowState
from airflow_legacy_events.databases.mysql.target import writing
from airflow_legacy_events.databases.mysql.target.deleting import delete_one
from airflow_legacy_events.databases.mysql.target.looking import Table
from airflow_legacy_events.databases.mysql.target.rows import key_of


def move(table: Table, rows: Sequence[RowState]) -> tuple[Counts, list[RowState]]:
    """Give rows their new keys and values, in order: each behind the one that leaves its new key.

    A row that lies under its new key although another one gets it was deleted at the source, and is deleted.

    Returns:
        What became of the rows, and those that do not lie under their former key.
    """
    counts, rest = Counts(), list[RowState]()
    if not rows:
        return counts, rest
    shape, identity_of = table.shape, table.facts.identity_of
    formers = [one.former or () for one in rows]
    there = {**table.there(formers), **table.there([key_of(shape, one.row) for one in rows], formers)}
    newer = table.newer(rows, formers)
    for one, former in zip(rows, formers, strict=True):
        name = identity_of(shape, former)
        if name not in there:
            rest.append(one)
            continue
        if name in newer:
            counts = counts.plus(Counts(skipped=1))
            continue
        del there[name]
        new = table.identity(one)
        if new != name and there.pop(new, None) is not None:
            table.sender.change(b"DELETE FROM %b WHERE %b" % (table.name, table.is_key(key_of(shape, one.row))))
        counts = counts.plus(_moved(table, one, former))
    return counts, rest


def _moved(table: Table, one: RowState, former: Sequence[str]) -> Counts:
    if one.deleted:
        delete_one(table, one, former)
        return Counts(deleted=1)
    [group] = table.literals.groups([one])
    writing.update_one(table, group, former, with_key=True)
    return Counts(upserted=1)
