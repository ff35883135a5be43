"""Rows whose key changes: one UPDATE each, so that what refers to them can follow."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import Counts
from airflow_legacy_events.databases.applying import deleting, statements
from airflow_legacy_events.databases.applying.binding import BoundState, bound_key
from airflow_legacy_events.databases.applying.looking import is_newer, kept_out, look, refuse_spelling
from airflow_legacy_events.databases.applying.within import Within
from airflow_legacy_events.databases.applying.writing import executed, further_of, grouped, with_version


def move(unit: Within, shape: TargetShape, some: Sequence[BoundState]) -> tuple[Counts, list[BoundState]]:
    """Give rows their new keys and values, in order: each behind the one that leaves its new key.

    A row that lies under its new key although another one gets it was deleted at the source, and is deleted.

    Returns:
        What became of the rows, and those that do not lie under their former key.
    """
    if not some:
        return Counts(), []
    formers = [bound_key(shape, one.state.former or ()) for one in some]
    names = [shape.facts.stored_identity(one) for one in formers]
    there = look(unit, shape, [*formers, *(one.key for one in some)])
    counts, rest = Counts(), list[BoundState]()
    for one, former, name in zip(some, formers, names, strict=True):
        if name not in there:
            rest.append(one)
            continue
        refuse_spelling(shape, there[name].key, former)
        if is_newer(shape, there[name], one):
            counts = counts.plus(Counts(skipped=1))
            continue
        lying = there.pop(name)
        if one.name != name and one.name in there:
            del there[one.name]
            deleting.remove(unit, shape, [one])
        if one.state.deleted:
            gone = BoundState(one.state, former, name, one.row, one.given)
            deleting.delete(unit, shape, [gone], {name: lying})
            counts = counts.plus(Counts(deleted=1))
            continue
        _update(unit, shape, one, former)
        counts = counts.plus(Counts(upserted=1))
    return counts, rest


def _update(unit: Within, shape: TargetShape, one: BoundState, former: tuple[object, ...]) -> None:
    [form] = grouped(shape, [one])
    statement = statements.update(shape, form.given, further_of(shape, form), versioned=form.versioned)
    parameters = with_version(shape, one, one.parameters(form.given, former))
    if executed(unit, statement, [parameters]) != 1:
        raise kept_out(shape)
