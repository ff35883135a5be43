"""Rows packed as lines of COPY, where their columns are decoded: no text of a column lives longer than that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.databases.postgres.target import texts


def named_positions(columns: Sequence[TargetColumn], deleted: int | None) -> tuple[int, ...]:
    """Return the positions of the columns that a row may name, but for the one that marks a deleted row."""
    return tuple(at for at, one in enumerate(columns) if one.written and at != deleted)


class CopyLines(NamedTuple):
    """See `core.model.packed.Packing`.

    Attributes:
        positions: see there.
        width: number of all columns.
    """

    positions: tuple[int, ...]
    width: int

    def pack(self, columns: Sequence[Sequence[Any]]) -> list[bytes] | None:
        """See `Packing.pack`; a text with half of a surrogate pair is refused where it is sent."""
        if not self.positions:  # a line without a column says nothing
            return None
        try:
            return texts.lines([columns[at] for at in self.positions])
        except UnicodeEncodeError:
            return None

    def unpack(self, text: bytes) -> tuple[Any, ...]:
        """See `Packing.unpack`."""
        row: list[Any] = [ABSENT] * self.width
        for at, value in zip(self.positions, texts.values(text), strict=True):
            row[at] = value
        return tuple(row)
