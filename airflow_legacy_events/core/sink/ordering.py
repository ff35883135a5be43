"""Order in which the tables of a batch are written, so that foreign keys between them hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from airflow_legacy_events.core.ports.target import TableStates


def steps_of(tables: Sequence[TableStates]) -> list[TableStates]:
    """Return what is applied one after the other: upserts parents first, behind them deletes children first.

    Tables without foreign keys between them are applied as they are: rows of one table that exchange a unique value
    want their deletes first, which the table itself does.
    """
    names = {one.shape.table for one in tables}
    if not any(names & {*one.shape.parents} - {one.shape.table} for one in tables):
        return list(tables)
    down = _parents_first(tables)
    emptied = [replace(one, rows=[]) for one in reversed(down) if one.truncated]
    upserts = [replace(one, rows=[row for row in one.rows if not row.deleted], truncated=False) for one in down]
    deletes = [replace(one, rows=[row for row in one.rows if row.deleted], truncated=False) for one in reversed(down)]
    return emptied + [one for one in (*upserts, *deletes) if one.rows]


def _parents_first(tables: Sequence[TableStates]) -> list[TableStates]:
    """Return the tables, each behind its parents; in a ring of foreign keys one has to be the first."""
    by_name = {one.shape.table: one for one in tables}
    found: dict[str, TableStates] = {}

    def add(name: str, above: frozenset[str]) -> None:
        if name in found or name in above or name not in by_name:
            return
        for parent in by_name[name].shape.parents:
            add(parent, above | {name})
        found[name] = by_name[name]

    for name in sorted(by_name):
        add(name, frozenset())
    return list(found.values())
