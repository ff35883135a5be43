"""States of rows with the values that the driver takes, and which columns each of them writes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import ObjectionError, RowState
from airflow_legacy_events.databases.applying import statements
from airflow_legacy_events.databases.applying.facts import UnfitError

VALUE, INCOMPLETE = "VALUE", "INCOMPLETE"


@dataclass(slots=True)
class BoundState:
    """State of a row, with the values that the driver takes.

    Attributes:
        state: of the row.
        key: of the row.
        name: identity of the key.
        row: value of each column; None for one that is absent too.
        given: positions of the columns that the message has and that may be written, those of the key among them.
    """

    state: RowState
    key: tuple[Any, ...]
    name: Hashable
    row: tuple[Any, ...]
    given: tuple[int, ...]

    def parameters(self, positions: Iterable[int], key: Sequence[Any] | None = None) -> dict[str, Any]:
        """Return the parameters of the columns at positions, and of a key; None: that of the row."""
        found = {f"{statements.COLUMN}{at}": self.row[at] for at in positions}
        return {**found, **statements.key_parameters(self.key if key is None else key)}


def bound(shape: TargetShape, state: RowState) -> BoundState:
    """Return a state with bound values.

    Raises:
        ObjectionError: a column would not hold its value as it is.
    """
    by = shape.key or shape.repeats
    needed = {*shape.key, shape.version}
    row, given = list[Any](), list[int]()
    for at, value in enumerate(state.row):
        if value is ABSENT or (state.deleted and at not in needed):
            row.append(None)
            continue
        row.append(_value(shape, at, value))
        if shape.columns[at].written:
            given.append(at)
    key = tuple(row[at] for at in by)
    return BoundState(state, key, shape.facts.stored_identity(key), tuple(row), tuple(given))


def bound_key(shape: TargetShape, key: Sequence[Any]) -> tuple[Any, ...]:
    """Return a key with bound values, likewise."""
    return tuple(_value(shape, at, value) for at, value in zip(shape.key, key, strict=True))


def refuse_incomplete(shape: TargetShape, state: RowState) -> None:
    """Check that a row that is not there can be written without the columns that the source left out.

    Raises:
        ObjectionError: it can't.
    """
    lacking = [
        name
        for at, name in enumerate(shape.named(range(len(shape.columns))))
        if name in state.partial and state.row[at] is ABSENT
    ]
    if lacking:
        raise ObjectionError(
            INCOMPLETE,
            f"the row is not there, and the source left out {', '.join(lacking)} since they did not change; let the"
            " source send the whole row, such as by a snapshot",
        )


@contextmanager
def fitting() -> Iterator[None]:
    """Turn the refusal of a driver to pass a value, which is no error of a database, into an objection."""
    try:
        yield
    except (ValueError, OverflowError):
        raise ObjectionError(VALUE, "the driver can't pass a value of the row to its column") from None


def _value(shape: TargetShape, at: int, value: Any) -> Any:
    try:
        return shape.facts.bound(at, value)
    except UnfitError as error:
        column = shape.columns[at]
        raise ObjectionError(
            VALUE, f"column {column.name!r} ({column.type}) can't hold the value exactly: {error}"
        ) from None
