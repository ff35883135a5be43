"""Side effects of a DELETE or an UPDATE, in terms that all databases share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_KEEPING = frozenset({"NO ACTION", "RESTRICT"})


class ForeignKey(NamedTuple):
    """Foreign key that references a table.

    Attributes:
        table: the referencing table.
        columns: of that table.
        name: of the constraint; None where it has none.
        on_delete: the referential action on delete, in SQL's words.
    """

    table: str
    columns: Sequence[str]
    name: str | None
    on_delete: str

    @property
    def keeps(self) -> bool:
        """Whether it prevents deletion of the rows that it references."""
        return self.on_delete in _KEEPING

    def __str__(self) -> str:
        name = f"foreign key {self.name}" if self.name else "foreign key"
        return f"{name} of {self.table} ({', '.join(self.columns)}), ON DELETE {self.on_delete}"


def references(keys: Iterable[ForeignKey]) -> tuple[str, ...]:
    """Return the foreign keys that prevent deletion of the rows that they reference."""
    return tuple(sorted(str(key) for key in keys if key.keeps))


def cascades(keys: Iterable[ForeignKey]) -> tuple[str, ...]:
    """Return the foreign keys through which a DELETE changes rows of other tables."""
    return tuple(sorted(str(key) for key in keys if not key.keeps))
