"""Changes of a table applied by UPDATE, and INSERT of what is missing; every count is checked."""

from __future__ import annotations

from airflow_legacy_events.core.ports.target import Counts, TableStates
from airflow_legacy_events.databases.applying import deleting, writing
from airflow_legacy_events.databases.applying.appending import append
from airflow_legacy_events.databases.applying.binding import BoundState, bound, refuse_incomplete
from airflow_legacy_events.databases.applying.looking import is_newer, look, refuse_spelling
from airflow_legacy_events.databases.applying.moving import move
from airflow_legacy_events.databases.applying.within import Within


def apply_rows(unit: Within, states: TableStates) -> Counts:
    """Apply changes: all rows deleted if so, keys changed, rows deleted, then written. See `Unit.apply`."""
    shape = states.shape
    if states.truncated:
        deleting.empty(unit, shape)
    some = [bound(shape, one) for one in states.rows]
    if not shape.key:
        return append(unit, shape, some)
    counts, rest = move(unit, shape, [one for one in some if one.state.former is not None])
    rest += [one for one in some if one.state.former is None]
    return counts.plus(_apply(unit, states, rest)) if rest else counts


def _apply(unit: Within, states: TableStates, some: list[BoundState]) -> Counts:
    shape = states.shape
    there = look(unit, shape, [one.key for one in some])
    deleted, there_already, missing, skipped = list[BoundState](), list[BoundState](), list[BoundState](), 0
    for one in some:
        found = there.get(one.name)
        if found is not None:
            refuse_spelling(shape, found.key, one.key)
            if is_newer(shape, found, one):
                skipped += 1
                continue
        if one.state.deleted:
            deleted.append(one)
            continue
        if found is None or one.state.whole:
            refuse_incomplete(shape, one.state)
        (missing if found is None else there_already).append(one)
    deleting.delete(unit, shape, deleted, there)
    writing.update(unit, shape, there_already)
    writing.insert(unit, shape, missing)
    return Counts(len(there_already) + len(missing), len(deleted), skipped)
