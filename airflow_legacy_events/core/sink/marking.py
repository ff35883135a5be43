"""Rows that are marked as deleted, and were written by the same batch: they are written first, and marked then.

Reduced to its last state such a row would only be marked, and one that was not there before would be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import Any

from airflow_legacy_events.core.model.changes import DELETE, UPSERT, TableChanges, TargetShape

Identity = Callable[[TargetShape, Sequence[Any]], Hashable]


def segments(tables: Iterable[TableChanges], identity: Identity, within: Sequence[int]) -> list[Sequence[int]]:
    """Return the places of messages in parts that can be reduced, in order; one part where no row is marked.

    Args:
        tables: changes of a batch.
        identity: of a key; see `Target.identity_of`.
        within: places of the messages that count, ascending.
    """
    cuts = sorted({place for one in tables if one.shape.deleted is not None for place in _cuts(one, identity, within)})
    if not cuts:
        return [within]
    found: list[list[int]] = [[]]
    ahead = iter([*cuts, None])
    cut = next(ahead)
    for place in within:
        if place == cut:
            found.append([])
            cut = next(ahead)
        found[-1].append(place)
    return [one for one in found if one]


def _cuts(changes: TableChanges, identity: Identity, within: Collection[int]) -> list[int]:
    """Return the places of deletes of rows that were written since the last cut."""
    if DELETE not in changes.ops:
        return []
    counted, written, cuts = frozenset(within), set[Hashable](), list[int]()
    shape = changes.shape
    for op, row, place in zip(changes.ops, changes.rows, changes.places, strict=True):
        if place not in counted or op not in (UPSERT, DELETE):
            continue
        key = identity(shape, tuple(row[at] for at in shape.key))
        if op == UPSERT:
            written.add(key)
        elif key in written:
            cuts.append(place)
            written.clear()
    return cuts
