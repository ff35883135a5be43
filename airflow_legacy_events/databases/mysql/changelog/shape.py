"""Shapes of tables: their columns as one place of the log has them, kept from run to run as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple


class ShapeColumn(NamedTuple):
    """A column of a shape.

    Attributes:
        name: of it.
        number: ours, which survives a rename; None where it is not certain which column of before it is.
        declared: its type, as the catalog writes it.
        character_set: of it; None for types that have none.
        octets: longest value in bytes; None for types that have none.
        left_out: whether images of rows may lack it, and no row is sent with it.
    """

    name: str
    number: int | None
    declared: str
    character_set: str | None = None
    octets: int | None = None
    left_out: bool = False


@dataclass(frozen=True)
class TableShape:
    """A shape of a table.

    Attributes:
        columns: in the order of the table.
        last: highest number that a column ever had.
        hidden: number of hidden columns at the end of each image: `row_start` and `row_end` of a table that is
            versioned without naming them, then `DB_ROW_HASH_n` for long unique keys.
        row_end: name of the column that ends a version; None for a table that is not versioned.
        altered: whether the columns may be others since, which the catalog has to say.
        exact: whether it is known which columns were renamed and dropped since.
        gone: whether the table was dropped or renamed, and has not been made again since.
        came: names of columns that came with values.
    """

    columns: tuple[ShapeColumn, ...]
    last: int = 0
    hidden: int = 0
    row_end: str | None = None
    altered: bool = False
    exact: bool = True
    gone: bool = False
    came: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(one.name for one in self.columns)

    def as_fact(self) -> Mapping[str, Any]:
        """Return it as plain JSON; the same object each time."""
        return self._fact

    @cached_property
    def _fact(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {"columns": [list(one) for one in self.columns], "last": self.last}
        kept = {"hidden": 0, "row_end": None, "altered": False, "exact": True, "gone": False}
        found |= {name: value for name, usual in kept.items() if (value := getattr(self, name)) != usual}
        return found | ({"came": list(self.came)} if self.came else {})


def shape_in(fact: Mapping[str, Any]) -> TableShape:
    """Return the shape that a fact holds."""
    rest = {name: value for name, value in fact.items() if name not in ("columns", "came")}
    columns = tuple(ShapeColumn(*one) for one in fact["columns"])
    return TableShape(columns, came=tuple(fact.get("came", ())), **rest)


def numbered(shape: TableShape, found: Sequence[ShapeColumn]) -> TableShape:
    """Return a shape with other columns: those that were there before keep their numbers.

    A column of the same name is the same, unless it is known to be another. Where it is not known what was renamed, a
    column of another name is the same if there were as many columns between the same two others; it has no number if
    columns came and went there.
    """
    before = {one.name.casefold(): one.number for one in shape.columns}
    numbers: list[int | None] = [before.get(one.name.casefold()) for one in found]
    new = [at for at, one in enumerate(found) if one.name.casefold() not in before]
    last = shape.last
    if not shape.exact and new:
        by_name = {one.name.casefold() for one in found}
        if left := [one for one in shape.columns if one.name.casefold() not in by_name]:
            numbers = _between(shape.columns, [one.name for one in found], numbers)
            taken = {one for one in numbers if one is not None}
            new = [] if any(one.number not in taken for one in left) else [at for at in new if numbers[at] is None]
    for at in new:
        last += 1
        numbers[at] = last
    columns = tuple(one._replace(number=number) for one, number in zip(found, numbers, strict=True))
    return replace(shape, columns=columns, last=last, altered=False, exact=True, gone=False)


def _between(before: Sequence[ShapeColumn], names: Sequence[str], numbers: Sequence[int | None]) -> list[int | None]:
    """Return numbers with those of renamed columns, which lie between the same neighbours."""
    found = list(numbers)
    places = {one.name.casefold(): at for at, one in enumerate(before)}
    edges = [at for at, name in enumerate(names) if name.casefold() in places]
    known = [places[names[at].casefold()] for at in edges]
    if known != sorted(known):
        return found
    here, there = [-1, *edges, len(names)], [-1, *known, len(before)]
    for at in range(len(here) - 1):
        now, then = here[at + 1] - here[at] - 1, there[at + 1] - there[at] - 1
        if now == then:
            found[here[at] + 1 : here[at + 1]] = [one.number for one in before[there[at] + 1 : there[at + 1]]]
    return found


def renamed(shape: TableShape, names: Mapping[str, str], dropped: Sequence[str]) -> TableShape:
    """Return a shape with columns renamed and dropped, as one statement does it.

    Args:
        shape: before.
        names: new names by old ones, in lower case.
        dropped: names in lower case.
    """
    columns = tuple(
        one._replace(name=names.get(one.name.casefold(), one.name))
        for one in shape.columns
        if one.name.casefold() not in dropped
    )
    return replace(shape, columns=columns)
