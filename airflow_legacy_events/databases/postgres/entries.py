"""Rows of PostgreSQL's catalog: of a table or view, its columns and its indexes."""

from __future__ import annotations

from typing import NamedTuple

TABLE, PARTITIONED, VIEW, MATERIALIZED, FOREIGN = "r", "p", "v", "m", "f"
"""Kinds of what has rows."""


class Entry(NamedTuple):
    """A table or view.

    Attributes:
        oid: of it.
        schema: of it.
        name: of it.
        kind: one of those above.
        parent: whether it has children or partitions.
        stored: bytes of values that are stored beside the rows; None where it has none.
        filenode: of its file; None where it has none.
        spelled: its name with its schema, as a GRANT has it.
        user: who asks, as a GRANT has it.
        hidden: names of columns of the system that this user may not read.
    """

    oid: int
    schema: str
    name: str
    kind: str
    parent: bool
    stored: int | None
    filenode: int | None
    spelled: str
    user: str
    hidden: list[str]


class Attribute(NamedTuple):
    """A column.

    Attributes:
        name: of it.
        not_null: whether it is marked so.
        collation: its oid; 0 for a type that has none.
        type: its oid.
        withheld: its name as a GRANT has it, where this user may not read it; else None.
    """

    name: str
    not_null: bool
    collation: int
    type: int
    withheld: str | None


class Index(NamedTuple):
    """An index that leaves no row out.

    Attributes:
        primary: whether it is the primary key's.
        unique: whether it lets no two rows be equal.
        ordered: whether it is in an order.
        keys: numbers of its columns, without those that it only carries along.
        collations: oids of those by which it compares each of them; 0 for a type that has none.
        classes: oids of the operator classes, likewise.
        name: of it.
    """

    primary: bool
    unique: bool
    ordered: bool
    keys: tuple[int, ...]
    collations: tuple[int, ...]
    classes: tuple[int, ...]
    name: str

    @classmethod
    def of(
        cls,
        primary: bool,  # noqa: FBT001
        unique: bool,  # noqa: FBT001
        ordered: bool,  # noqa: FBT001
        count: int,
        *lists: str,
    ) -> Index:
        """Return the index of a row of the catalog, whose `lists` are texts with blanks and, at last, its name."""
        *texts, name = lists
        keys, collations, classes = (tuple(map(int, text.split()))[:count] for text in texts)
        return cls(primary, unique, ordered, keys, collations, classes, name)
