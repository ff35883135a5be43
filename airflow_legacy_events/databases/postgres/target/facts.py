"""Facts about a target table of PostgreSQL that its statements need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from airflow_legacy_events.databases.postgres.target.looks import Looks


class Field(NamedTuple):
    """A column, as statements name it.

    Attributes:
        name: quoted.
        type: with its length or precision.
        open_type: without them, so that a cast neither cuts nor rounds.
        always: whether it is an identity that only OVERRIDING SYSTEM VALUE may write.
        lossy: whether its type drops digits without an error, and the shape does not say so.
        converted: whether a cast from text calls a function, rather than the type's input.
        folds: what its collation or type ignores in a text, as far as that is known: see `identities.FOLDS`.
        collation: quoted; empty for a type without one, and for the database's own.
    """

    name: str
    type: str
    open_type: str
    always: bool = False
    lossy: bool = False
    converted: bool = False
    collation: str = ""
    folds: str = ""

    @property
    def collate(self) -> str:
        """The clause that a value compared with the column needs; empty if none."""
        return f" COLLATE {self.collation}" if self.collation else ""

    def of_text(self, text: str) -> str:
        """Return the SQL of a text as a value of the type, as its input understands it."""
        if self.converted:
            return f"(CAST(CAST(ARRAY[{text}] AS pg_catalog.text) AS {self.open_type}[]))[1]{self.collate}"
        return f"CAST({text} AS {self.open_type}){self.collate}"


@dataclass(frozen=True)
class Facts:
    """A table, as statements name it.

    Attributes:
        oid: of it.
        name: quoted, with its schema.
        only: `ONLY ` for a table that others may inherit from.
        fields: in the order of the shape's columns.
        equals: operator that each key column is compared with, by the key's index.
        key_indexes: names of the key's index, and of those below it in partitions.
        inferred: whether ON CONFLICT may name the key; not that of a deferrable constraint.
        spelled: positions of key columns whose type or collation calls unlike texts equal.
        before_insert: whether a trigger looks at rows before they are inserted.
        triggers: names of triggers that may keep a row out.
        temporary: whether this user may make temporary tables.
        user: quoted.
        unread: positions of columns that this user may not read, as ON CONFLICT would.
        looks: at which rows of its batches are there.
    """

    oid: int
    name: str
    only: str
    fields: Sequence[Field]
    equals: Sequence[str] = ()
    key_indexes: frozenset[str] = frozenset()
    inferred: bool = True
    spelled: Sequence[int] = ()
    before_insert: bool = False
    triggers: Sequence[str] = ()
    temporary: bool = True
    user: str = ""
    unread: frozenset[int] = frozenset()
    looks: Looks = field(default_factory=Looks)
