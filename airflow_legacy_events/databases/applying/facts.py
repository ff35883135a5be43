"""Facts of a target's table that statements are made from, beside its shape."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from airflow_legacy_events.core.model.changes import TargetShape

Bind: TypeAlias = Callable[[Any], Any]
"""Turns the text of a value into what the driver takes. Raises Unfit for a value that the column would change."""

Fold: TypeAlias = Callable[[Any], Hashable]
"""Turns a value of a key column, bound or stored, into one that is equal for equal keys of the table."""


class UnfitError(Exception):
    """The column would not hold the value as it is; the text says why, without the value."""


@dataclass(frozen=True)
class TableFacts:
    """What statements need of a table. A database adds its own in a subclass.

    Attributes:
        table: with typed columns, in the order of the shape.
        binds: of each column; None: the driver takes the text.
        folds: of each key column, or of each column of `repeats` where rows are appended; in their order.
        defaults: SQL of the value that each column gets where a new row leaves it out.
        keeps_out: what may keep rows out or change them, such as triggers, in words; empty if nothing is known.
        conflicting: words behind INSERT and UPDATE that make every violated constraint an error; empty without need.
        how_compared: how the key columns are compared, in words, where two spellings may be one key.
    """

    table: sa.TableClause
    binds: tuple[Bind | None, ...]
    folds: tuple[Fold, ...] = ()
    defaults: tuple[Any, ...] = ()
    keeps_out: str = ""
    conflicting: str = ""
    how_compared: str = ""

    def identity_of(self, shape: TargetShape, key: Sequence[Any]) -> Hashable:
        """Return what is equal for two keys, in texts of the shape, exactly if the table can't hold both."""
        return tuple(fold(self.bound(at, value)) for at, fold, value in zip(shape.key, self.folds, key, strict=True))

    def stored_identity(self, key: Sequence[Any]) -> Hashable:
        """Return the same for a key as the driver returns it."""
        return tuple(fold(value) for fold, value in zip(self.folds, key, strict=True))

    def bound(self, at: int, value: Any) -> Any:
        """Return a text of a column as the driver takes it.

        Raises:
            UnfitError: the column would change it.
        """
        bind = self.binds[at]
        return value if value is None or bind is None else bind(value)
