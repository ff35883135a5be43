"""Rows that are packed: one text for each, as a target takes many of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol


class Packing(Protocol):
    """How a target packs the rows of a table."""

    @property
    def positions(self) -> tuple[int, ...]:
        """Positions of the columns that a text holds: all that may be written."""

    def pack(self, columns: Sequence[Sequence[Any]]) -> list[bytes] | None:
        """Return a text for each row; None if one of them has none.

        Args:
            columns: of all rows, in the order of the shape; texts, and None for NULL.
        """

    def unpack(self, text: bytes) -> tuple[Any, ...]:
        """Return the row that a text was made of, with `ABSENT` in the columns that it does not hold."""


class PackedRows(Sequence[tuple[Any, ...]]):
    """Packed rows. Each is unpacked when it is looked at, which takes longer than to have kept it as it was.

    Attributes:
        packing: how they were packed.
        texts: of each.
        keys: columns of the key, as they were before, by position.
    """

    def __init__(self, packing: Packing, texts: Sequence[bytes], keys: Mapping[int, Sequence[Any]]) -> None:
        self.packing, self.texts, self.keys = packing, texts, keys

    @classmethod
    def joined(cls, parts: Sequence[PackedRows]) -> PackedRows:
        """Return the rows of parts that were packed alike."""
        keys = {at: list(chain.from_iterable(one.keys[at] for one in parts)) for at in parts[0].keys}
        return cls(parts[0].packing, list(chain.from_iterable(one.texts for one in parts)), keys)

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return map(self.packing.unpack, self.texts)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return list(map(self.packing.unpack, self.texts[at]))
        return self.packing.unpack(self.texts[at])

    def picked(self, places: Sequence[int]) -> PackedRows:
        """Return the rows at some places, still packed."""
        keys = {at: at_places(column, places) for at, column in self.keys.items()}
        return PackedRows(self.packing, at_places(self.texts, places), keys)


def column_of(rows: Sequence[Sequence[Any]], at: int) -> Sequence[Any]:
    """Return one column of rows; of packed ones that of a key is there already."""
    if isinstance(rows, PackedRows) and at in rows.keys:
        return rows.keys[at]
    return [row[at] for row in rows]


def picked(rows: Sequence[tuple[Any, ...]], places: Sequence[int]) -> Sequence[tuple[Any, ...]]:
    """Return the rows at some places."""
    return rows.picked(places) if isinstance(rows, PackedRows) else at_places(rows, places)


def at_places(values: Sequence[Any], places: Sequence[int]) -> Sequence[Any]:
    """Return values at some places."""
    if isinstance(places, range) and places.step == 1:
        return values[places.start : places.stop]
    return list(map(values.__getitem__, places))
