"""Reduction of a batch to the last state of each row.

Messages of one key are in order, so only the last state can be seen after the commit. What a later message does not say
is taken from the earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, TableChanges, TargetShape
from airflow_legacy_events.core.model.packed import at_places, column_of, picked
from airflow_legacy_events.core.ports.target import ObjectionError, RowState, TableStates, WholeRows
from airflow_legacy_events.core.sink.versions import is_older

_SPELLED = frozenset({Kind.TEXT, Kind.ANY})
Identity = Callable[[TargetShape, Sequence[Any]], Hashable]


def reduced(changes: TableChanges, identity: Identity, within: Iterable[int] | None = None) -> TableStates:
    """Return the last states of the rows of a table.

    Args:
        changes: in the order of their messages.
        identity: of a key; see `Target.identity_of`.
        within: places of the messages that count; None: all.

    Raises:
        ConfigurationError: two spellings of a key are one key to the table.
        ObjectionError: keys change in a way that only single messages show in order.
    """
    shape, places = changes.shape, None if within is None else frozenset(within)
    if not shape.key:
        return _appended(changes, places)
    if (alone := _alone(changes, identity, places)) is not None:
        return TableStates(shape, alone)
    found: dict[Hashable, RowState] = {}
    left = set[Hashable]()
    truncated, skipped, older = False, 0, is_older(shape)
    for at, op, row, place in _within(changes, places):
        if op == TRUNCATE:
            found.clear()
            left.clear()
            truncated = True
            continue
        new = RowState(row, place, op == DELETE, partial=changes.partial.get(at, ()))
        name = identity(shape, changes.moved.get(at) or _key(shape, row))
        if older is not None and name in found and older(row, found[name].row):
            skipped += 1
            continue
        if at in changes.moved:
            left.add(_move(found, shape, identity, changes.moved[at], new))
        _join(found, shape, identity, new)
        if new.former is None and identity(shape, _key(shape, row)) in left:  # its row has another key now
            new.whole = True
    return TableStates(shape, _in_order(shape, found, identity), truncated, skipped)


def reduce_ahead(changes: TableChanges, identity: Identity) -> None:
    """Reduce changes for later calls of `reduced`, in another thread, where each row has one message."""
    if changes.shape.key:
        changes.last = _alone(changes, identity, None) or ()


def _within(changes: TableChanges, places: frozenset[int] | None) -> Iterator[tuple[int, str, tuple[Any, ...], int]]:
    for at, (op, row, place) in enumerate(zip(changes.ops, changes.rows, changes.places, strict=True)):
        if places is None or place in places:
            yield at, op, row, place


def _alone(changes: TableChanges, identity: Identity, within: frozenset[int] | None) -> Sequence[RowState] | None:
    """Return the states of rows that each have one message, in the order of their keys; None if one has several."""
    shape, rows = changes.shape, changes.rows
    places: Sequence[int] = changes.places
    if changes.moved or TRUNCATE in changes.ops:
        return None
    some = _counted(changes, within)
    if len(some) < len(rows):
        rows, places = picked(rows, some), at_places(places, some)
    elif changes.last is not None:
        return changes.last or None
    orders = _orders(shape, rows, identity)
    if orders is None:
        return None
    sequence = sorted(range(len(rows)), key=orders.__getitem__)
    rows, places = picked(rows, sequence), at_places(places, sequence)
    if changes.complete:
        return WholeRows(rows, places)
    found = list(map(RowState, rows, places))
    if DELETE in changes.ops or changes.partial:
        for state, one in zip(found, sequence, strict=True):
            state.deleted = changes.ops[some[one]] == DELETE
            state.partial = changes.partial.get(some[one], ())
    return found


def _orders(shape: TargetShape, rows: Sequence[tuple[Any, ...]], identity: Identity) -> Sequence[Any] | None:
    """Return what each row is sorted by, in the order of `_order`; None if a key is there twice."""
    if (numbers := _numbers(shape, rows)) is not None:
        return numbers if len(set(numbers)) == len(rows) else None
    keys = list(zip(*(column_of(rows, at) for at in shape.key), strict=True))
    if len({identity(shape, key) for key in keys}) < len(rows):
        return None
    return _padded([one for (one,) in keys]) if len(shape.key) == 1 else list(map(_order, keys))


def _numbers(shape: TargetShape, rows: Sequence[tuple[Any, ...]]) -> Sequence[int] | None:
    """Return keys that are integers from 0, whose order is that of `_order`; None if they are not."""
    if len(shape.key) > 1 or shape.columns[shape.key[0]].kind is not Kind.INTEGER:
        return None
    try:
        numbers = list(map(int, column_of(rows, shape.key[0])))
    except (TypeError, ValueError):  # the database judges it
        return None
    return numbers if min(numbers, default=0) >= 0 else None


def _padded(keys: Sequence[Any]) -> Sequence[Any]:
    """Return texts that have the order of `_order`, and are quicker to compare."""
    texts = list(map(str, keys))
    if "\0" in "".join(texts):
        return [_order((one,)) for one in keys]
    width = max(map(len, texts), default=0)
    return [one.rjust(width, "\0") for one in texts]


def _counted(changes: TableChanges, within: frozenset[int] | None) -> Sequence[int]:
    """Return which changes are those of messages that count."""
    if within is None or within.issuperset(changes.places):
        return range(len(changes.places))
    return [at for at, place in enumerate(changes.places) if place in within]


def _appended(changes: TableChanges, places: frozenset[int] | None) -> TableStates:
    if changes.complete:
        some = _counted(changes, places)
        return TableStates(changes.shape, WholeRows(picked(changes.rows, some), at_places(changes.places, some)))
    rows = [RowState(row, place) for _, op, row, place in _within(changes, places) if op == UPSERT]
    return TableStates(changes.shape, rows)


def _move(
    found: dict[Hashable, RowState], shape: TargetShape, identity: Identity, former: tuple[Any, ...], new: RowState
) -> Hashable:
    """Give a row that lies under another key the new one; what it held is kept where the message does not say more.

    Returns the identity of the former key.
    """
    name = identity(shape, former)
    before = found.pop(name, None)
    new.former = former if before is None or before.former is None else before.former
    if before is not None:
        if before.deleted or before.whole:
            raise _tangled()
        new.row = _merged(before.row, new.row)
    return name


def _join(found: dict[Hashable, RowState], shape: TargetShape, identity: Identity, new: RowState) -> None:
    key = _key(shape, new.row)
    name = identity(shape, key)
    before = found.get(name)
    if before is not None:
        if new.former is not None:
            raise _tangled()
        _refuse_spelling(shape, _key(shape, before.row), key)
        new.former = new.former or before.former
        new.whole = new.whole or before.whole or before.deleted
        if not before.deleted and not new.deleted:
            new.row, new.partial = _merged(before.row, new.row), (*before.partial, *new.partial)
    found[name] = new


def _in_order(shape: TargetShape, found: dict[Hashable, RowState], identity: Identity) -> list[RowState]:
    """Return the states: first the rows whose key changes, each behind the one that leaves its new key."""
    ordered = sorted(found.values(), key=lambda one: _order(_key(shape, one.row)))
    moves = {identity(shape, one.former): one for one in ordered if one.former is not None}
    first: list[RowState] = []
    for one in moves.values():
        chain: list[RowState] = []
        at: RowState | None = one
        while at is not None and not any(at is done for done in first):
            if any(at is before for before in chain):
                raise _tangled()
            chain.append(at)
            after = moves.get(identity(shape, _key(shape, at.row)))
            at = None if after is at else after  # another spelling of the same key
        first += reversed(chain)
    return first + [one for one in ordered if one.former is None]


def _tangled() -> ObjectionError:
    return ObjectionError("KEYS", "keys of several rows change one after the other")


def _merged(before: tuple[Any, ...], after: tuple[Any, ...]) -> tuple[Any, ...]:
    if ABSENT not in after:
        return after
    return tuple(old if new is ABSENT else new for old, new in zip(before, after, strict=True))


def _key(shape: TargetShape, row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(row[at] for at in shape.key)


def _order(key: tuple[Any, ...]) -> tuple[tuple[int, str], ...]:
    """Order of keys: shorter texts first, so that numbers are in theirs. All writers use it, so none wait in a ring."""
    return tuple((len(str(one)), str(one)) for one in key)


def _refuse_spelling(shape: TargetShape, one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    pairs = zip(shape.key, one, other, strict=True)
    unlike = [at for at, a, b in pairs if a != b and shape.columns[at].kind in _SPELLED]
    if not unlike:  # such as 1.0 and 1.00
        return
    names = ", ".join(shape.named(unlike))
    raise ConfigurationError(
        f"table {shape.table!r} takes two spellings of a key for one: {names} of two messages differ, and its collation"
        " or type calls them equal, so one row would stand for two. Nothing of the batch was applied. Give the key"
        " columns a binary or case-sensitive collation, or correct the keys at their source"
    )
