"""Halving: which messages of a batch a database objects to, and all others applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from airflow_legacy_events.core.model.changes import Poison
from airflow_legacy_events.core.ports.target import Counts, ObjectionError, Unit

Apply = Callable[[Unit, Sequence[int]], dict[str, Counts]]


class Applied(NamedTuple):
    """What became of some messages within a transaction.

    Attributes:
        counts: by table.
        guilty: messages that the database objects to.
    """

    counts: dict[str, Counts]
    guilty: tuple[Poison, ...] = ()

    def plus(self, more: Applied) -> Applied:
        """Return both together."""
        names = dict.fromkeys((*self.counts, *more.counts))
        none = Counts()
        joined = {name: self.counts.get(name, none).plus(more.counts.get(name, none)) for name in names}
        return Applied(joined, self.guilty + more.guilty)


def apply_halved(unit: Unit, places: Sequence[int], apply: Apply) -> Applied:
    """Apply messages in their order; where the database objects, in halves, down to single ones.

    Reduced to last states, messages may collide that don't one after the other, such as two rows that exchange the
    value of a unique index. In the end they are applied one by one, and an objection to a single one is its own.

    Args:
        unit: an open transaction.
        places: of the messages.
        apply: applies the messages at some places, in a way that can be undone.
    """
    try:
        with unit.savepoint():
            found = apply(unit, places)
            unit.settle()
            return Applied(found)
    except ObjectionError as error:
        if len(places) == 1:
            return Applied({}, (Poison(places[0], error.code, error.reason),))
    middle = len(places) // 2
    first = apply_halved(unit, places[:middle], apply)
    return first.plus(apply_halved(unit, places[middle:], apply))
