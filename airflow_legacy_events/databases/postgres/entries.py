"""PostgreSQL catalog rows of a table or view, its columns and its indexes."""

from __future__ import annotations

from typing import NamedTuple

TABLE, PARTITIONED, VIEW, MATERIALIZED, FOREIGN = "r", "p", "v", "m", "f"
"""Relation kinds that have rows."""


class Entry(NamedTuple):
    """A table or view.

    Attributes:
        oid: of it.
        schema: of it.
        name: of it.
        kind: one of the constants above.
        parent: whether it has children or partitions.
        stored: bytes of values that are stored out of line (TOAST); None if it has none.
        filenode: of its file; None if it has none.
        spelled: its quoted name with schema, as in a GRANT.
        user: the current user, as in a GRANT.
        hidden: names of system columns that this user may not read.
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
        not_null: whether it is marked NOT NULL.
        collation: its oid; 0 for a type that has none.
        type: its oid.
        withheld: its quoted name, as in a GRANT, if this user may not read it; else None.
    """

    name: str
    not_null: bool
    collation: int
    type: int
    withheld: str | None


class Index(NamedTuple):
    """An index that covers every row.

    Attributes:
        primary: whether it is the primary key's.
        unique: whether it allows no two equal rows.
        ordered: whether it is an ordered index.
        keys: numbers of its columns, without the INCLUDE columns.
        collations: oids of the collations, one per key column; 0 for a type without collation.
        classes: oids of the operator classes, one per key column.
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
        """Return the index from a catalog row; `lists` are space-separated texts and, last, the index name."""
        *texts, name = lists
        keys, collations, classes = (tuple(map(int, text.split()))[:count] for text in texts)
        return cls(primary, unique, ordered, keys, collations, classes, name)
