"""Rows of a batch in groups that one statement applies: those that name the same columns, in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import ObjectionError, RowState, TableStates, WholeRows
from airflow_legacy_events.databases.postgres.target.packing import named_positions
from airflow_legacy_events.databases.postgres.target.statements import Positions, facts_of

Row = Sequence[Any]


@dataclass(slots=True)
class Group:
    """Rows that are written alike.

    Attributes:
        given: positions of the columns that they name.
        whole: whether all other columns get their defaults.
        known: names of columns that the source left out because they did not change, so the rows must be there.
        rows: of all columns.
    """

    given: Positions
    whole: bool = False
    known: tuple[str, ...] = ()
    rows: Sequence[Row] = field(default_factory=list)


@dataclass(slots=True)
class Grouped:
    """All rows of a table in a batch.

    Attributes:
        moved: rows whose key changes, in the order in which each leaves its key to the next.
        deleted: rows whose keys are deleted, and that did not have another key before.
        written: the rows that are there afterwards, by what they name; those that were moved are among them.
    """

    moved: list[RowState] = field(default_factory=list)
    deleted: list[Row] = field(default_factory=list)
    written: list[Group] = field(default_factory=list)


def grouped(states: TableStates) -> Grouped:
    """Return the rows of a table in groups."""
    shape, emptied = states.shape, states.truncated
    found, every = Grouped(), named_positions(shape.columns, shape.deleted)
    if isinstance(states.rows, WholeRows):
        found.written = [Group(every, rows=states.rows.rows)] if states.rows else []
        return found
    plain, written = list[Row](), _getter(every)
    groups: dict[tuple[Positions, bool, tuple[str, ...]], list[Row]] = {(every, False, ()): plain}
    for one in states.rows:
        if one.former is not None:
            found.moved.append(one)
        if one.deleted:
            if one.former is None:
                found.deleted.append(one.row)
            continue
        whole = one.whole or emptied  # of a table that is emptied, nothing that is absent can be kept
        if ABSENT not in written(one.row):
            plain.append(one.row)
            continue
        given = tuple(at for at in every if one.row[at] is not ABSENT)
        known = _known(shape, one, given, whole=whole) if one.partial else ()
        groups.setdefault((given, whole, known), []).append(one.row)
    found.written = [Group(*alike, rows) for alike, rows in groups.items() if rows]
    return found


def needs_two_steps(shape: TargetShape, group: Group) -> bool:
    """Return whether rows that are there must be updated before others are inserted.

    An INSERT checks the row that it proposes, and numbers it, though the row is there and is updated in the end.
    """
    facts = facts_of(shape)
    if facts.before_insert or not facts.inferred or group.known or not facts.unread.isdisjoint(group.given):
        return True
    given = frozenset(group.given)
    left = (one for at, one in enumerate(shape.columns) if at not in given and at != shape.deleted)
    return any(one.numbered or (one.written and not (one.nullable or one.has_default)) for one in left)


def by_version(shape: TargetShape, rows: Sequence[Row]) -> list[tuple[Positions, list[Row]]]:
    """Return rows with the positions that a delete needs: the key, and the version where the row has it."""
    version = shape.version
    if version is None or version in shape.key:
        return [(shape.key, list(rows))]
    without = [row for row in rows if row[version] is None or row[version] is ABSENT]
    with_ = [row for row in rows if row[version] is not None and row[version] is not ABSENT]
    return [found for found in ((shape.key, without), ((*shape.key, version), with_)) if found[1]]


def _getter(positions: Positions) -> Callable[[Row], Any]:
    """Return a function that takes some columns of a row, as a tuple."""
    if len(positions) == 1:
        return lambda row: (row[positions[0]],)
    return itemgetter(*positions) if positions else lambda _: ()


def _known(shape: TargetShape, one: RowState, given: Positions, *, whole: bool) -> tuple[str, ...]:
    """Return the names of columns that are absent because they did not change.

    Raises:
        ObjectionError: the row was deleted before, so what they held is gone.
    """
    names = frozenset(shape.named(given))
    known = tuple(name for name in one.partial if name not in names)
    if known and whole:
        raise incomplete(known)
    return known


def incomplete(names: Sequence[str]) -> ObjectionError:
    """Return the error for a row that is not there, and of which the source sent a part."""
    return ObjectionError(
        "INCOMPLETE",
        f"the row is not there, and the source left out {', '.join(names)} since they did not change; let the source"
        " send the whole row, such as by a snapshot",
    )
