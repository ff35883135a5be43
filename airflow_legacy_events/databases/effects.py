"""What a DELETE or an UPDATE sets off in a database, in the words of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_KEEPING = frozenset({"NO ACTION", "RESTRICT"})


class ForeignKey(NamedTuple):
    """A foreign key that points to a table.

    Attributes:
        table: that has it.
        columns: of that table.
        name: of the constraint; None where it has none.
        on_delete: what happens to its rows when a row that they refer to is deleted, in SQL's words.
    """

    table: str
    columns: Sequence[str]
    name: str | None
    on_delete: str

    @property
    def keeps(self) -> bool:
        """Whether no row can be deleted that it refers to."""
        return self.on_delete in _KEEPING

    def __str__(self) -> str:
        name = f"foreign key {self.name}" if self.name else "foreign key"
        return f"{name} of {self.table} ({', '.join(self.columns)}), ON DELETE {self.on_delete}"


def references(keys: Iterable[ForeignKey]) -> tuple[str, ...]:
    """Return the keys that let no row be deleted that they refer to."""
    return tuple(sorted(str(key) for key in keys if key.keeps))


def cascades(keys: Iterable[ForeignKey]) -> tuple[str, ...]:
    """Return the keys by which a DELETE changes rows of other tables."""
    return tuple(sorted(str(key) for key in keys if not key.keeps))
