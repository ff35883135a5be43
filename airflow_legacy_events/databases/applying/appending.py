"""Rows appended; one whose unique event id is there already is a repeat."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import Counts
from airflow_legacy_events.databases.applying.binding import BoundState
from airflow_legacy_events.databases.applying.looking import look, refuse_spelling
from airflow_legacy_events.databases.applying.within import Within
from airflow_legacy_events.databases.applying.writing import insert


def append(unit: Within, shape: TargetShape, some: Sequence[BoundState]) -> Counts:
    """Insert rows that are no repeats.

    Raises:
        ConfigurationError: two spellings of an event id are one to the table.
        TransactionLostError: another writer was faster.
        TargetError: the table kept some out.
    """
    new = some if not shape.repeats else _new(unit, shape, some)
    insert(unit, shape, new)
    return Counts(len(new), 0, len(some) - len(new))


def _new(unit: Within, shape: TargetShape, some: Sequence[BoundState]) -> list[BoundState]:
    named = [one for one in some if None not in one.key]
    there = look(unit, shape, [one.key for one in named])
    known: dict[Hashable, Sequence[Any]] = {name: one.key for name, one in there.items()}
    new = []
    for one in some:
        if None not in one.key:
            if one.name in known:
                refuse_spelling(shape, known[one.name], one.key)
                continue
            known[one.name] = one.key
        new.append(one)
    return new
